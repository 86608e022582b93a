// Adding, changing and removing objects of the directory. Runs on the control thread; the store makes
// the change and calls back. Must never keep a password: only what digest needs of it is stored.

#include <ctype.h>
#include <string.h>

#include "admin/change.h"
#include "admin/handler.h"
#include "admin/json.h"
#include "admin/numbers/voice.h"
#include "admin/objects.h"
#include "admin/request.h"
#include "admin/trunk/lists.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "config/config.h"
#include "directory/number.h"
#include "directory/object.h"
#include "directory/verification/verification.h"
#include "sip/digest/digest.h"
#include "sip/tls/peer.h"
#include "store/store.h"

#define PASSWORD_MIN 12 // and upper and lower case letters and a digit
#define PASSWORD_MAX 128

void admin_change_refuse(struct admin_request *request, enum status status,
			 const struct directory_problem *problem)
{
	struct admin_refusal refusal = { status, problem->field, problem->text, NULL };
	if (!problem->text[0])
		refusal.message = NULL;
	if (status == ERR_UNAVAILABLE)
		refusal.hint = "Redis is away: calls go on, changes have to wait; see status";
	admin_request_refuse(request, &refusal);
}

static enum status problem_set(struct directory_problem *problem, enum status status,
			       const char *field, const char *text)
{
	(void)text_copy(text_of(field), problem->field, sizeof(problem->field));
	(void)text_copy(text_of(text), problem->text, sizeof(problem->text));
	return status;
}

static bool is_good_password(struct text password)
{
	bool has_upper = false, has_lower = false, has_digit = false;
	for (size_t i = 0; i < password.size; i++) {
		unsigned char character = (unsigned char)password.data[i];
		has_upper |= isupper(character) != 0;
		has_lower |= islower(character) != 0;
		has_digit |= isdigit(character) != 0;
	}
	return password.size >= PASSWORD_MIN && password.size <= PASSWORD_MAX && has_upper &&
	       has_lower && has_digit;
}

static enum status set_hex(struct directory_object *object, struct text field,
			   const uint8_t *octets, size_t size, struct directory_problem *problem)
{
	char room[2 * SIP_HA1_SHA256_SIZE + 1];
	struct writer writer = writer_of(room, sizeof(room));
	for (size_t i = 0; i < size; i++)
		writer_format(&writer, "%02x", octets[i]);
	enum status status = directory_object_set(object, field, writer_done(&writer), problem);
	secret_wipe(room, sizeof(room));
	return status;
}

// What RFC 7616 3.4.2 calls H(A1), with both algorithms; the password itself goes no further.
static enum status set_password(const struct admin_context *context,
				struct directory_object *object, struct text password,
				struct directory_problem *problem)
{
	struct sip_digest_secret secret;
	struct text user = directory_object_get(object, "user");
	const struct sip_config *sip = &context->config->sip;
	struct text realm = text_of(sip->realm[0] ? sip->realm : sip->base_domain);
	if (object->kind != DIRECTORY_CREDENTIAL)
		return problem_set(problem, ERR_NOT_FOUND, "password", "only a credential has one");
	if (user.size == 0)
		return problem_set(problem, ERR_MALFORMED, "user",
				   "missing: who has this password");
	if (!is_good_password(password))
		return problem_set(
			problem, ERR_MALFORMED, "password",
			"too simple; allowed: 12 to 128 characters, with upper and lower "
			"case letters and a digit");
	sip_digest_derive(user, realm, password, &secret);
	enum status status = directory_object_set(object, TEXT("realm"), realm, problem);
	if (status == OK)
		status = set_hex(object, TEXT("ha1_md5"), secret.md5, sizeof(secret.md5), problem);
	if (status == OK)
		status = set_hex(object, TEXT("ha1_sha256"), secret.sha256, sizeof(secret.sha256),
				 problem);
	secret_wipe(&secret, sizeof(secret));
	return status;
}

// LIMIT-003: what no call would be given is not taken for a limit.
static enum status check_cps(const struct admin_context *context,
			     const struct directory_object *object,
			     struct directory_problem *problem)
{
	const struct limits_config *limits = &context->config->limits;
	uint64_t cps = 0;
	if (!text_to_unsigned(directory_object_get(object, "cps"), UINT64_MAX, &cps) ||
	    cps <= limits->max_cps)
		return OK;
	directory_problem_set(problem, "cps",
			      "more than limits.max_cps of the configuration; allowed: 1 to %u",
			      limits->max_cps);
	return ERR_MALFORMED;
}

