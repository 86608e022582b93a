// `trunkctl import numbers FILE`: the file's lines in requests of many rows each, then the end, then
// waiting for it. Must not read a whole file into memory.

#include "import.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ask.h"
#include "base/text.h"

#define LINE_OCTETS_MAX 2048
#define REQUEST_SIZE 60000
#define ROWS_MAX 50 // a request has 64 words
#define POLL_NS 200000000

struct import {
	const char *socket;
	char id[64];
	char *request;
	struct writer writer; // into it
	unsigned rows; // in it
	int status; // of the program, when it ends here
};

bool import_is_wanted(char *const *words, int count)
{
	return count == 3 && strcmp(words[0], "import") == 0 && strcmp(words[1], "numbers") == 0;
}

// NULL: a refusal, which has been printed, or no answer.
static json_t *ask(struct import *import, struct text line)
{
	import->status = EXIT_REFUSED;
	return ask_trunkd(import->socket, line, &import->status);
}

static json_t *ask_about(struct import *import, const char *what)
{
	char line[128];
	(void)snprintf(line, sizeof(line), "import numbers %s %s", what, import->id);
	return ask(import, text_of(line));
}

static void begin_request(struct import *import, unsigned long line)
{
	import->writer = writer_of(import->request, REQUEST_SIZE);
	writer_format(&import->writer, "import numbers rows %s %lu", import->id, line);
	import->rows = 0;
}

static bool send_request(struct import *import, unsigned long next_line)
{
	json_t *answer =
		import->rows > 0 ? ask(import, writer_done(&import->writer)) : json_object();
	bool is_good = answer != NULL;
	json_decref(answer);
	begin_request(import, next_line);
	return is_good;
}

static void write_row(struct writer *writer, struct text row)
{
	writer_string(writer, " \"");
	for (size_t i = 0; i < row.size; i++) {
		if (row.data[i] == '"' || row.data[i] == '\\')
			writer_char(writer, '\\');
		writer_char(writer, row.data[i]);
	}
	writer_char(writer, '"');
}

static struct text row_of(char *line)
{
	line[strcspn(line, "\r\n")] = 0;
	struct text row = text_of(line);
	bool has_mark = text_has_prefix(row, TEXT("\xef\xbb\xbf")); // of UTF-8, by some programs
	return has_mark ? text_cut(row, 3) : row;
}

static bool send_rows(struct import *import, FILE *file)
{
	char line[LINE_OCTETS_MAX + 2];
	unsigned long number = 0;
	begin_request(import, 1);
	while (fgets(line, sizeof(line), file)) {
		number++;
		if (strlen(line) > LINE_OCTETS_MAX) {
			fprintf(stderr, "trunkctl: line %lu is longer than %d octets\n", number,
				LINE_OCTETS_MAX);
			import->status = EXIT_USAGE;
			return false;
		}
		write_row(&import->writer, row_of(line));
		import->rows++;
		bool is_full = import->rows == ROWS_MAX ||
			       import->writer.used > REQUEST_SIZE - 2 * LINE_OCTETS_MAX - 16;
		if (is_full && !send_request(import, number + 1))
			return false;
	}
	return send_request(import, number + 1);
}

// The number of rows when it is over, -1 while it goes on, -2 when it failed.
static long long look(struct import *import)
{
	json_t *answer = ask_about(import, "status");
	const char *state = json_string_value(json_object_get(answer, "state"));
	long long rows = -2;
	if (state)
		rows = strcmp(state, "done") == 0
			       ? json_integer_value(json_object_get(answer, "rows"))
			       : -1;
	json_decref(answer);
	return rows;
}

static int wait_for_end(struct import *import)
{
	static const struct timespec pause = { .tv_nsec = POLL_NS };
	long long rows = look(import);
	for (; rows == -1; rows = look(import))
		(void)nanosleep(&pause, NULL);
	if (rows < 0)
		return import->status;
	printf("%lld numbers imported\n", rows);
	return EXIT_SUCCESS;
}

static int run(struct import *import, FILE *file)
{
	json_t *answer = ask(import, TEXT("import numbers begin"));
	const char *id = json_string_value(json_object_get(answer, "import"));
	bool is_begun = id != NULL;
	(void)snprintf(import->id, sizeof(import->id), "%s", id ? id : "");
	json_decref(answer);
	if (!is_begun || !send_rows(import, file))
		return import->status;
	answer = ask_about(import, "commit");
	bool is_taken = answer != NULL;
	json_decref(answer);
	return is_taken ? wait_for_end(import) : import->status;
}

int import_run(const char *socket, const char *path)
{
	struct import import = { .socket = socket,
				 .request = malloc(REQUEST_SIZE),
				 .status = EXIT_USAGE };
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int status = EXIT_USAGE;
	if (!file)
		perror(path);
	else if (import.request)
		status = run(&import, file);
	if (file && file != stdin)
		fclose(file);
	free(import.request);
	return status;
}
