// Help, the table for programs, and what may stand for an unfinished word. Runs on the control thread;
// reads memory only.

#include <string.h>

#include "admin/command.h"
#include "admin/handler.h"
#include "admin/json.h"
#include "admin/numbers/voice.h"
#include "admin/trunk/lists.h"
#include "call/call.h"
#include "directory/object.h"

#define CANDIDATES_MAX 200

static json_t *command_to_json(const struct admin_command *command)
{
	json_t *object = json_object();
	admin_json_set(object, "command", json_string(command->words));
	admin_json_set(object, "arguments", json_string(command->arguments));
	admin_json_set(object, "right", json_string(admin_command_right_text(command->right)));
	admin_json_set(object, "text", json_string(command->text));
	return object;
}

static json_t *field_to_json(const char *name, bool is_required, const char *fallback,
			     const char *text)
{
	json_t *object = json_object();
	admin_json_set(object, "field", json_string(name));
	admin_json_set(object, "required", json_boolean(is_required));
	admin_json_set(object, "default", fallback ? json_string(fallback) : json_null());
	admin_json_set(object, "text", json_string(text));
	return object;
}

static json_t *fields_to_json(enum directory_kind kind)
{
	const struct directory_schema *schema = directory_schema(kind);
	json_t *fields = json_array();
	for (unsigned i = 0; i < schema->field_count; i++) {
		const struct directory_field *field = &schema->fields[i];
		if (!field->is_hidden)
			(void)json_array_append_new(fields,
						    field_to_json(field->name, field->is_required,
								  field->fallback, field->text));
	}
	const char *text, *word;
	for (unsigned i = 0;
	     kind == DIRECTORY_TRUNK && (word = admin_trunk_list_word(i, &text)) != NULL; i++)
		(void)json_array_append_new(fields, field_to_json(word, false, NULL, text));
	if (kind == DIRECTORY_NUMBER)
		(void)json_array_append_new(
			fields, field_to_json(ADMIN_VOICE_FIELD, false, NULL, ADMIN_VOICE_TEXT));
	if (kind == DIRECTORY_CREDENTIAL)
		(void)json_array_append_new(
			fields, field_to_json("password", true, NULL,
					      "12 characters or more, with upper and lower case "
					      "letters and a digit; only its hashes are kept."));
	return fields;
}

static json_t *kind_to_json(enum directory_kind kind)
{
	const struct directory_schema *schema = directory_schema(kind);
	json_t *object = json_object();
	admin_json_set(object, "kind", json_string(schema->name));
	admin_json_set(object, "plural", json_string(schema->plural));
	admin_json_set(object, "text", json_string(schema->text));
	admin_json_set(object, "fields", fields_to_json(kind));
	return object;
}

static json_t *commands_to_json(const struct text *words, unsigned count)
{
	json_t *commands = json_array();
	for (unsigned i = 0; i < admin_command_count(); i++)
		if (admin_command_begins(admin_command_row(i), words, count))
			(void)json_array_append_new(commands,
						    command_to_json(admin_command_row(i)));
	return commands;
}

void admin_help_show(struct admin_request *request)
{
	json_t *commands = commands_to_json(request->arguments, request->argument_count);
	if (json_array_size(commands) == 0) {
		struct admin_command_match match =
			admin_command_find(request->arguments, request->argument_count);
		json_decref(commands);
		struct admin_refusal refusal = { ERR_NOT_FOUND, NULL, match.problem, match.hint,
						 true };
		if (!match.problem[0])
			refusal.message = "no help on this; ask for the command alone";
		admin_request_refuse(request, &refusal);
		return;
	}
	json_t *result = json_object();
	admin_json_set(result, "commands", commands);
	struct text last = request->argument_count ? request->arguments[request->argument_count - 1]
						   : TEXT_NONE;
	enum directory_kind kind = directory_kind_of(last);
	if (request->argument_count == 0) {
		json_t *kinds = json_array();
		for (unsigned i = 0; i < DIRECTORY_KIND_COUNT; i++)
			(void)json_array_append_new(
				kinds, json_string(directory_schema((enum directory_kind)i)->name));
		admin_json_set(result, "kinds", kinds);
	}
	if (kind != DIRECTORY_KIND_COUNT && request->argument_count > 1)
		admin_json_set(result, "fields", fields_to_json(kind));
	admin_request_answer(request, result);
}

void admin_help_commands(struct admin_request *request)
{
	json_t *result = json_object(), *kinds = json_array();
	for (unsigned i = 0; i < DIRECTORY_KIND_COUNT; i++)
		(void)json_array_append_new(kinds, kind_to_json((enum directory_kind)i));
	admin_json_set(result, "commands", commands_to_json(NULL, 0));
	admin_json_set(result, "kinds", kinds);
	admin_request_answer(request, result);
}

struct completion {
	json_t *candidates;
	struct text begin; // what is typed of the word
	struct text
		account; // of the object that is changed, which refers to nobody else's; empty: any
};

