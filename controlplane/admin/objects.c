// Showing what the directory holds. Runs on the control thread; reads the mirror in memory. Must never
// show a hidden field (AUTH-019).

#include "admin/objects.h"

#include "base/country/country.h"
#include "admin/handler.h"
#include "admin/json.h"
#include "admin/numbers/voice.h"
#include "admin/request.h"
#include "admin/trunk/own.h"
#include "admin/trunk/show.h"
#include "call/call.h"
#include "directory/directory.h"
#include "directory/object.h"

#define SHOWN_MAX 20000 // objects of one kind

static struct text name_of(const struct directory_object *object)
{
	static const char *const NAMES[] = { "name", "domain", "user", "e164", "address" };
	for (unsigned i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		if (directory_field_index(directory_schema(object->kind), text_of(NAMES[i])) ==
		    directory_schema(object->kind)->field_count)
			continue;
		struct text value = directory_object_get(object, NAMES[i]);
		if (value.size > 0)
			return value;
	}
	return text_of(object->sid);
}

static json_t *name_by_sid(const struct admin_context *context, enum directory_kind kind,
			   struct text sid)
{
	const struct directory_object *object = directory_find(context->directory, kind, sid);
	return admin_json_text(object ? name_of(object) : sid);
}

static void set_references(const struct admin_context *context, json_t *json,
			   const struct directory_field *field, struct text value)
{
	char key[64];
	json_t *sids = json_array(), *names = json_array();
	while (value.size > 0) {
		struct text sid = text_split(&value, ' ');
		if (sid.size == 0)
			continue;
		(void)json_array_append_new(sids, admin_json_text(sid));
		(void)json_array_append_new(names, name_by_sid(context, field->refers_to, sid));
	}
	struct writer writer = writer_of(key, sizeof(key));
	writer_format(&writer, "%s_names", field->name);
	admin_json_set(json, field->name, sids);
	admin_json_set(json, writer_string_done(&writer), names);
}

static void set_reference(const struct admin_context *context, json_t *json,
			  const struct directory_field *field, struct text value)
{
	char key[64];
	struct writer writer = writer_of(key, sizeof(key));
	writer_format(&writer, "%s_name", field->name);
	admin_json_set(json, field->name, value.size ? admin_json_text(value) : json_null());
	admin_json_set(json, writer_string_done(&writer),
		       value.size ? name_by_sid(context, field->refers_to, value) : json_null());
}

static json_t *value_to_json(const struct directory_field *field, struct text value)
{
	uint64_t number;
	if (field->type == DIRECTORY_BOOL)
		return json_boolean(text_is_equal(value, TEXT("true")));
	if (value.size == 0)
		return json_null();
	if (field->type == DIRECTORY_UNSIGNED && text_to_unsigned(value, INT64_MAX, &number))
		return admin_json_number(number);
	return admin_json_text(value);
}

// What its pings say of a carrier.
static void set_state(const struct admin_context *context, json_t *json,
		      const struct directory_object *object)
{
	struct call_carrier_facts facts;
	call_carrier_read(context->calls, object->sid, &facts);
	admin_json_set(json, "state", json_string(call_carrier_state_text(facts.state)));
	admin_json_set(json, "state_since", admin_json_time(facts.since_ms));
	admin_json_set(json, "state_seen",
		       facts.seen && facts.seen[0] ? admin_json_string(facts.seen) : json_null());
	admin_json_set(json, "misses", admin_json_number(facts.misses));
}

static void set_handler(json_t *json, const struct directory_object *object)
{
	admin_json_set(json, ADMIN_VOICE_FIELD, json_string(admin_voice_of(object)));
	admin_json_set(json, "in_stock",
		       json_boolean(directory_object_get(object, "account").size == 0));
}

void admin_objects_set_field(const struct admin_context *context, json_t *json,
			     const struct directory_object *object, unsigned row)
{
	const struct directory_field *field = &directory_schema(object->kind)->fields[row];
	struct text value = text_of(object->values[row]);
	if (field->is_hidden || field->type == DIRECTORY_HEX)
		return;
	if (field->type == DIRECTORY_REFERENCES)
		set_references(context, json, field, value);
	else if (field->type == DIRECTORY_REFERENCE)
		set_reference(context, json, field, value);
	else
		admin_json_set(json, field->name, value_to_json(field, value));
}

