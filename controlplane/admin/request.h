#pragma once

// One request of an operator: a line of words, the command it names, and its one answer, which may
// come later. Runs on: control thread.

#include <jansson.h>
#include <stdbool.h>

#include "admin/admin.h"
#include "base/status.h"
#include "base/text.h"
#include "directory/schema.h"

#define ADMIN_WORDS_MAX 64
#define ADMIN_LINE_MAX 65536 // octets of a line, without its newline

struct admin_command;
struct admin_request;

// The answer, one line with its newline; empty when there was no memory for one.
typedef void (*admin_request_done_fn)(void *owner, struct text answer);

struct admin_peer { // who asks, by SO_PEERCRED
	unsigned user, process;
};

struct admin_request {
	struct admin_context *context;
	const struct admin_command *command;
	enum directory_kind kind; // of a command with the word KIND
	struct text words[ADMIN_WORDS_MAX];
	unsigned word_count;
	const struct text *arguments; // what follows the command's own words
	unsigned argument_count;
	struct admin_peer peer;
	json_t *partial; // of a handler that gathers
	bool vouches; // an operator's word for a number, that is told when it is stored (NUM-018)
	admin_request_done_fn done;
	void *owner;
	char *line; // words point here; wiped at the end, it may hold a password
	size_t line_size;
};

// Shell-like: spaces and tabs part words, "…" and '…' and \ take them literally. Unquotes in place.
// ERR_MALFORMED: a quote without its end; ERR_TOO_LARGE: more than ADMIN_WORDS_MAX words.
enum status admin_request_split(char *line, size_t size, struct text out_words[ADMIN_WORDS_MAX],
				unsigned *out_count);
// Copies the line, runs its command. The request ends with its answer; NULL: `done` was called already.
struct admin_request *admin_request_run(struct admin_context *context, struct text line,
					struct admin_peer peer, admin_request_done_fn done,
					void *owner);
// Nobody waits for the answer any more; the request lives until its handler gives one.
void admin_request_detach(struct admin_request *request);
bool admin_request_is_detached(const struct admin_request *request);

// Both end the request. `result` is taken; "status" is put in front.
void admin_request_answer(struct admin_request *request, json_t *result);
struct admin_refusal {
	enum status status;
	const char *field, *message, *hint; // field and hint may be NULL
	bool is_usage; // the words themselves are wrong
};
void admin_request_refuse(struct admin_request *request, const struct admin_refusal *refusal);
char *admin_request_refusal_line(const struct admin_refusal *refusal); // allocated, with newline
