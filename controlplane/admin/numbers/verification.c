// Verifies caller IDs by a code (NUM-018). Runs on the control thread; the store keeps each step before
// anybody hears of it, so no restart and no other node forgets a try. The code itself is in memory until
// it is handed over, and in no answer and no log.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/change.h"
#include "admin/handler.h"
#include "admin/json.h"
#include "admin/objects.h"
#include "admin/request.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"
#include "config/config.h"
#include "directory/object.h"
#include "directory/verification/verification.h"
#include "notify/notify.h"
#include "sip/digest/digest.h"
#include "store/store.h"

#define CODE_SIZE 7 // six digits and a zero
#define DIGEST_SIZE (2 * SIP_HA1_SHA256_SIZE + 1)

struct verification { // between the store and the one who tells the code
	struct admin_request *request;
	struct notify *notify;
	const struct notify_config *config;
	uint64_t wall_ms;
	char code[CODE_SIZE];
	char sid[DIRECTORY_SID_SIZE], account_sid[DIRECTORY_SID_SIZE], e164[17], name[65];
	bool is_right; // of a confirmation
	unsigned tries_left;
};

static void release(struct verification *verification)
{
	secret_wipe(verification, sizeof(*verification));
	free(verification);
}

static uint64_t now_s(const struct admin_request *request)
{
	return request->context->clock->wall_ms / 1000;
}

// Of the code, for this object alone.
static void digest_of(const char *sid, struct text e164, struct text code,
		      char room[static DIGEST_SIZE])
{
	struct sip_digest_secret secret;
	struct writer writer = writer_of(room, DIGEST_SIZE);
	sip_digest_derive(e164, text_of(sid), code, &secret);
	for (unsigned i = 0; i < sizeof(secret.sha256); i++)
		writer_format(&writer, "%02x", secret.sha256[i]);
	(void)writer_string_done(&writer);
	secret_wipe(&secret, sizeof(secret));
}

static void refuse(struct admin_request *request, enum status status, const char *field,
		   const char *message, const char *hint)
{
	struct admin_refusal refusal = { status, field, message, hint };
	admin_request_refuse(request, &refusal);
}

// The account of the second argument; NULL: refused already.
static const struct directory_object *find_account(struct admin_request *request)
{
	const struct directory_object *account = directory_find(
		request->context->directory, DIRECTORY_ACCOUNT, request->arguments[1]);
	request->kind = DIRECTORY_CALLER_ID;
	if (!account)
		refuse(request, ERR_NOT_FOUND, "account", "there is no such account",
		       "show accounts lists them");
	return account;
}

static void told(void *context, const struct notify_end *end)
{
	struct verification *verification = context;
	struct admin_request *request = verification->request;
	json_t *result = json_object(), *delivery = json_object();
	admin_json_set(delivery, "way", json_string(notify_way_label(end->way)));
	admin_json_set(delivery, "outcome", json_string(notify_outcome_label(end->outcome)));
	admin_json_set(delivery, "status",
		       end->status > 0 ? admin_json_number(end->status) : json_null());
	admin_json_set(delivery, "problem", admin_json_string(end->problem));
	admin_json_set(result, "sid", admin_json_string(verification->sid));
	admin_json_set(result, "state", json_string("pending"));
	admin_json_set(result, "valid_seconds", json_integer(DIRECTORY_VERIFICATION_VALID_S));
	admin_json_set(result, "tries", json_integer(DIRECTORY_VERIFICATION_TRIES));
	admin_json_set(result, "delivery", delivery);
	release(verification);
	admin_request_answer(request, result);
}

static bool write_webhook(const struct verification *verification, struct notify_content *content)
{
	const struct notify_pair pairs[] = {
		{ "AccountSid", text_of(verification->account_sid) },
		{ "OutgoingCallerIdSid", text_of(verification->sid) },
		{ "To", text_of(verification->e164) },
		{ "FriendlyName", text_of(verification->name) },
		{ "ValidationCode", text_of(verification->code) },
		{ "ValiditySeconds", TEXT("600") },
	};
	text_copy_cut(text_of(verification->sid), content->idempotency,
		      sizeof(content->idempotency));
	return notify_content_form(content, verification->config->verifications, "", pairs,
				   sizeof(pairs) / sizeof(pairs[0]));
}