json_t *admin_objects_to_json(const struct admin_context *context,
			      const struct directory_object *object)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	json_t *json = json_object();
	admin_json_set(json, "sid", admin_json_string(object->sid));
	for (unsigned i = 0; i < schema->field_count; i++)
		admin_objects_set_field(context, json, object, i);
	if (object->kind == DIRECTORY_NUMBER)
		set_handler(json, object);
	if (object->kind == DIRECTORY_CARRIER && context->calls)
		set_state(context, json, object);
	return json;
}

// What a field that is switched on has to say for itself.
static const struct {
	enum directory_kind kind;
	const char *field, *text;
} WARNINGS[] = {
	{ DIRECTORY_TRUNK, "symmetric_rtp", // MEDIA-010
	  "symmetric RTP accepts media from an address that was not signalled, which eases attacks "
	  "on RTP" },
	{ DIRECTORY_TRUNK, "secure", // SRTP-007, D-31
	  "a secure trunk takes calls by TLS and with SRTP alone: every call by UDP or TCP is "
	  "refused with 403 (alert 32209)" },
	{ DIRECTORY_TRUNK, "srtp",
	  "the keys of SRTP travel in SDP, in clear where SIP is not by TLS: who reads the "
	  "signalling can listen" },
	{ DIRECTORY_CARRIER, "srtp",
	  "the keys of SRTP travel in SDP, in clear where SIP is not by TLS: who reads the "
	  "signalling can listen" },
};

json_t *admin_objects_warnings(const struct admin_context *context,
			       const struct directory_object *object)
{
	struct directory_problem hint = { "", "" };
	json_t *warnings = json_array();
	if (directory_hint(object, &hint)) // TERM-008, AUTH-017
		(void)json_array_append_new(warnings, admin_json_string(hint.text));
	const char *own = admin_trunk_warn_own(context, object);
	if (own != NULL)
		(void)json_array_append_new(warnings, json_string(own));
	for (unsigned i = 0; i < sizeof(WARNINGS) / sizeof(WARNINGS[0]); i++) {
		if (object->kind == WARNINGS[i].kind &&
		    text_is_equal(directory_object_get(object, WARNINGS[i].field), TEXT("true")))
			(void)json_array_append_new(warnings, json_string(WARNINGS[i].text));
	}
	return warnings;
}

static void show_all(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	const struct directory_object *object = NULL;
	json_t *array = json_array(), *result = json_object();
	while ((object = directory_next(context->directory, request->kind, object)) &&
	       json_array_size(array) < SHOWN_MAX) {
		bool is_in_stock = request->kind == DIRECTORY_NUMBER &&
				   directory_object_get(object, "account").size == 0;
		if (!is_in_stock) // find numbers shows those
			(void)json_array_append_new(array, admin_objects_to_json(context, object));
	}
	admin_json_set(result, directory_schema(request->kind)->plural, array);
	admin_request_answer(request, result);
}

// NUM-007: what the number's voice handler may be, beside what it is.
static json_t *choices(void)
{
	json_t *array = json_array();
	const char *choice;
	for (unsigned i = 0; (choice = admin_voice_choice(i)) != NULL; i++)
		(void)json_array_append_new(array, json_string(choice));
	return array;
}

void admin_objects_show(struct admin_request *request)
{
	const struct directory_schema *schema = directory_schema(request->kind);
	if (request->argument_count == 0) {
		show_all(request);
		return;
	}
	const struct directory_object *object =
		directory_find(request->context->directory, request->kind, request->arguments[0]);
	if (!object) {
		struct admin_refusal refusal = {
			ERR_NOT_FOUND, NULL, "no object of this kind has this SID or unique name",
			"show KIND without ID lists them"
		};
		admin_request_refuse(request, &refusal);
		return;
	}
	json_t *result = json_object();
	admin_json_set(result, schema->name,
		       object->kind == DIRECTORY_TRUNK
			       ? admin_trunk_to_json(request->context, object)
			       : admin_objects_to_json(request->context, object));
	if (object->kind == DIRECTORY_NUMBER)
		admin_json_set(result, ADMIN_VOICE_FIELD "s", choices());
	json_t *warnings = admin_objects_warnings(request->context, object);
	if (json_array_size(warnings) > 0)
		admin_json_set(result, "warnings", json_incref(warnings));
	json_decref(warnings);
	admin_request_answer(request, result);
}

