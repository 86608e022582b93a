// The command replay: what would have become of the last INVITEs. Runs on the control thread; the work
// is done in slices by call/replay.

#include <stdlib.h>
#include <string.h>

#include "admin/explain/explain.h"
#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "call/replay/replay.h"
#include "config/config.h"

#define LISTED_MAX 200 // changed calls that are told; all are counted

struct job {
	struct admin_request *request;
	json_t *calls;
};

static void refuse(struct admin_request *request, enum status status, const char *field,
		   const char *message)
{
	admin_request_refuse(request,
			     &(struct admin_refusal){ .status = status,
						      .field = field,
						      .message = message,
						      .hint = "replay [config=FILE] [change "
							      "… [then remove …]]" });
}

static void end(struct job *job)
{
	json_decref(job->calls);
	free(job);
}

// The words up to the next "then".
static unsigned change_size(const struct text *words, unsigned count)
{
	unsigned size = 0;
	while (size < count && !text_is_equal(words[size], TEXT("then")))
		size++;
	return size;
}

static bool is_config(struct text word)
{
	return text_has_prefix(word, TEXT("config="));
}

static bool prepare(void *context, struct directory *copy)
{
	struct job *job = context;
	struct admin_request *request = job->request;
	struct directory_problem problem = { "", "" };
	enum status status = OK;
	if (admin_request_is_detached(request)) { // nobody waits for it any more
		refuse(request, ERR_TIMEOUT, NULL, NULL);
		end(job);
		return false;
	}
	const struct text *words = request->arguments;
	unsigned left = request->argument_count;
	if (left > 0 && is_config(words[0]))
		words++, left--;
	while (status == OK && left > 0) {
		unsigned size = change_size(words, left);
		status = admin_explain_try(request->context, copy, words, size, &problem);
		size += size < left; // "then"
		words += size;
		left -= size;
	}
	if (status == OK)
		return true;
	refuse(request, status, problem.field, problem.text[0] ? problem.text : NULL);
	end(job);
	return false;
}

static const char *why(const struct explanation *explanation)
{
	if (explanation->fate == EXPLAIN_PASSED && explanation->is_challenged)
		return "it would be asked for a password, which it did not send";
	if (explanation->fate == EXPLAIN_PASSED)
		return "nothing refuses it any more";
	return explanation->steps[explanation->step_count - 1].text;
}

static void changed(void *context, const struct replay_change *change)
{
	struct job *job = context;
	const struct explanation *explanation = change->explanation;
	const struct refusal *refusal = &explanation->refusal;
	if (json_array_size(job->calls) >= LISTED_MAX)
		return;
	json_t *object = json_object();
	admin_json_set(object, "call", json_string(change->entry->sid));
	admin_json_set(object, "at", admin_json_time(change->entry->wall_ms));
	admin_json_set(object, "source", admin_json_address(&change->entry->flow.remote));
	admin_json_set(object, "trunk", admin_json_string(explanation->trunk));
	admin_json_set(object, "was", json_string(change->was));
	admin_json_set(object, "would_be", json_string(change->would));
	admin_json_set(object, "header", admin_json_string(refusal->header));
	admin_json_set(object, "seen", admin_json_string(refusal->seen));
	admin_json_set(object, "why", json_string(why(explanation)));
	(void)json_array_append_new(job->calls, object);
}

static void finished(void *context, const struct replay_sums *sums)
{
	struct job *job = context;
	if (!sums->is_complete) {
		refuse(job->request, ERR_BUSY, NULL, "the directory did not stand still");
		end(job);
		return;
	}
	json_t *result = json_object();
	admin_json_set(result, "asked", admin_json_number(sums->asked));
	admin_json_set(result, "changed", admin_json_number(sums->changed));
	admin_json_set(result, "passed_over", admin_json_number(sums->passed_over));
	admin_json_set(result, "crowded_out", admin_json_number(sums->crowded));
	admin_json_set(result, "changed_calls", json_incref(job->calls));
	admin_request_answer(job->request, result);
	end(job);
}

// False: refused.
static bool load(struct admin_request *request, struct text path, struct config **out_config)
{
	char name[CONFIG_TEXT_SIZE];
	struct config_problems *problems = calloc(1, sizeof(*problems));
	enum status status = problems ? OK : ERR_MEMORY;
	if (status == OK && !text_copy(path, name, sizeof(name)))
		status = ERR_TOO_LARGE;
	if (status == OK)
		status = config_load(name, out_config, problems);
	if (status != OK)
		refuse(request, status, "config",
		       problems && problems->count > 0 ? problems->messages[0] : NULL);
	free(problems);
	return status == OK;
}

void admin_replay_run(struct admin_request *request)
{
	struct config *config = NULL;
	struct text first = request->argument_count > 0 ? request->arguments[0] : TEXT_NONE;
	struct job *job = calloc(1, sizeof(*job));
	const struct replay_user user = { job, prepare, changed, finished };
	if (job == NULL || request->context->calls == NULL) {
		free(job);
		refuse(request, ERR_UNAVAILABLE, NULL, "no calls are served");
		return;
	}
	if (is_config(first) && !load(request, text_cut(first, strlen("config=")), &config)) {
		free(job);
		return;
	}
	job->request = request;
	job->calls = json_array();
	enum status status = replay_start(request->context->calls, config, &user);
	if (status == OK)
		return;
	end(job);
	refuse(request, status, NULL, status == ERR_BUSY ? "another replay is under way" : NULL);
}
