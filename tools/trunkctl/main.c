// trunkctl: the operator's command. It knows no command of trunkd's by itself; help and completion
// come from the running daemon. Exit: 0 done, 1 trunkd refused, 2 wrong use or no connection.

#include <getopt.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/secret.h"
#include "base/text.h"
#include "import.h"
#include "csv.h"
#include "line.h"
#include "show.h"
#include "verify.h"
#include "wire.h"

#define SOCKET_DEFAULT "/run/trunkd/trunkd.sock"

struct options {
	const char *socket;
	bool is_json, is_csv, is_completion, is_help;
};

static const char USAGE[] =
	"usage: trunkctl [--socket PATH] [--json|--csv] WORDS...\n"
	"\n"
	"  --socket PATH  of trunkd's admin.socket; else $TRUNKD_SOCKET, else\n"
	"                 " SOCKET_DEFAULT "\n"
	"  --json         print the answer as trunkd gives it\n"
	"  --csv          print the list of the answer as comma-separated values\n"
	"  --complete     print what may stand for the last of WORDS, for the shell\n"
	"  --help         print this, and the commands of the running trunkd\n"
	"\n"
	"Passwords are never given as words: password=- reads one from the terminal or\n"
	"from standard input. So does confirm caller_id without CODE, or with -.\n"
	"\n";

static bool parse_options(int count, char **words, struct options *out_options)
{
	static const struct option OPTIONS[] = {
		{ "socket", required_argument, NULL, 's' }, { "json", no_argument, NULL, 'j' },
		{ "csv", no_argument, NULL, 'v' },          { "complete", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
	};
	const char *socket = getenv("TRUNKD_SOCKET");
	out_options->socket = socket && socket[0] ? socket : SOCKET_DEFAULT;
	for (int option; (option = getopt_long(count, words, "+s:jh", OPTIONS, NULL)) != -1;) {
		if (option == 's')
			out_options->socket = optarg;
		else if (option == 'j')
			out_options->is_json = true;
		else if (option == 'v')
			out_options->is_csv = true;
		else if (option == 'c')
			out_options->is_completion = true;
		else if (option == 'h')
			out_options->is_help = true;
		else
			return false;
	}
	return true;
}

static int print_answer(const struct options *options, const json_t *answer, const char *raw)
{
	const char *status = json_string_value(json_object_get(answer, "status"));
	bool is_ok = status && strcmp(status, "ok") == 0;
	if (options->is_json)
		fputs(raw, stdout);
	else if (is_ok && options->is_csv && csv_print(answer, stdout))
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_USAGE;
	else if (is_ok && options->is_csv) {
		fputs("trunkctl: the answer has no list: try --json\n", stderr);
		return EXIT_USAGE;
	} else if (is_ok)
		show_answer(answer, stdout);
	else
		show_refusal(answer, stderr);
	if (is_ok)
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_USAGE;
	return json_is_true(json_object_get(answer, "usage")) ? EXIT_USAGE : EXIT_REFUSED;
}

static int print_candidates(const json_t *answer)
{
	const json_t *candidates = json_object_get(answer, "candidates");
	for (size_t i = 0; i < json_array_size(candidates); i++)
		if (json_is_string(json_array_get(candidates, i)))
			puts(json_string_value(json_array_get(candidates, i)));
	return EXIT_SUCCESS;
}

// A long text comes in pages: "after" says behind what the next one begins. The line has room for it.
static bool turn_page(const struct options *options, const json_t *answer, struct text first,
		      struct writer *line)
{
	const char *after = json_string_value(json_object_get(answer, "after"));
	if (options->is_json || options->is_completion || !after)
		return false;
	line->used = first.size;
	writer_format(line, " %s", after);
	return !line->failed;
}

static int ask(const struct options *options, struct text line, json_t **out_answer)
{
	char problem[512] = "";
	json_error_t error;
	char *raw = wire_ask(options->socket, line, problem, sizeof(problem));
	json_t *answer = raw ? json_loads(raw, 0, &error) : NULL;
	int result = EXIT_USAGE;
	if (raw && !answer)
		fprintf(stderr, "trunkctl: this is no answer of trunkd's: %s\n", error.text);
	else if (!answer && !options->is_completion)
		fprintf(stderr, "trunkctl: %s\n", problem);
	else if (options->is_completion)
		result = print_candidates(answer);
	else
		result = print_answer(options, answer, raw);
	*out_answer = answer;
	free(raw);
	return result;
}

static int run(const struct options *options, char *const *words, int count)
{
	const char *problem = NULL;
	char *room = malloc(LINE_SIZE);
	if (!room)
		return EXIT_USAGE;
	struct writer line = writer_of(room, LINE_SIZE);
	writer_string(&line, options->is_completion ? "complete "
			     : options->is_help     ? "help "
						    : "");
	int result = EXIT_USAGE;
	if (!line_write(&line, words, count, &problem)) {
		fprintf(stderr, "trunkctl: %s\n", problem);
	} else {
		struct text first = writer_done(&line);
		json_t *answer = NULL;
		do {
			json_decref(answer);
			result = ask(options, writer_done(&line), &answer);
		} while (result == EXIT_SUCCESS && turn_page(options, answer, first, &line));
		json_decref(answer);
	}
	secret_wipe(room, LINE_SIZE);
	free(room);
	return result;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	(void)setlocale(LC_CTYPE, ""); // what a terminal can show; without one it is plain ASCII
	if (!parse_options(argc, argv, &options)) {
		fputs(USAGE, stderr);
		return EXIT_USAGE;
	}
	int count = argc - optind;
	if (count > 1 && strcmp(argv[argc - 1], "--help") == 0 && !options.is_completion) {
		options.is_help = true; // trunkctl show --help: help at every level
		count--;
	}
	bool is_help = count == (options.is_help ? 0 : 1) &&
		       (options.is_help || strcmp(argv[optind], "help") == 0);
	if (is_help && !options.is_json && !options.is_completion)
		fputs(USAGE, stdout);
	if (count == 0 && !options.is_help && !options.is_completion) {
		fputs(USAGE, stderr);
		return EXIT_USAGE;
	}
	if (!options.is_help && !options.is_completion && import_is_wanted(argv + optind, count))
		return import_run(options.socket, argv[argc - 1]);
	if (!options.is_json && !options.is_csv && !options.is_help && !options.is_completion &&
	    verify_is_wanted(argv + optind, count))
		return verify_run(options.socket, argv + optind, count);
	return run(&options, argv + optind, count);
}
