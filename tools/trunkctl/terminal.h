#pragma once

// What may be shown where the output goes. A file, a pipe or a dumb terminal gets plain text.

#include <stdbool.h>
#include <stdio.h>

// A terminal that knows colours (TERM is set and not "dumb"), and nobody who wants none (NO_COLOR).
bool terminal_has_color(FILE *out);
// One that shows more than ASCII: the locale's characters are those of Unicode, in UTF-8.
bool terminal_has_symbols(FILE *out);
void terminal_print_blue(FILE *out, const char *text); // blue where it may be, else plain