static void offer(struct completion *completion, const char *candidate)
{
	if (!candidate || !candidate[0] ||
	    !text_has_prefix(text_of(candidate), completion->begin) ||
	    json_array_size(completion->candidates) >= CANDIDATES_MAX)
		return;
	size_t index;
	json_t *value;
	json_array_foreach(completion->candidates, index,
			   value) if (strcmp(json_string_value(value), candidate) == 0) return;
	(void)json_array_append_new(completion->candidates, admin_json_string(candidate));
}

static void offer_next_word(struct completion *completion, const struct admin_command *command,
			    unsigned place)
{
	char room[32];
	struct text word = admin_command_word(command, place);
	bool is_list = text_is_equal(admin_command_word(command, 0), TEXT("show"));
	if (!text_is_equal(word, TEXT("KIND"))) {
		if (text_copy(word, room, sizeof(room)))
			offer(completion, room);
		return;
	}
	for (unsigned i = 0; i < DIRECTORY_KIND_COUNT; i++) {
		const struct directory_schema *schema = directory_schema((enum directory_kind)i);
		offer(completion, schema->name);
		if (is_list)
			offer(completion, schema->plural);
	}
}

static void offer_calls(struct completion *completion, const struct admin_context *context)
{
	const struct call *call = NULL;
	while (context->calls && (call = calls_next(context->calls, call)) &&
	       json_array_size(completion->candidates) < CANDIDATES_MAX) {
		struct call_facts facts;
		call_read(call, &facts);
		offer(completion, facts.sid);
	}
}

static void offer_objects(struct completion *completion, const struct admin_context *context,
			  enum directory_kind kind)
{
	static const char *const NAMES[] = { "name", "domain", "e164", "user" };
	const struct directory_object *object = NULL;
	while (context->directory && (object = directory_next(context->directory, kind, object)) &&
	       json_array_size(completion->candidates) < CANDIDATES_MAX) {
		char room[128];
		for (unsigned i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
			if (directory_field_index(directory_schema(kind), text_of(NAMES[i])) <
				    directory_schema(kind)->field_count &&
			    text_copy(directory_object_get(object, NAMES[i]), room, sizeof(room)))
				offer(completion, room);
		if (completion->begin.size > 0)
			offer(completion, object->sid);
	}
}

static void offer_value(struct completion *completion, const char *field, struct text value)
{
	char room[192];
	struct writer writer = writer_of(room, sizeof(room));
	writer_format(&writer, "%s=%.*s", field, TEXT_FORMAT(value));
	offer(completion, writer_string_done(&writer));
}

// What the field may be: the words of a choice, or what there is to refer to, by name (NUM-007, REC-014).
static void offer_values(struct completion *completion, const struct admin_context *context,
			 const struct directory_field *field)
{
	struct text rest = field->type == DIRECTORY_CHOICE ? text_of(field->choices)
			   : field->type == DIRECTORY_BOOL ? TEXT("true, false")
							   : TEXT_NONE;
	while (rest.size > 0)
		offer_value(completion, field->name, text_trim(text_split(&rest, ',')));
	if (field->type != DIRECTORY_REFERENCE && field->type != DIRECTORY_REFERENCES)
		return;
	const struct directory_object *object = NULL;
	while (context->directory &&
	       (object = directory_next(context->directory, field->refers_to, object)) &&
	       json_array_size(completion->candidates) < CANDIDATES_MAX) {
		struct text name = directory_object_get(object, "name");
		struct text account = directory_object_get(object, "account");
		if (completion->account.size > 0 && account.size > 0 &&
		    !text_is_equal(account, completion->account))
			continue;
		bool is_one = name.size > 0 &&
			      directory_find(context->directory, field->refers_to, name) == object;
		offer_value(completion, field->name, is_one ? name : text_of(object->sid));
	}
}

static void offer_fields(struct completion *completion, const struct admin_context *context,
			 enum directory_kind kind)
{
	const struct directory_schema *schema = directory_schema(kind);
	struct text begin = completion->begin;
	unsigned row = directory_field_index(schema, text_split(&begin, '='));
	if (text_find(completion->begin, '=')) {
		if (row < schema->field_count && !schema->fields[row].is_hidden)
			offer_values(completion, context, &schema->fields[row]);
		return;
	}
	char room[64];
	for (unsigned i = 0; i < schema->field_count; i++) {
		struct writer writer = writer_of(room, sizeof(room));
		writer_format(&writer, "%s=", schema->fields[i].name);
		if (!schema->fields[i].is_hidden)
			offer(completion, writer_string_done(&writer));
	}
	const char *text, *word;
	for (unsigned i = 0;
	     kind == DIRECTORY_TRUNK && (word = admin_trunk_list_word(i, &text)) != NULL; i++) {
		struct writer writer = writer_of(room, sizeof(room));
		writer_format(&writer, "%s=%s", word, strcmp(word, "password") == 0 ? "-" : "");
		offer(completion, writer_string_done(&writer));
	}
	if (kind == DIRECTORY_CREDENTIAL)
		offer(completion, "password=-");
}

// NUM-007: the choices of what answers a number's calls.
static void offer_voice(struct completion *completion)
{
	const char *choice;
	if (!text_find(completion->begin, '='))
		offer(completion, ADMIN_VOICE_FIELD "=");
	for (unsigned i = 0;
	     admin_voice_is_word(completion->begin) && (choice = admin_voice_choice(i)) != NULL;
	     i++)
		offer_value(completion, ADMIN_VOICE_FIELD, text_of(choice));
}

// The fields of an object that is added or changed; of the latter it is known whose it is.
static void offer_change(struct completion *completion, const struct admin_request *request,
			 const struct admin_command_match *match, bool has_id)
{
	const struct admin_context *context = request->context;
	const struct directory_schema *schema = directory_schema(match->kind);
	const struct directory_object *object =
		has_id && context->directory ? directory_find(context->directory, match->kind,
							      request->arguments[match->words])
					     : NULL;
	completion->account = object ? directory_object_get(object, "account") : TEXT_NONE;
	bool is_for_trunk = false; // and which one is still to choose (NUM-007)
	for (unsigned i = match->words; i + 1 < request->argument_count; i++)
		is_for_trunk |= text_is_same(request->arguments[i],
					     TEXT(ADMIN_VOICE_FIELD "=sip_trunking"));
	if (match->kind == DIRECTORY_NUMBER && is_for_trunk && completion->begin.size == 0) {
		offer_values(completion, context,
			     &schema->fields[directory_field_index(schema, TEXT("trunk"))]);
		return;
	}
	if (match->kind == DIRECTORY_NUMBER)
		offer_voice(completion);
	offer_fields(completion, context, match->kind);
}

// An argument that is named as a kind, or as two: TRIGGER, [TRUNK], TRUNK|ACCOUNT.
static void offer_named(struct completion *completion, const struct admin_request *request,
			struct text arguments, unsigned place)
{
	struct text word = text_split(&arguments, ' ');
	while (place-- > 0)
		word = text_split(&arguments, ' ');
	if (word.size > 2 && word.data[0] == '[')
		word = (struct text){ word.data + 1, word.size - 2 };
	while (word.size > 0) {
		struct text name = text_split(&word, '|');
		for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++)
			if (text_is_same(name, text_of(directory_schema(kind)->name)))
				offer_objects(completion, request->context, kind);
	}
}

