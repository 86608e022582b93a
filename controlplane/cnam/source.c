// A web service, or a table from a file, on a thread of their own. What comes back is a stranger's: cleaned
// before it goes on.

#include "cnam/source.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/thread/thread.h"
#include "cnam/table.h"
#include "config/cnam.h"
#include "fetch/fetch.h"

#define BODY_MAX 4096
#define URL_SIZE 512
#define HEADER_SIZE 512
#define CONNECTIONS_MAX 32
#define TURN_MS 1000

struct lookup { // by HTTP
	struct cnam_source *source;
	uint64_t id;
};

struct cnam_source {
	const struct cnam_config *config;
	struct ring *questions, *answers;
	pthread_t thread;
	atomic_bool is_stopping; // control writes
	struct fetch *fetch;
	char header[HEADER_SIZE + 32]; // "": none
	struct cnam_table *table; // NULL: by HTTP
};

static void answer(struct cnam_source *source, const struct cnam_source_answer *answer)
{
	(void)ring_put(source->answers, answer); // has room for every question
}

static void fail(struct cnam_source *source, uint64_t id, const char *problem)
{
	struct cnam_source_answer bad = { .id = id };
	text_copy_cut(text_of(problem), bad.problem, sizeof(bad.problem));
	answer(source, &bad);
}

// {"name": "…"}, or the first line of plain text; false: an object without that.
static bool read_body(struct text body, char name[static CNAM_NAME_SIZE])
{
	body = text_trim(body);
	if (body.size == 0 || body.data[0] != '{') {
		cnam_name_clean(text_split(&body, '\n'), name);
		return true;
	}
	json_t *object = json_loadb(body.data, body.size, 0, NULL);
	const json_t *value = json_object_get(object, "name");
	bool is_good = json_is_string(value) || json_is_null(value);
	cnam_name_clean(text_of(json_string_value(value)), name);
	json_decref(object);
	return is_good;
}

static void read_answer(void *context, const struct fetch_answer *found)
{
	struct lookup *lookup = context;
	struct cnam_source *source = lookup->source;
	struct cnam_source_answer good = { .id = lookup->id, .is_good = true };
	char problem[64];
	free(lookup);
	if (found->outcome != FETCH_ANSWERED) {
		fail(source, good.id, found->problem);
	} else if (found->status == 404 ||
		   found->status == 204) { // there is none: that is an answer
		answer(source, &good);
	} else if (found->status != 200) {
		(void)snprintf(problem, sizeof(problem), "HTTP status %u", found->status);
		fail(source, good.id, problem);
	} else if (read_body(found->body, good.name)) {
		answer(source, &good);
	} else {
		fail(source, good.id, "the JSON has no text \"name\"");
	}
}

// The plus sign would be a space in a query.
static bool write_url(const char *template, const char *number, char room[static URL_SIZE])
{
	struct writer writer = writer_of(room, URL_SIZE);
	const char *place = strstr(template, "{number}");
	if (!place)
		return false;
	writer_text(&writer, (struct text){ template, (size_t)(place - template) });
	writer_format(&writer, "%%2B%s%s", number + 1, place + strlen("{number}"));
	return writer_string_done(&writer) != NULL;
}

static void start_lookup(struct cnam_source *source, const struct cnam_source_question *question)
{
	char url[URL_SIZE];
	const char *headers[] = { source->header, NULL };
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	if (!lookup) {
		fail(source, question->id, "out of memory");
		return;
	}
	*lookup = (struct lookup){ source, question->id };
	struct fetch_request request = { .url = url,
					 .headers = source->header[0] ? headers : NULL,
					 .connect_ms = source->config->timeout_ms,
					 .timeout_ms = source->config->timeout_ms,
					 .answer_max = BODY_MAX,
					 .done = read_answer,
					 .context = lookup };
	if (write_url(source->config->url, question->number, url) &&
	    fetch_start(source->fetch, &request))
		return;
	free(lookup);
	fail(source, question->id, "the transfer cannot be begun");
}

static void look_up(struct cnam_source *source, const struct cnam_source_question *question)
{
	struct cnam_source_answer good = { .id = question->id, .is_good = true };
	if (!source->table)
		start_lookup(source, question);
	else if (cnam_table_find(source->table, text_of(question->number), good.name))
		answer(source, &good);
	else
		fail(source, question->id, "the file cannot be read");
}

static void *run(void *context)
{
	struct cnam_source *source = context;
	struct cnam_source_question question;
	while (!atomic_load(&source->is_stopping)) {
		ring_quiet(source->questions);
		while (ring_take(source->questions, &question))
			look_up(source, &question);
		if (source->table)
			cnam_table_refresh(source->table);
		fetch_turn(source->fetch, TURN_MS);
	}
	return NULL;
}

// The file's first line is what a header Authorization says.
static enum status read_authorization(struct cnam_source *source, const char *path)
{
	char line[HEADER_SIZE];
	FILE *file = fopen(path, "re");
	bool has_line = file && fgets(line, sizeof(line), file);
	if (file)
		fclose(file);
	if (!has_line) {
		log_event(LOG_ERROR, "cnam_authorization_unreadable", "file", path, NULL);
		return ERR_SYSTEM;
	}
	line[strcspn(line, "\r\n")] = 0;
	(void)snprintf(source->header, sizeof(source->header), "Authorization: %s", line);
	secret_wipe(line, sizeof(line));
	return OK;
}

static enum status prepare(struct cnam_source *source)
{
	const struct cnam_config *config = source->config;
	source->fetch = fetch_create(CONNECTIONS_MAX, "");
	if (!source->fetch)
		return ERR_MEMORY;
	if (config->source == CONFIG_CNAM_FILE) {
		source->table = cnam_table_create(config->file);
		return source->table ? OK : ERR_MEMORY;
	}
	return config->authorization_file[0]
		       ? read_authorization(source, config->authorization_file)
		       : OK;
}

static void destroy(struct cnam_source *source)
{
	fetch_destroy(source->fetch);
	secret_wipe(source->header, sizeof(source->header));
	cnam_table_destroy(source->table);
	free(source);
}

enum status cnam_source_start(const struct cnam_config *config, struct ring *questions,
			      struct ring *answers, struct cnam_source **out_source)
{
	struct cnam_source *source = calloc(1, sizeof(*source));
	if (!source)
		return ERR_MEMORY;
	source->config = config;
	source->questions = questions;
	source->answers = answers;
	enum status status = prepare(source);
	if (status == OK)
		status = thread_start(&source->thread, "cnam", run, source);
	if (status != OK) {
		destroy(source);
		return status;
	}
	*out_source = source;
	return OK;
}

void cnam_source_wake(struct cnam_source *source)
{
	fetch_wake(source->fetch);
}

void cnam_source_stop(struct cnam_source *source)
{
	if (!source)
		return;
	atomic_store(&source->is_stopping, true);
	cnam_source_wake(source);
	pthread_join(source->thread, NULL);
	destroy(source);
}