static bool write_mail(const struct verification *verification, const char *recipient,
		       struct notify_content *content)
{
	char text[512], subject[64];
	(void)snprintf(subject, sizeof(subject), "trunkd: call %s and say a code",
		       verification->e164);
	(void)snprintf(
		text, sizeof(text),
		"Account %s wants to show %s as its caller ID.\n\nCall that number, and tell "
		"whoever answers and agrees this code:\n\n    %s\n\nIt is valid for 10 "
		"minutes, for 5 tries.\n",
		verification->account_sid, verification->e164, verification->code);
	struct notify_letter letter = { .sender = verification->config->mail_sender,
					.recipient = recipient,
					.subject = subject,
					.text = text_of(text),
					.sid = verification->sid,
					.wall_ms = verification->wall_ms };
	bool is_written = notify_content_mail(content, &letter);
	secret_wipe(text, sizeof(text));
	return is_written;
}

// The one place where a code leaves. A call of our own that says it would be placed here.
static void deliver(struct verification *verification)
{
	struct notify_content content;
	const char *target = verification->config->verifications;
	bool is_mail = strncmp(target, "mailto:", strlen("mailto:")) == 0;
	target += is_mail ? strlen("mailto:") : 0;
	struct notify_order order = { .way = is_mail ? NOTIFY_MAIL : NOTIFY_WEBHOOK,
				      .account_sid = "",
				      .target = target,
				      .is_trusted = true,
				      .is_once = true,
				      .content = &content,
				      .done = told,
				      .context = verification };
	bool is_written = is_mail ? write_mail(verification, target, &content)
				  : write_webhook(verification, &content);
	if (is_written)
		notify_send(verification->notify, &order);
	else
		told(verification, &(struct notify_end){ .way = order.way,
							 .outcome = NOTIFY_DROPPED,
							 .problem = "out of memory" });
	secret_wipe(&content, sizeof(content));
}

static void begun(void *context, enum status status, const struct directory_problem *problem,
		  const char *sid)
{
	static const struct directory_problem none = { "", "" };
	struct verification *verification = context;
	struct admin_request *request = verification->request;
	if (status != OK) {
		release(verification);
		admin_change_refuse(request, status, problem ? problem : &none);
		return;
	}
	log_event(LOG_INFO, "caller_id_code", "caller_id", sid, "number", verification->e164,
		  "account", verification->account_sid, NULL);
	deliver(verification);
}

static struct verification *create(struct admin_request *request,
				   const struct directory_object *object)
{
	struct verification *verification = calloc(1, sizeof(*verification));
	if (!verification)
		return NULL;
	verification->request = request;
	verification->notify = request->context->notify;
	verification->config = &request->context->config->notify;
	verification->wall_ms = request->context->clock->wall_ms;
	text_copy_cut(text_of(object->sid), verification->sid, sizeof(verification->sid));
	text_copy_cut(directory_object_get(object, "account"), verification->account_sid,
		      sizeof(verification->account_sid));
	text_copy_cut(directory_object_get(object, "e164"), verification->e164,
		      sizeof(verification->e164));
	text_copy_cut(directory_object_get(object, "name"), verification->name,
		      sizeof(verification->name));
	return verification;
}

// The row there is, or a new one; NULL: no memory.
static struct directory_object *prepare(const struct admin_request *request,
					const struct directory_object *account,
					enum status *out_status, struct directory_problem *problem)
{
	const struct directory *directory = request->context->directory;
	const struct directory_object *found = directory_verification_find(
		directory, text_of(account->sid), request->arguments[0]);
	struct directory_object *object =
		found ? directory_object_copy(found) : directory_object_create(DIRECTORY_CALLER_ID);
	*out_status = object ? OK : ERR_MEMORY;
	if (object && !found)
		*out_status = directory_set(directory, object, TEXT("account"),
					    text_of(account->sid), problem);
	if (object && !found && *out_status == OK)
		*out_status = directory_set(directory, object, TEXT("e164"), request->arguments[0],
					    problem);
	if (*out_status == OK && request->argument_count > 2)
		*out_status = directory_set(directory, object, TEXT("name"), request->arguments[2],
					    problem);
	return object;
}

