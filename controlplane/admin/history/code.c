// What the code of an alert means, from the catalogue. Runs on the control thread.

#include "admin/admin.h"
#include "admin/handler.h"
#include "admin/history/past.h"
#include "admin/json.h"
#include "admin/request.h"
#include "call/catalogue/catalogue.h"
#include "call/refusal.h"
#include "config/config.h"

json_t *admin_past_more_info(const struct admin_context *context, uint32_t code)
{
	char room[CONFIG_TEXT_SIZE + 16];
	struct writer writer = writer_of(room, sizeof(room));
	if (context->config)
		catalogue_link(context->config->alerts.more_info_url, code, &writer);
	const char *link = writer_string_done(&writer);
	return link && link[0] ? json_string(link) : json_null();
}

static json_t *texts_to_json(const char *const *texts)
{
	json_t *array = json_array();
	for (; *texts; texts++)
		(void)json_array_append_new(array, json_string(*texts));
	return array;
}

static json_t *answers_to_json(uint32_t code)
{
	char room[64];
	json_t *array = json_array();
	for (unsigned i = 0; catalogue_answer(code, i, room); i++)
		(void)json_array_append_new(array, json_string(room));
	return array;
}

static json_t *labels_to_json(uint32_t code)
{
	const struct refusal_row *row;
	json_t *array = json_array();
	for (unsigned i = 0; (row = catalogue_cause(code, i)) != NULL; i++) {
		json_t *object = json_object();
		admin_json_set(object, "cause", json_string(row->label));
		admin_json_set(object, "status", admin_json_number(row->status));
		admin_json_set(object, "fix", json_string(row->fix));
		(void)json_array_append_new(array, object);
	}
	return array;
}

static json_t *guides_to_json(const struct catalogue_entry *entry, enum catalogue_language language)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < catalogue_guide_count; i++)
		if (entry->guides >> i & 1)
			(void)json_array_append_new(array,
						    json_string(catalogue_guides[i][language]));
	return array;
}

json_t *admin_past_code(const struct admin_context *context, uint32_t code,
			enum catalogue_language language)
{
	const struct catalogue_entry *entry = catalogue_find(code);
	if (!entry)
		return NULL;
	const struct catalogue_text *text = &entry->texts[language];
	json_t *object = json_object(), *example = json_object();
	admin_json_set(object, "code", admin_json_number(code));
	admin_json_set(object, "title", json_string(text->title));
	admin_json_set(object, "severity", json_string(history_severity_text(entry->severity)));
	admin_json_set(object, "means", json_string(text->means));
	admin_json_set(object, "answers", answers_to_json(code));
	admin_json_set(object, "labels", labels_to_json(code));
	admin_json_set(example, "header", json_string(entry->header));
	admin_json_set(example, "seen", json_string(entry->seen));
	admin_json_set(example, "expected", json_string(entry->expected));
	admin_json_set(object, "example", example);
	admin_json_set(object, "causes", texts_to_json(text->causes));
	admin_json_set(object, "remedies", texts_to_json(text->fixes));
	admin_json_set(object, "guides", guides_to_json(entry, language));
	admin_json_set(object, "more_info", admin_past_more_info(context, code));
	return object;
}

static void refuse(struct admin_request *request, const char *field, const char *message,
		   const char *hint)
{
	struct admin_refusal refusal = { ERR_NOT_FOUND, field, message, hint };
	admin_request_refuse(request, &refusal);
}

void admin_code_show(struct admin_request *request)
{
	uint64_t code = 0;
	enum catalogue_language language = CATALOGUE_ENGLISH;
	if (request->argument_count > 1)
		language = catalogue_language_of(request->arguments[1]);
	if (language == CATALOGUE_LANGUAGES) {
		refuse(request, "LANGUAGE", "there are no texts in this language",
		       "allowed: en, ja");
		return;
	}
	(void)text_to_unsigned(request->arguments[0], UINT32_MAX, &code);
	json_t *object = admin_past_code(request->context, (uint32_t)code, language);
	if (!object) {
		refuse(request, "CODE", "no alert has this code", "show alert-codes lists them");
		return;
	}
	json_t *result = json_object();
	admin_json_set(result, "alert_code", object);
	admin_request_answer(request, result);
}

void admin_code_list(struct admin_request *request)
{
	json_t *array = json_array(), *result = json_object();
	enum catalogue_language language = CATALOGUE_ENGLISH;
	if (request->argument_count > 0)
		language = catalogue_language_of(request->arguments[0]);
	if (language == CATALOGUE_LANGUAGES)
		language = CATALOGUE_ENGLISH;
	for (unsigned i = 0; i < catalogue_entry_count; i++) {
		json_t *row = json_object();
		admin_json_set(row, "code", admin_json_number(catalogue_entries[i].code));
		admin_json_set(row, "severity",
			       json_string(history_severity_text(catalogue_entries[i].severity)));
		admin_json_set(row, "title",
			       json_string(catalogue_entries[i].texts[language].title));
		(void)json_array_append_new(array, row);
	}
	admin_json_set(result, "alert_codes", array);
	admin_request_answer(request, result);
}