static enum status set_field(const struct admin_change *change, struct directory_object *object,
			     struct text word, struct directory_problem *problem)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	if (!text_find(word, '='))
		return problem_set(problem, ERR_MALFORMED, "",
				   "not of the form field=value; quote a value with spaces");
	struct text field = text_split(&word, '=');
	unsigned row = directory_field_index(schema, field);
	if (row < schema->field_count && schema->fields[row].is_hidden)
		return problem_set(problem, ERR_FORBIDDEN, schema->fields[row].name,
				   object->kind == DIRECTORY_CREDENTIAL
					   ? "derived from the password, give password="
				   : object->kind == DIRECTORY_ACCOUNT
					   ? "made by token account ACCOUNT, which shows it once"
					   : "made by verify caller_id NUMBER ACCOUNT");
	if (row < schema->field_count && schema->fields[row].is_derived)
		return problem_set(problem, ERR_FORBIDDEN, schema->fields[row].name,
				   object->kind == DIRECTORY_NUMBER
					   ? "set by buy, release and the months that pass"
					   : "set by verify and confirm");
	bool is_owner = object->kind == DIRECTORY_NUMBER && text_is_same(field, TEXT("account"));
	bool is_known = is_owner && object->version > 0; // it was there before
	if (is_known && directory_object_get(object, "account").size == 0)
		return problem_set(problem, ERR_FORBIDDEN, "account",
				   "the number is in stock: buy number NUMBER ACCOUNT");
	if (is_known && text_trim(word).size == 0)
		return problem_set(
			problem, ERR_FORBIDDEN, "account",
			"only release number NUMBER takes it from its account (NUM-012)");
	enum status status = directory_set(change->directory, object, field, word, problem);
	if (status == OK && text_is_same(field, TEXT("cps")))
		status = check_cps(change->context, object, problem);
	return status;
}

// All but the password first: it is hashed together with the user's name.
enum status admin_change_fill(const struct admin_change *change, struct directory_object *object,
			      struct directory_problem *problem)
{
	struct text password = TEXT_NONE;
	for (unsigned i = 0; i < change->count; i++) {
		struct text word = change->words[i];
		if (change->takes_lists && admin_trunk_is_of_list(word))
			continue;
		if (object->kind == DIRECTORY_NUMBER && admin_voice_is_word(word))
			continue; // when the others are taken
		if (text_has_prefix(word, TEXT("password="))) {
			password = text_cut(word, strlen("password="));
			continue;
		}
		enum status status = set_field(change, object, word, problem);
		if (status != OK)
			return status;
	}
	if (object->kind == DIRECTORY_NUMBER)
		return admin_voice_choose(change, object, problem);
	if (password.data)
		return set_password(change->context, object, password, problem);
	if (object->kind == DIRECTORY_CREDENTIAL &&
	    directory_object_get(object, "ha1_md5").size == 0)
		return problem_set(problem, ERR_MALFORMED, "password", "missing");
	return OK;
}

static enum status set_fields(const struct admin_request *request, unsigned first,
			      struct directory_object *object, struct directory_problem *problem)
{
	struct admin_change change = { request->context, request->context->directory,
				       request->arguments + first, request->argument_count - first,
				       object->kind == DIRECTORY_TRUNK };
	return admin_change_fill(&change, object, problem);
}

// The trunk comes last, so that it refers to what is there; all are taken over.
static void write_trunk(struct admin_request *request, unsigned first,
			struct directory_object *trunk)
{
	struct directory_problem problem = { "", "" };
	struct admin_trunk_group group;
	struct admin_change change = { request->context, request->context->directory,
				       request->arguments + first, request->argument_count - first,
				       true };
	enum status status = admin_trunk_make_lists(&change, trunk, &group, &problem);
	group.objects[group.count++] = trunk;
	if (status == OK) {
		store_write(request->context->store, group.objects, group.count, admin_change_done,
			    request);
		return;
	}
	while (group.count > 0)
		directory_object_destroy(group.objects[--group.count]);
	admin_change_refuse(request, status, &problem);
}

static bool has_lists(const struct admin_request *request, unsigned first)
{
	bool has = false;
	for (unsigned i = first; i < request->argument_count; i++)
		has |= admin_trunk_is_of_list(request->arguments[i]);
	return has && request->kind == DIRECTORY_TRUNK;
}

// Files are this node's own, so the directory cannot know of them: who names one here is told here.
static enum status check_files(const struct admin_request *request, unsigned first,
			       const struct directory_object *object,
			       struct directory_problem *problem)
{
	struct sip_tls_problem found;
	char certificate[SIP_TLS_NAME_SIZE], key[SIP_TLS_NAME_SIZE];
	bool is_named = false;
	for (unsigned i = first; i < request->argument_count; i++)
		is_named |= text_has_prefix(request->arguments[i], TEXT("tls_certificate=")) ||
			    text_has_prefix(request->arguments[i], TEXT("tls_key="));
	if (!is_named || object->kind != DIRECTORY_CARRIER)
		return OK;
	text_copy_cut(directory_object_get(object, "tls_certificate"), certificate,
		      sizeof(certificate));
	text_copy_cut(directory_object_get(object, "tls_key"), key, sizeof(key));
	if (sip_tls_check_own(certificate, key, &found))
		return OK;
	struct text text = text_of(found.text);
	text_copy_cut(text_split(&text, ':'), problem->field, sizeof(problem->field));
	text_copy_cut(text_trim(text), problem->text, sizeof(problem->text));
	return ERR_MALFORMED;
}

