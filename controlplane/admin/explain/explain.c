// The command explain: an INVITE of words, of a file, or one that came. Runs on the control thread.

#include "admin/explain/explain.h"

#include <stdlib.h>
#include <string.h>

#include "admin/explain/base64.h"
#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "base/secret.h"
#include "call/explain/invite.h"
#include "call/limit/limits.h"
#include "call/replay/replay.h"
#include "store/limits/limits.h"
#include "store/store.h"

#define SEVERAL_TOLD 8 // calls of one Call-ID

struct job {
	struct admin_request *request;
	struct explanation explanation;
	struct sip_message message;
	struct sip_flow flow;
	bool takes_digest;
	size_t size;
	char octets[SIP_MESSAGE_MAX];
};

static bool refuse(struct admin_request *request, enum status status, const char *field,
		   const char *message, const char *hint)
{
	admin_request_refuse(request, &(struct admin_refusal){ .status = status,
							       .field = field,
							       .message = message,
							       .hint = hint });
	return false;
}

// A Call-ID may be that of several: who chose it chose it twice, or tried again.
static bool refuse_several(struct admin_request *request, const struct replay_entry *const *entries,
			   unsigned count)
{
	char room[SEVERAL_TOLD * (RANDOM_SID_SIZE + 2) + 64];
	struct writer hint = writer_of(room, sizeof(room));
	writer_string(&hint, "explain one by its SID:");
	for (unsigned i = 0; i < count && i < SEVERAL_TOLD; i++)
		writer_format(&hint, "%s %s", i > 0 ? "," : "", entries[i]->sid);
	writer_string(&hint, count > SEVERAL_TOLD ? ", …" : "");
	return refuse(request, ERR_CONFLICT, "CALL", "several INVITEs have this Call-ID",
		      writer_string_done(&hint));
}

// By the SID of its record, or by the Call-ID of the message.
static bool take_call(struct admin_request *request, struct job *job, struct text word)
{
	const struct replay_entry *entries[SEVERAL_TOLD];
	const struct replay_entry *entry = replay_find(request->context->calls, word);
	unsigned count = entry == NULL ? replay_find_call_id(request->context->calls, word, entries,
							     SEVERAL_TOLD)
				       : 0;
	if (count > 1)
		return refuse_several(request, entries, count);
	if (count == 1)
		entry = entries[0];
	if (entry == NULL)
		return refuse(request, ERR_NOT_FOUND, "CALL",
			      "no INVITE of this SID or Call-ID is kept, or not any more",
			      "admin.replay_messages says how many are");
	memcpy(job->octets, entry->octets, entry->size);
	job->size = entry->size;
	job->flow = entry->flow;
	job->takes_digest = entry->has_digest;
	return true;
}

struct field {
	const char *name;
	struct text *place;
};

static bool take_word(struct admin_request *request, const struct field *fields, struct text word)
{
	struct text name = text_split(&word, '=');
	for (const struct field *field = fields; field->name != NULL; field++) {
		if (!text_is_equal(name, text_of(field->name)))
			continue;
		*field->place = word;
		return true;
	}
	char shown[32];
	text_copy_cut(name, shown, sizeof(shown));
	return refuse(request, ERR_MALFORMED, shown,
		      "not of the form field=value, or there is no such field",
		      "from, to, source, transport, trunk, carrier, host, sdp, digest, file, or a "
		      "call's SID or Call-ID alone");
}

static bool take_message(struct admin_request *request, struct job *job, struct text message)
{
	if (admin_base64_read(message, job->octets, sizeof(job->octets), &job->size))
		return true;
	return refuse(request, ERR_MALFORMED, "message", "no base64, or longer than 64 KiB",
		      "trunkctl explain file=FILE sends one");
}

// Octets and flow, of a message or of words.
static bool take_invite(struct admin_request *request, struct job *job,
			const struct explain_words *words, struct text message)
{
	const struct calls *calls = request->context->calls;
	struct explain_problem problem;
	struct writer octets = writer_of(job->octets, EXPLAIN_INVITE_SIZE);
	bool is_good;
	if (message.size > 0) {
		if (!take_message(request, job, message))
			return false;
		is_good = explain_invite_flow(calls, words, &job->flow, &problem);
	} else {
		is_good = explain_invite_write(calls, words, &octets, &job->flow, &problem);
		job->size = octets.used;
	}
	return is_good || refuse(request, ERR_MALFORMED, problem.field, problem.text, NULL);
}