// `place`: which argument of the command it is.
static void offer_argument(struct completion *completion, const struct admin_request *request,
			   const struct admin_command_match *match, unsigned place)
{
	static const char *const LEVELS[] = { "debug", "info", "warning", "error" };
	static const char *const EXPLAINED[] = {
		"from=",    "to=",   "source=", "transport=",   "trunk=",
		"carrier=", "host=", "sdp=",    "digest=right", "file="
	};
	static const char *const REPLAYED[] = { "add", "change", "remove", "then", "config=" };
	const char *arguments = match->command->arguments;
	bool has_id = strstr(arguments, "ID") != NULL;
	if (place == 0 && strstr(arguments, "CALL"))
		offer_calls(completion, request->context);
	if (place == 0 && strstr(arguments, "all"))
		offer(completion, "all");
	offer_named(completion, request, text_of(arguments), place);
	if (place == 0 && has_id && match->kind != DIRECTORY_KIND_COUNT)
		offer_objects(completion, request->context, match->kind);
	if (place >= has_id && strstr(arguments, "field=") && match->kind != DIRECTORY_KIND_COUNT)
		offer_change(completion, request, match, has_id);
	for (unsigned i = 0; i < sizeof(EXPLAINED) / sizeof(EXPLAINED[0]) &&
			     match->command->run == admin_explain_show;
	     i++)
		offer(completion, EXPLAINED[i]);
	for (unsigned i = 0; i < 5 && match->command->run == admin_replay_run; i++)
		offer(completion, REPLAYED[i]);
	for (unsigned i = 0; i < 4 && strcmp(arguments, "LEVEL") == 0; i++)
		offer(completion, LEVELS[i]);
}

void admin_help_complete(struct admin_request *request)
{
	unsigned count = request->argument_count > 0 ? request->argument_count - 1 : 0;
	const struct text *words = request->arguments;
	struct completion completion = { json_array(), count < request->argument_count
							       ? words[count]
							       : TEXT_NONE };
	bool is_help = count > 0 && text_is_equal(words[0], TEXT("help"));
	words += is_help;
	count -= is_help;
	for (unsigned i = 0; i < admin_command_count(); i++)
		if (admin_command_begins(admin_command_row(i), words, count))
			offer_next_word(&completion, admin_command_row(i), count);
	struct admin_command_match match = admin_command_find(words, count);
	if (match.command && !is_help)
		offer_argument(&completion, request, &match, count - match.words);
	json_t *result = json_object();
	admin_json_set(result, "candidates", completion.candidates);
	admin_request_answer(request, result);
}
