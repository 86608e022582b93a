// Transfers of libcurl, or a table from a file, on a thread of their own. What comes back is a stranger's:
// bounded while it arrives, cleaned before it goes on. Must never follow a redirect.

#include "cnam/source.h"

#include <curl/curl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "cnam/table.h"
#include "config/cnam.h"

#define BODY_MAX 4096
#define URL_SIZE 512
#define HEADER_SIZE 512
#define CONNECTIONS_MAX 32L
#define TURN_MS 1000

struct transfer {
	struct transfer *next, **previous;
	struct cnam_source *source;
	CURL *easy;
	uint64_t id;
	size_t used;
	bool is_too_long;
	char body[BODY_MAX];
};

struct cnam_source {
	const struct cnam_config *config;
	struct ring *questions, *answers;
	pthread_t thread;
	atomic_bool is_stopping; // control writes
	CURLM *multi;
	struct curl_slist *headers;
	struct transfer *transfers;
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

static size_t on_body(char *octets, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t octet_count = size * count;
	transfer->is_too_long |= octet_count > sizeof(transfer->body) - transfer->used;
	if (transfer->is_too_long)
		return 0; // ends the transfer
	memcpy(transfer->body + transfer->used, octets, octet_count);
	transfer->used += octet_count;
	return octet_count;
}

// {"name": "…"}, or the first line of plain text; false: an object without that.
static bool read_body(const struct transfer *transfer, char name[static CNAM_NAME_SIZE])
{
	struct text body = text_trim((struct text){ transfer->body, transfer->used });
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

static void read_answer(struct transfer *transfer, CURLcode code)
{
	struct cnam_source_answer good = { .id = transfer->id, .is_good = true };
	long status = 0;
	char problem[64];
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (transfer->is_too_long) {
		fail(transfer->source, transfer->id, "the answer is too long");
	} else if (code != CURLE_OK) {
		fail(transfer->source, transfer->id, curl_easy_strerror(code));
	} else if (status == 404 || status == 204) { // there is none: that is an answer
		answer(transfer->source, &good);
	} else if (status != 200) {
		(void)snprintf(problem, sizeof(problem), "HTTP status %ld", status);
		fail(transfer->source, transfer->id, problem);
	} else if (read_body(transfer, good.name)) {
		answer(transfer->source, &good);
	} else {
		fail(transfer->source, transfer->id, "the JSON has no text \"name\"");
	}
}

static void destroy_transfer(struct transfer *transfer)
{
	*transfer->previous = transfer->next;
	if (transfer->next)
		transfer->next->previous = transfer->previous;
	if (transfer->easy)
		(void)curl_multi_remove_handle(transfer->source->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	free(transfer);
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

static bool set_options(struct transfer *transfer, const char *url)
{
	CURL *easy = transfer->easy;
	const struct cnam_config *config = transfer->source->config;
	return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, "trunkd") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->source->headers) == CURLE_OK;
}

static void start_transfer(struct cnam_source *source, const struct cnam_source_question *question)
{
	char url[URL_SIZE];
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	if (!transfer) {
		fail(source, question->id, "out of memory");
		return;
	}
	transfer->source = source;
	transfer->id = question->id;
	transfer->next = source->transfers;
	transfer->previous = &source->transfers;
	if (transfer->next)
		transfer->next->previous = &transfer->next;
	source->transfers = transfer;
	transfer->easy = curl_easy_init();
	bool is_begun = transfer->easy && write_url(source->config->url, question->number, url) &&
			set_options(transfer, url) &&
			curl_multi_add_handle(source->multi, transfer->easy) == CURLM_OK;
	if (is_begun)
		return;
	fail(source, question->id, "the transfer cannot be begun");
	destroy_transfer(transfer);
}

static void look_up(struct cnam_source *source, const struct cnam_source_question *question)
{
	struct cnam_source_answer good = { .id = question->id, .is_good = true };
	if (!source->table)
		start_transfer(source, question);
	else if (cnam_table_find(source->table, text_of(question->number), good.name))
		answer(source, &good);
	else
		fail(source, question->id, "the file cannot be read");
}

static void finish_transfers(struct cnam_source *source)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(source->multi, &left))) {
		struct transfer *transfer = NULL;
		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode code = message->data.result;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		read_answer(transfer, code);
		destroy_transfer(transfer);
	}
}

static void *run(void *context)
{
	struct cnam_source *source = context;
	struct cnam_source_question question;
	int running = 0;
	while (!atomic_load(&source->is_stopping)) {
		ring_quiet(source->questions);
		while (ring_take(source->questions, &question))
			look_up(source, &question);
		(void)curl_multi_perform(source->multi, &running);
		finish_transfers(source);
		if (source->table)
			cnam_table_refresh(source->table);
		(void)curl_multi_poll(source->multi, NULL, 0, TURN_MS, NULL);
	}
	return NULL;
}

// The file's first line is what a header Authorization says.
static enum status read_authorization(struct cnam_source *source, const char *path)
{
	char line[HEADER_SIZE], header[HEADER_SIZE + 32];
	FILE *file = fopen(path, "re");
	bool has_line = file && fgets(line, sizeof(line), file);
	if (file)
		fclose(file);
	if (!has_line) {
		log_event(LOG_ERROR, "cnam_authorization_unreadable", "file", path, NULL);
		return ERR_SYSTEM;
	}
	line[strcspn(line, "\r\n")] = 0;
	(void)snprintf(header, sizeof(header), "Authorization: %s", line);
	source->headers = curl_slist_append(NULL, header);
	secret_wipe(line, sizeof(line));
	secret_wipe(header, sizeof(header));
	return source->headers ? OK : ERR_MEMORY;
}

static enum status prepare(struct cnam_source *source)
{
	const struct cnam_config *config = source->config;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return ERR_SYSTEM;
	source->multi = curl_multi_init();
	if (!source->multi)
		return ERR_MEMORY;
	(void)curl_multi_setopt(source->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_MAX);
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
	while (source->transfers)
		destroy_transfer(source->transfers);
	curl_slist_free_all(source->headers);
	if (source->multi)
		(void)curl_multi_cleanup(source->multi);
	cnam_table_destroy(source->table);
	free(source);
}

enum status cnam_source_start(const struct cnam_config *config, struct ring *questions,
			      struct ring *answers, struct cnam_source **out_source)
{
	sigset_t all, before;
	struct cnam_source *source = calloc(1, sizeof(*source));
	if (!source)
		return ERR_MEMORY;
	source->config = config;
	source->questions = questions;
	source->answers = answers;
	enum status status = prepare(source);
	if (status == OK) {
		sigfillset(&all); // signals are the control thread's
		pthread_sigmask(SIG_SETMASK, &all, &before);
		status = pthread_create(&source->thread, NULL, run, source) == 0 ? OK : ERR_SYSTEM;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (status != OK) {
		destroy(source);
		return status;
	}
	*out_source = source;
	return OK;
}

void cnam_source_wake(struct cnam_source *source)
{
	(void)curl_multi_wakeup(source->multi);
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