static bool take_words(struct admin_request *request, struct job *job)
{
	struct explain_words words = { 0 };
	struct text message = TEXT_NONE, digest = TEXT_NONE;
	const struct field fields[] = {
		{ "from", &words.from },
		{ "to", &words.to },
		{ "source", &words.source },
		{ "transport", &words.transport },
		{ "trunk", &words.trunk },
		{ "host", &words.host },
		{ "carrier", &words.carrier },
		{ "sdp", &words.sdp },
		{ "message", &message },
		{ "digest", &digest },
		{ NULL, NULL },
	};
	for (unsigned i = 0; i < request->argument_count; i++)
		if (!take_word(request, fields, request->arguments[i]))
			return false;
	if (digest.size > 0 && !text_is_equal(digest, TEXT("right")))
		return refuse(request, ERR_MALFORMED, "digest", "allowed: right", NULL);
	job->takes_digest = digest.size > 0;
	return take_invite(request, job, &words, message);
}

static bool is_call(const struct admin_request *request)
{
	return request->argument_count == 1 && !text_find(request->arguments[0], '=');
}

static void destroy(struct job *job)
{
	secret_wipe(job->octets, sizeof(job->octets));
	free(job);
}

static void ask(struct job *job, const struct limit_usage *shared)
{
	struct explain_question question = { .invite = &job->message,
					     .takes_digest = job->takes_digest,
					     .shared = shared };
	explain_call(job->request->context->calls, &question, &job->explanation);
}

static void answer(struct job *job)
{
	json_t *result = json_object();
	admin_json_set(result, "explanation",
		       admin_explain_to_json(&job->explanation, &job->message));
	admin_request_answer(job->request, result);
	destroy(job);
}

// usages NULL: Redis went away, what this node knows stands.
static void on_read(void *context, const struct store_limits_usage *usages)
{
	struct job *job = context;
	struct limit_usage shared[2];
	for (unsigned i = 0; usages != NULL && i < 2; i++)
		shared[i] = (struct limit_usage){ usages[i].calls, usages[i].rate };
	if (usages != NULL)
		ask(job, shared);
	answer(job);
}

// What all nodes use is Redis' to say: asked when it is known whose limits they are.
static void explain(struct admin_request *request, struct job *job)
{
	struct explain_problem problem;
	const struct store *store = request->context->store;
	struct store_limits *limits = store != NULL ? store_limits(store) : NULL;
	job->request = request;
	if (!explain_invite_read(job->octets, job->size, &job->message, &problem)) {
		(void)refuse(request, ERR_MALFORMED, problem.field, problem.text, NULL);
		destroy(job);
		return;
	}
	job->message.flow = job->flow;
	ask(job, NULL);
	const char *sids[] = { job->explanation.trunk_sid, job->explanation.account_sid };
	if (limits == NULL || sids[0][0] == '\0' ||
	    !store_limits_read(limits, sids, 2, on_read, job))
		answer(job);
}

// What other nodes use of the limits is not asked: it changes before the call comes.
json_t *admin_explain_words(struct admin_request *request, const struct explain_words *words,
			    bool takes_digest, struct explain_problem *out_problem)
{
	const struct calls *calls = request->context->calls;
	struct job *job = calls ? calloc(1, sizeof(*job)) : NULL;
	json_t *json = NULL;
	*out_problem = (struct explain_problem){ .text = "no calls are served" };
	if (job == NULL)
		return NULL;
	struct writer octets = writer_of(job->octets, EXPLAIN_INVITE_SIZE);
	job->request = request;
	job->takes_digest = takes_digest;
	if (explain_invite_write(calls, words, &octets, &job->flow, out_problem) &&
	    explain_invite_read(job->octets, octets.used, &job->message, out_problem)) {
		job->message.flow = job->flow;
		ask(job, NULL);
		json = admin_explain_to_json(&job->explanation, &job->message);
	}
	destroy(job);
	return json;
}

void admin_explain_show(struct admin_request *request)
{
	struct job *job = request->context->calls ? calloc(1, sizeof(*job)) : NULL;
	if (job == NULL) {
		(void)refuse(request, ERR_UNAVAILABLE, NULL, "no calls are served", NULL);
		return;
	}
	if (is_call(request) ? take_call(request, job, request->arguments[0])
			     : take_words(request, job))
		explain(request, job);
	else
		destroy(job);
}
