// Colours, by what https://no-color.org and terminfo(5) ask for; no library for one of them.

#include "terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// ECMA-48 8.3.117, SGR: blue foreground, and the default one.
#define BLUE "\033[34m"
#define DEFAULT_COLOR "\033[39m"

static bool is_terminal(FILE *out)
{
	int descriptor = fileno(out); // none of memory
	return descriptor >= 0 && isatty(descriptor);
}

bool terminal_has_color(FILE *out)
{
	const char *unwanted = getenv("NO_COLOR"), *name = getenv("TERM");
	bool is_wanted = !unwanted || !unwanted[0];
	return is_wanted && name && name[0] && strcmp(name, "dumb") != 0 && is_terminal(out);
}

bool terminal_has_symbols(FILE *out)
{
	return is_terminal(out) && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void terminal_print_blue(FILE *out, const char *text)
{
	if (terminal_has_color(out))
		fprintf(out, BLUE "%s" DEFAULT_COLOR, text);
	else
		fputs(text, out);
}
