// Webhooks and mails go out here. Runs on a thread of its own.

#include "notify/sender.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/thread/thread.h"
#include "config/notify.h"
#include "fetch/target.h"

#define TURN_MS 1000
#define CONNECTIONS_MAX 16 // to one host
#define ANSWER_MAX 1024 // read of an answer, which nobody wants

struct notify_sender {
	const struct notify_config *config;
	struct ring *jobs, *results;
	struct fetch *fetch;
	pthread_t thread;
	atomic_bool is_stopping; // control writes
	char password[SECRET_SIZE];
};

struct sending {
	struct notify_sender *sender;
	const struct notify_job *job;
};

static void answer(struct notify_sender *sender, const struct notify_job *job,
		   const struct fetch_answer *answer)
{
	struct notify_result result = { .job = job,
					.outcome = answer->outcome,
					.cause = answer->cause,
					.status = answer->status };
	text_copy_cut(text_of(answer->problem), result.problem, sizeof(result.problem));
	(void)ring_put(sender->results, &result); // has room for every job
}

static void on_sent(void *context, const struct fetch_answer *found)
{
	struct sending *sending = context;
	answer(sending->sender, sending->job, found);
	free(sending);
}

// The URL is a customer's: it must not lead into the operator's networks (api.md, hostile hosts).
static bool allows(const void *context, const struct address *address)
{
	const struct notify_config *config = context;
	return fetch_target_is_public(address) ||
	       fetch_target_is_in(address, config->allowed_targets.items,
				  config->allowed_targets.count);
}

static bool start_webhook(struct sending *sending, struct fetch_request *request)
{
	const struct notify_job *job = sending->job;
	char signature[64], token[80];
	const char *headers[] = { "Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
				  "Accept: */*", token, NULL, NULL };
	(void)snprintf(token, sizeof(token), "I-Twilio-Idempotency-Token: %s", job->idempotency);
	(void)snprintf(signature, sizeof(signature), "X-Twilio-Signature: %s", job->signature);
	if (job->signature[0])
		headers[3] = signature;
	request->url = job->target;
	request->headers = headers;
	request->allows = job->is_trusted ? NULL : allows;
	request->allows_context = sending->sender->config;
	return fetch_start(sending->sender->fetch, request);
}

static bool start_mail(struct sending *sending, struct fetch_request *request)
{
	const struct notify_config *config = sending->sender->config;
	request->url = config->mail_server;
	request->sender = config->mail_sender;
	request->recipient = sending->job->target;
	request->needs_tls = config->mail_tls == CONFIG_NOTIFY_TLS_REQUIRED;
	if (config->mail_user[0]) {
		request->user = config->mail_user;
		request->password = sending->sender->password;
	}
	return fetch_start(sending->sender->fetch, request);
}

static void send(struct notify_sender *sender, const struct notify_job *job)
{
	static const struct fetch_answer refused = { .outcome = FETCH_FAILED,
						     .problem = "it cannot be begun" };
	struct sending *sending = calloc(1, sizeof(*sending));
	if (!sending) {
		answer(sender, job, &refused);
		return;
	}
	*sending = (struct sending){ sender, job };
	struct fetch_request request = { .body = job->body,
					 .connect_ms = sender->config->connect_timeout_ms,
					 .timeout_ms = sender->config->timeout_ms,
					 .answer_max = ANSWER_MAX,
					 .done = on_sent,
					 .context = sending };
	bool is_begun = job->way == NOTIFY_WEBHOOK ? start_webhook(sending, &request)
						   : start_mail(sending, &request);
	if (is_begun)
		return;
	free(sending);
	answer(sender, job, &refused);
}

static void *run(void *context)
{
	struct notify_sender *sender = context;
	const struct notify_job *job;
	while (!atomic_load(&sender->is_stopping)) {
		ring_quiet(sender->jobs);
		while (ring_take(sender->jobs, &job))
			send(sender, job);
		fetch_turn(sender->fetch, TURN_MS);
	}
	return NULL;
}

static enum status read_password(struct notify_sender *sender, const char *path)
{
	FILE *file = fopen(path, "re");
	bool has_line = file && fgets(sender->password, sizeof(sender->password), file);
	if (file)
		fclose(file);
	sender->password[strcspn(sender->password, "\r\n")] = 0;
	if (has_line)
		return OK;
	log_event(LOG_ERROR, "mail_password_unreadable", "file", path, NULL);
	return ERR_SYSTEM;
}

static void destroy(struct notify_sender *sender)
{
	fetch_destroy(sender->fetch);
	secret_wipe(sender->password, sizeof(sender->password));
	free(sender);
}

enum status notify_sender_start(const struct notify_config *config, struct ring *jobs,
				struct ring *results, struct notify_sender **out_sender)
{
	struct notify_sender *sender = calloc(1, sizeof(*sender));
	if (!sender)
		return ERR_MEMORY;
	sender->config = config;
	sender->jobs = jobs;
	sender->results = results;
	sender->fetch = fetch_create(CONNECTIONS_MAX, config->ca_file);
	enum status status = sender->fetch ? OK : ERR_MEMORY;
	if (status == OK && config->mail_password_file[0])
		status = read_password(sender, config->mail_password_file);
	if (status == OK)
		status = thread_start(&sender->thread, "notify", run, sender);
	if (status != OK) {
		destroy(sender);
		return status;
	}
	*out_sender = sender;
	return OK;
}

void notify_sender_wake(struct notify_sender *sender)
{
	fetch_wake(sender->fetch);
}

void notify_sender_stop(struct notify_sender *sender)
{
	if (!sender)
		return;
	atomic_store(&sender->is_stopping, true);
	fetch_wake(sender->fetch);
	pthread_join(sender->thread, NULL);
	destroy(sender);
}