// NUM-019: what a number of an account in good standing can do now. Calls to it need somebody who takes them.
static void set_abilities(const struct admin_context *context, json_t *json,
			  const struct number *number)
{
	const struct account *account =
		number ? directory_account(context->directory, number->account_sid) : NULL;
	bool is_active = directory_account_is_active(context->directory, account);
	bool has_handler = number && number->trunk_sid[0]; // nothing asks URLs and applications yet
	const char *why = !number      ? "it is no account's"
			  : !is_active ? "its account is suspended"
			  : !has_handler && number->has_voice
				  ? "it is on no trunk: its calls go nowhere"
				  : NULL;
	admin_json_set(json, "active", json_boolean(is_active));
	admin_json_set(json, "voice", json_boolean(is_active && number->has_voice));
	admin_json_set(json, "takes_calls",
		       json_boolean(is_active && number->has_voice && has_handler));
	admin_json_set(json, "sms", json_boolean(is_active && number->has_sms));
	admin_json_set(json, "mms", json_boolean(is_active && number->has_mms));
	admin_json_set(json, "why_not", why ? json_string(why) : json_null());
}

static json_t *check_number(const struct admin_context *context, struct text word)
{
	struct directory_problem problem = { "", "" };
	json_t *json = json_object();
	struct directory_object *object = directory_object_create(DIRECTORY_NUMBER);
	enum status status =
		object ? directory_object_set(object, TEXT("e164"), word, &problem) : ERR_MEMORY;
	directory_object_destroy(object);
	const struct number *number =
		status == OK ? directory_number(context->directory, word) : NULL;
	admin_json_set(json, "number", admin_json_text(word));
	admin_json_set(json, "valid", json_boolean(status == OK));
	admin_json_set(json, "problem",
		       status == OK ? json_null() : admin_json_string(problem.text));
	unsigned country = status == OK ? country_of_number(word) : COUNTRY_NONE;
	admin_json_set(json, "country",
		       country != COUNTRY_NONE ? json_string(country_code(country)) : json_null());
	admin_json_set(json, "country_name",
		       country != COUNTRY_NONE ? json_string(country_name(country)) : json_null());
	admin_json_set(
		json, "blocked",
		json_boolean(status == OK && directory_is_blocked(context->directory, word)));
	admin_json_set(json, "sid", number ? admin_json_string(number->sid) : json_null());
	set_abilities(context, json, number);
	admin_json_set(
		json, "account",
		number ? name_by_sid(context, DIRECTORY_ACCOUNT, text_of(number->account_sid))
		       : json_null());
	admin_json_set(json, "trunk",
		       number && number->trunk_sid[0]
			       ? name_by_sid(context, DIRECTORY_TRUNK, text_of(number->trunk_sid))
			       : json_null());
	return json;
}

void admin_objects_check_number(struct admin_request *request)
{
	json_t *array = json_array(), *result = json_object();
	for (unsigned i = 0; i < request->argument_count; i++)
		(void)json_array_append_new(array,
					    check_number(request->context, request->arguments[i]));
	admin_json_set(result, "numbers", array);
	admin_request_answer(request, result);
}

const struct directory_object *admin_objects_find(struct admin_request *request)
{
	const struct directory_object *object =
		directory_find(request->context->directory, request->kind, request->arguments[0]);
	if (object)
		return object;
	struct admin_refusal refusal = { ERR_NOT_FOUND, NULL,
					 "no object of this kind has this SID or unique name",
					 "show KIND lists them" };
	admin_request_refuse(request, &refusal);
	return NULL;
}