// Somebody's word for a number stays in the log, once it counts.
static void log_vouched(const struct admin_request *request, const char *sid,
			const struct directory_object *object)
{
	struct log_value user, number;
	struct text e164 = object ? directory_object_get(object, "e164") : TEXT_NONE;
	log_event(LOG_WARNING, "caller_id_vouched", "caller_id", sid, "number",
		  log_text(&number, e164), "by", "operator", "uid",
		  log_number(&user, request->peer.user), NULL);
}

void admin_change_done(void *context, enum status status, const struct directory_problem *problem,
		       const char *sid)
{
	static const struct directory_problem NONE = { "", "" };
	struct admin_request *request = context;
	if (status != OK) {
		admin_change_refuse(request, status, problem ? problem : &NONE);
		return;
	}
	json_t *result = json_object();
	admin_json_set(result, "sid", admin_json_string(sid));
	// A detached request's context may be gone, and nobody hears the answer.
	const struct directory_object *object =
		admin_request_is_detached(request)
			? NULL
			: directory_find(request->context->directory, request->kind, text_of(sid));
	if (request->vouches)
		log_vouched(request, sid, object);
	if (object) {
		json_t *warnings = admin_objects_warnings(request->context, object);
		admin_json_set(result, directory_schema(request->kind)->name,
			       admin_objects_to_json(request->context, object));
		if (json_array_size(warnings) > 0)
			admin_json_set(result, "warnings", json_incref(warnings));
		json_decref(warnings);
	}
	admin_request_answer(request, result);
}

// NUM-013: a number that comes to an account is charged from now on.
static enum status note_owner(const struct admin_request *request,
			      const struct directory_object *before,
			      struct directory_object *object, struct directory_problem *problem)
{
	struct text account = directory_object_get(object, "account");
	struct text former = before ? directory_object_get(before, "account") : TEXT_NONE;
	if (object->kind != DIRECTORY_NUMBER || account.size == 0 || text_is_equal(account, former))
		return OK;
	return directory_number_note_purchase(object, request->context->clock->wall_ms,
					      text_of(request->context->config->node.name),
					      problem);
}

// NUM-018: without a code it takes somebody's word for it, which stays in the object and in the log.
static enum status note_verification(struct admin_request *request,
				     const struct directory_object *before,
				     struct directory_object *object,
				     struct directory_problem *problem)
{
	struct text by = directory_object_get(object, "verified_by");
	struct text former = before ? directory_object_get(before, "verified_by") : TEXT_NONE;
	if (object->kind != DIRECTORY_CALLER_ID || (before && text_is_equal(by, former)))
		return OK;
	if (!text_is_equal(by, TEXT("operator")))
		return problem_set(problem, ERR_FORBIDDEN, "verified_by",
				   "the number is not verified: verify caller_id NUMBER ACCOUNT "
				   "sends its owner a code; verified_by=operator vouches for it "
				   "without");
	request->vouches = true;
	return directory_verification_accept(object, by, request->context->clock->wall_ms / 1000,
					     problem);
}

void admin_change_add(struct admin_request *request)
{
	struct directory_problem problem = { "", "" };
	struct directory_object *object = directory_object_create(request->kind);
	enum status status = object ? set_fields(request, 0, object, &problem) : ERR_MEMORY;
	if (status == OK)
		status = check_files(request, 0, object, &problem);
	if (status == OK)
		status = note_owner(request, NULL, object, &problem);
	if (status == OK)
		status = note_verification(request, NULL, object, &problem);
	if (status != OK) {
		directory_object_destroy(object);
		admin_change_refuse(request, status, &problem);
		return;
	}
	if (has_lists(request, 0))
		write_trunk(request, 0, object);
	else
		store_add(request->context->store, object, admin_change_done, request);
}

void admin_change_change(struct admin_request *request)
{
	struct directory_problem problem = { "", "" };
	const struct directory_object *found = admin_objects_find(request);
	if (!found)
		return;
	struct directory_object *object = directory_object_copy(found);
	enum status status = object ? set_fields(request, 1, object, &problem) : ERR_MEMORY;
	if (status == OK)
		status = note_owner(request, found, object, &problem);
	if (status == OK)
		status = note_verification(request, found, object, &problem);
	if (status == OK)
		status = check_files(request, 1, object, &problem);
	if (status != OK) {
		directory_object_destroy(object);
		admin_change_refuse(request, status, &problem);
		return;
	}
	if (has_lists(request, 1))
		write_trunk(request, 1, object);
	else
		store_change(request->context->store, object, admin_change_done, request);
}

void admin_change_remove(struct admin_request *request)
{
	const struct directory_object *object = admin_objects_find(request);
	if (object)
		store_remove(request->context->store, object->sid, admin_change_done, request);
}
