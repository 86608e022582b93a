// From a line of words to one JSON document. Runs on the control thread. Must never answer twice, and
// must leave no copy of a line behind: it may hold a password.

#include "admin/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "admin/json.h"
#include "base/log.h"
#include "base/secret.h"

#define REQUESTS_LOGGED_WORDS 3 // command words; values may be private

static bool is_space(char character)
{
	return character == ' ' || character == '\t';
}

// One word from *from on, unquoted to *to. False: the closing quote is missing.
static bool take_word(const char **from, const char *end, char **to)
{
	char quote = 0;
	while (*from < end && (quote || !is_space(**from))) {
		char character = *(*from)++;
		if (quote && character == quote)
			quote = 0;
		else if (!quote && (character == '"' || character == '\''))
			quote = character;
		else if (character == '\\' && quote != '\'' && *from == end)
			return false;
		else
			*(*to)++ = character == '\\' && quote != '\'' ? *(*from)++ : character;
	}
	return quote == 0;
}

enum status admin_request_split(char *line, size_t size, struct text out_words[ADMIN_WORDS_MAX],
				unsigned *out_count)
{
	const char *from = line, *end = line + size;
	char *to = line; // never ahead of `from`
	unsigned count = 0;
	for (;;) {
		while (from < end && is_space(*from))
			from++;
		if (from == end)
			break;
		if (count == ADMIN_WORDS_MAX)
			return ERR_TOO_LARGE;
		char *word = to;
		if (!take_word(&from, end, &to))
			return ERR_MALFORMED;
		out_words[count++] = (struct text){ word, (size_t)(to - word) };
	}
	*out_count = count;
	return OK;
}

static void destroy(struct admin_request *request)
{
	secret_wipe(request->line, request->line_size);
	json_decref(request->partial);
	free(request->line);
	free(request);
}

static void finish(struct admin_request *request, const char *line)
{
	if (request->done)
		request->done(request->owner, text_of(line));
	destroy(request);
}

static char *write_line(json_t *document)
{
	char *text = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	size_t size = text ? strlen(text) : 0;
	char *line = text ? realloc(text, size + 2) : NULL;
	if (!line) {
		free(text);
		return NULL;
	}
	line[size] = '\n';
	line[size + 1] = 0;
	return line;
}

char *admin_request_refusal_line(const struct admin_refusal *refusal)
{
	json_t *document = json_object();
	admin_json_set(document, "status", json_string("error"));
	admin_json_set(document, "code", json_string(status_name(refusal->status)));
	admin_json_set(document, "message",
		       admin_json_string(refusal->message ? refusal->message
							  : status_text(refusal->status)));
	if (refusal->field && refusal->field[0])
		admin_json_set(document, "field", admin_json_string(refusal->field));
	if (refusal->hint && refusal->hint[0])
		admin_json_set(document, "hint", admin_json_string(refusal->hint));
	if (refusal->is_usage)
		admin_json_set(document, "usage", json_true());
	return write_line(document);
}

// Reading is not worth a line; who changed what is.
static void log_change(const struct admin_request *request, enum status status)
{
	struct log_value user, process;
	char room[128];
	if (!request->command || request->command->right == ADMIN_READ)
		return;
	struct writer words = writer_of(room, sizeof(room));
	for (unsigned i = 0; i < request->word_count && i < REQUESTS_LOGGED_WORDS; i++) {
		if (text_find(request->words[i], '='))
			break;
		writer_string(&words, i > 0 ? " " : "");
		writer_text(&words, request->words[i]);
	}
	const char *command = writer_string_done(&words);
	log_event(LOG_INFO, "admin_command", "command", command ? command : request->command->words,
		  "result", status_name(status), "uid", log_number(&user, request->peer.user),
		  "pid", log_number(&process, request->peer.process), NULL);
}

void admin_request_answer(struct admin_request *request, json_t *result)
{
	json_t *document = json_object();
	admin_json_set(document, "status", json_string("ok"));
	if (result)
		(void)json_object_update(document, result); // only memory can lack
	json_decref(result);
	char *line = write_line(document);
	log_change(request, OK);
	finish(request, line);
	free(line);
}

void admin_request_refuse(struct admin_request *request, const struct admin_refusal *refusal)
{
	char *line = admin_request_refusal_line(refusal);
	log_change(request, refusal->status);
	finish(request, line);
	free(line);
}

void admin_request_detach(struct admin_request *request)
{
	request->done = NULL;
	request->owner = NULL;
	request->context = NULL; // may be gone before the handler's part comes back
}

bool admin_request_is_detached(const struct admin_request *request)
{
	return request->context == NULL;
}

static const char *parse_problem(struct admin_request *request, enum status *out_status)
{
	struct text line = { request->line, request->line_size };
	*out_status = ERR_MALFORMED;
	if (!admin_json_is_utf8(line))
		return "the line holds control characters or is not UTF-8";
	*out_status = admin_request_split(request->line, request->line_size, request->words,
					  &request->word_count);
	if (*out_status == ERR_TOO_LARGE)
		return "more than 64 words";
	if (*out_status != OK)
		return "a quote has no end";
	*out_status = ERR_MALFORMED;
	return request->word_count == 0 ? "an empty line" : NULL;
}

static void run(struct admin_request *request)
{
	struct admin_refusal refusal = { .hint = "help lists what there is", .is_usage = true };
	refusal.message = parse_problem(request, &refusal.status);
	if (refusal.message) {
		admin_request_refuse(request, &refusal);
		return;
	}
	struct admin_command_match match = admin_command_find(request->words, request->word_count);
	request->command = match.command;
	request->kind = match.kind;
	request->arguments = request->words + match.words;
	request->argument_count = request->word_count - match.words;
	if (match.problem[0]) {
		refusal.status = match.command ? ERR_MALFORMED : ERR_NOT_FOUND;
		refusal.message = match.problem;
		refusal.hint = match.hint;
		request->command = NULL; // nothing was changed
		admin_request_refuse(request, &refusal);
		return;
	}
	request->command->run(request);
}

struct watch { // lets admin_request_run see whether the answer came at once
	admin_request_done_fn done;
	void *owner;
	bool is_done;
};

static void watch_done(void *owner, struct text answer)
{
	struct watch *watch = owner;
	watch->is_done = true;
	watch->done(watch->owner, answer);
}

struct admin_request *admin_request_run(struct admin_context *context, struct text line,
					struct admin_peer peer, admin_request_done_fn done,
					void *owner)
{
	struct watch watch = { done, owner, false };
	struct admin_request *request = calloc(1, sizeof(*request));
	char *copy = malloc(line.size + 1);
	if (!request || !copy) {
		free(request);
		free(copy);
		done(owner, TEXT_NONE);
		return NULL;
	}
	memcpy(copy, line.data, line.size);
	request->line = copy;
	request->line_size = line.size;
	request->context = context;
	request->peer = peer;
	request->done = watch_done;
	request->owner = &watch;
	run(request);
	if (watch.is_done)
		return NULL;
	request->done = done;
	request->owner = owner;
	return request;
}
