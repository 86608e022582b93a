// Numbers for the operator: what is in stock, and what a trunk or an account has. Runs on the control
// thread; reads memory only.

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/objects.h"
#include "admin/request.h"
#include "base/clock.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "directory/stock.h"

#define FOUND_DEFAULT 20
#define FOUND_MAX 1000
#define OWNED_MAX 10000

struct search {
	struct directory_stock_query query;
	uint64_t max;
};

// False: it is no criterion of a search, or the value is none of its.
static bool take_word(struct search *search, struct text field, struct text value)
{
	struct directory_stock_query *query = &search->query;
	const struct {
		const char *name;
		struct text *text;
		bool *flag;
	} fields[] = {
		{ "country", &query->country, NULL }, { "pattern", &query->pattern, NULL },
		{ "type", &query->type, NULL },       { "voice", NULL, &query->has_voice },
		{ "sms", NULL, &query->has_sms },     { "mms", NULL, &query->has_mms },
	};
	if (text_is_equal(field, TEXT("max")))
		return text_to_unsigned(value, FOUND_MAX, &search->max) && search->max > 0;
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (!text_is_equal(field, text_of(fields[i].name)))
			continue;
		if (fields[i].text) {
			*fields[i].text = value;
			return true;
		}
		*fields[i].flag = text_is_equal(value, TEXT("true"));
		return *fields[i].flag || text_is_equal(value, TEXT("false"));
	}
	return false;
}

static const char *take_words(const struct admin_request *request, struct search *search)
{
	for (unsigned i = 0; i < request->argument_count; i++) {
		struct text value = request->arguments[i], field = text_split(&value, '=');
		if (!take_word(search, field, value))
			return "allowed: country=US pattern=+1415*5 type=local voice=true sms=true "
			       "mms=true max=20";
	}
	if (search->query.pattern.size > 0 && !directory_stock_is_pattern(search->query.pattern))
		return "allowed as pattern: up to 15 digits, * for any one of them; + in front: it "
		       "begins the number; $ behind: it ends it";
	return NULL;
}

void admin_stock_find(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	const struct directory_object *found[FOUND_MAX];
	struct search search = { .max = FOUND_DEFAULT };
	size_t total = 0;
	const char *hint = take_words(request, &search);
	if (hint) {
		struct admin_refusal refusal = { ERR_MALFORMED, NULL,
						 "this is no criterion of a search", hint };
		admin_request_refuse(request, &refusal);
		return;
	}
	search.query.now_s = context->clock->wall_ms / 1000;
	unsigned count = directory_stock_search(context->directory, &search.query, found,
						(unsigned)search.max, &total);
	json_t *array = json_array(), *result = json_object();
	for (unsigned i = 0; i < count; i++)
		(void)json_array_append_new(array, admin_objects_to_json(context, found[i]));
	admin_json_set(result, "fit", admin_json_number(total));
	admin_json_set(result, "in_stock",
		       admin_json_number(directory_stock_count(context->directory)));
	admin_json_set(result, "numbers", array);
	admin_request_answer(request, result);
}

// What the numbers of somebody have to be able to do; false: another word.
static bool take_abilities(const struct admin_request *request, struct search *search)
{
	bool is_good = true;
	for (unsigned i = 1; i < request->argument_count; i++) {
		struct text value = request->arguments[i], field = text_split(&value, '=');
		bool is_ability = text_is_equal(field, TEXT("voice")) ||
				  text_is_equal(field, TEXT("sms")) ||
				  text_is_equal(field, TEXT("mms"));
		is_good = is_good && is_ability && take_word(search, field, value);
	}
	return is_good;
}

static bool is_able(const struct directory_object *number, const struct search *search)
{
	const struct {
		bool is_wanted;
		const char *field;
	} wanted[] = { { search->query.has_voice, "voice" },
		       { search->query.has_sms, "sms" },
		       { search->query.has_mms, "mms" } };
	bool is = true;
	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		is = is &&
		     (!wanted[i].is_wanted ||
		      text_is_equal(directory_object_get(number, wanted[i].field), TEXT("true")));
	return is;
}

// NUM-004: of a trunk, or all of an account. NUM-014: those that can do what is asked for.
void admin_stock_of(struct admin_request *request)
{
	static const enum directory_kind kinds[] = { DIRECTORY_TRUNK, DIRECTORY_ACCOUNT };
	const struct admin_context *context = request->context;
	const struct directory_object *owner = NULL, *numbers[OWNED_MAX];
	for (unsigned i = 0; !owner && i < 2; i++)
		owner = directory_find(context->directory, kinds[i], request->arguments[0]);
	if (!owner) {
		struct admin_refusal refusal = { ERR_NOT_FOUND, NULL,
						 "no trunk or account has this SID or unique name",
						 "show trunks and show accounts list them" };
		admin_request_refuse(request, &refusal);
		return;
	}
	struct search search = { .max = OWNED_MAX };
	if (!take_abilities(request, &search)) {
		struct admin_refusal refusal = { ERR_MALFORMED, NULL,
						 "this is nothing that a number can do",
						 "allowed: voice=true sms=true mms=true" };
		admin_request_refuse(request, &refusal);
		return;
	}
	json_t *array = json_array(), *result = json_object();
	unsigned count = directory_referrers(context->directory, owner->sid, DIRECTORY_NUMBER,
					     numbers, OWNED_MAX);
	for (unsigned i = 0; i < count; i++)
		if (is_able(numbers[i], &search))
			(void)json_array_append_new(array,
						    admin_objects_to_json(context, numbers[i]));
	admin_json_set(result, "numbers", array);
	admin_request_answer(request, result);
}