static enum status begin(const struct admin_request *request, struct directory_object *object,
			 struct verification *verification, struct directory_problem *problem)
{
	char digest[DIGEST_SIZE];
	(void)snprintf(verification->code, sizeof(verification->code), "%06u",
		       random_below(1000000));
	digest_of(object->sid, text_of(verification->e164), text_of(verification->code), digest);
	enum status status = directory_verification_may(
		request->context->directory, text_of(verification->e164), now_s(request), problem);
	return status == OK ? directory_verification_begin(object, text_of(digest), now_s(request),
							   problem)
			    : status;
}

// A row that is removed and made again tells nothing of the codes before it: who would try them all, or
// trouble the owner, is counted beside it.
static void store_code(struct admin_request *request, struct directory_object *object,
		       struct verification *verification)
{
	struct store_tally tallies[] = {
		{ .most = 1,
		  .seconds = DIRECTORY_VERIFICATION_PAUSE_S,
		  .field = "e164",
		  .text = "was sent a code a moment ago" },
		{ .most = DIRECTORY_VERIFICATION_CODES,
		  .seconds = DIRECTORY_VERIFICATION_DAY_S,
		  .field = "e164",
		  .text = "was sent as many codes for this account as there may be in a day" },
	};
	(void)snprintf(tallies[0].key, sizeof(tallies[0].key), "code:%s", verification->e164);
	(void)snprintf(tallies[1].key, sizeof(tallies[1].key), "codes:%s:%s",
		       verification->account_sid, verification->e164);
	store_write_counted(request->context->store, object, tallies,
			    sizeof(tallies) / sizeof(tallies[0]), begun, verification);
}

void admin_verification_begin(struct admin_request *request)
{
	struct directory_problem problem = { "", "" };
	enum status status;
	if (!request->context->notify || !request->context->config->notify.verifications[0]) {
		refuse(request, ERR_UNSUPPORTED, NULL, "nobody is told codes",
		       "set notify.verifications, and restart; or vouch for the number: add "
		       "caller_id … verified_by=operator");
		return;
	}
	const struct directory_object *account = find_account(request);
	if (!account)
		return;
	struct directory_object *object = prepare(request, account, &status, &problem);
	struct verification *verification = status == OK ? create(request, object) : NULL;
	if (status == OK)
		status = verification ? begin(request, object, verification, &problem) : ERR_MEMORY;
	if (status != OK) {
		directory_object_destroy(object);
		if (verification)
			release(verification);
		admin_change_refuse(request, status, &problem);
		return;
	}
	store_code(request, object, verification);
}

static void confirmed(void *context, enum status status, const struct directory_problem *problem,
		      const char *sid)
{
	struct verification *verification = context;
	struct admin_request *request = verification->request;
	bool is_wrong = status == OK && !verification->is_right;
	char hint[64];
	(void)snprintf(hint, sizeof(hint), "%u tries are left", verification->tries_left);
	if (status == OK)
		log_event(is_wrong ? LOG_WARNING : LOG_INFO,
			  is_wrong ? "caller_id_code_wrong" : "caller_id_verified", "caller_id",
			  verification->sid, "number", verification->e164, "account",
			  verification->account_sid, "by", "code", NULL);
	release(verification);
	if (is_wrong)
		refuse(request, ERR_FORBIDDEN, "code", "is not the one that was sent", hint);
	else
		admin_change_done(request, status, problem, sid);
}

void admin_verification_confirm(struct admin_request *request)
{
	char digest[DIGEST_SIZE];
	struct directory_problem problem = { "", "" };
	struct text e164 = request->arguments[0];
	const struct directory_object *account = find_account(request);
	if (!account)
		return;
	const struct directory_object *found = directory_verification_find(
		request->context->directory, text_of(account->sid), e164);
	if (!found) {
		refuse(request, ERR_NOT_FOUND, "e164", "no code was sent to this number",
		       "verify caller_id NUMBER ACCOUNT sends one");
		return;
	}
	struct directory_object *object = directory_object_copy(found);
	struct verification *verification = object ? create(request, object) : NULL;
	digest_of(found->sid, e164, request->arguments[2], digest);
	enum status status =
		verification ? directory_verification_try(object, text_of(digest), now_s(request),
							  &verification->is_right, &problem)
			     : ERR_MEMORY;
	if (status != OK) {
		directory_object_destroy(object);
		if (verification)
			release(verification);
		admin_change_refuse(request, status, &problem);
		return;
	}
	verification->tries_left = directory_verification_tries_left(object);
	store_change(request->context->store, object, confirmed, verification);
}
