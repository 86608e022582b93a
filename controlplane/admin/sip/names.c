// The names of trunks in DNS for the operator: how publishing goes, and the zone as text. Runs on the
// control thread; reads memory only.

#include <stdlib.h>

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "names/names.h"

#define TRUNKS_PER_PAGE 100
#define PAGE_SIZE (1u << 20) // of 100 trunks, 17 forms and 4 addresses, three quarters are used

static void refuse(struct admin_request *request, enum status status, const char *message)
{
	struct admin_refusal refusal = { status, NULL, message, NULL };
	admin_request_refuse(request, &refusal);
}

static void set_counter(json_t *object, const char *key, const struct counter *counter)
{
	admin_json_set(object, key, admin_json_number(counter_get(counter)));
}

static json_t *string_or_null(const char *string)
{
	return string[0] != '\0' ? admin_json_string(string) : json_null();
}

static json_t *forms_to_json(const struct names_plan *plan)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < plan->form_count; i++) {
		const struct names_form *form = &plan->forms[i];
		json_t *object = json_object(), *addresses = json_array();
		for (unsigned j = 0; j < form->count; j++)
			(void)json_array_append_new(addresses,
						    admin_json_address(&form->addresses[j]));
		char name[NAMES_NAME_SIZE + 8] = "DOMAIN.";
		text_copy_cut(text_of(form->suffix), name + 7, sizeof name - 7);
		admin_json_set(object, "form", admin_json_string(name));
		admin_json_set(object, "ttl_s", admin_json_number(plan->ttl_s));
		admin_json_set(object, "addresses", addresses);
		(void)json_array_append_new(array, object);
	}
	return array;
}

static json_t *publishing_to_json(const struct names *names)
{
	struct names_facts facts;
	const struct names_counters *counters = names_counters(names);
	json_t *object = json_object();
	names_read(names, &facts);
	admin_json_set(object, "state", json_string(names_state_text(facts.state)));
	admin_json_set(object, "zone", admin_json_string(names_plan(names)->zone));
	admin_json_set(object, "problem", string_or_null(facts.problem));
	admin_json_set(object, "trunks", admin_json_number(facts.domains));
	set_counter(object, "names", &counters->published);
	set_counter(object, "not_ours", &counters->conflicts);
	admin_json_set(object, "not_ours_one", string_or_null(facts.conflict));
	admin_json_set(object, "right_at", admin_json_time(facts.good_ms));
	admin_json_set(object, "tried_at", admin_json_time(facts.tried_ms));
	admin_json_set(object, "read_in_whole_at", admin_json_time(facts.whole_ms));
	admin_json_set(object, "failing_since", admin_json_time(facts.failing_since_ms));
	set_counter(object, "attempts", &counters->attempts);
	set_counter(object, "failures", &counters->failures);
	set_counter(object, "added", &counters->added);
	set_counter(object, "replaced", &counters->replaced);
	set_counter(object, "removed", &counters->removed);
	admin_json_set(object, "forms_outside_the_zone",
		       admin_json_number(names_plan(names)->outside_count));
	return object;
}

void admin_names_show(struct admin_request *request)
{
	const struct names *names = request->context->names;
	if (names == NULL) {
		refuse(request, ERR_UNAVAILABLE, NULL);
		return;
	}
	json_t *result = json_object();
	admin_json_set(result, "publishing", publishing_to_json(names));
	admin_json_set(result, "forms", forms_to_json(names_plan(names)));
	admin_request_answer(request, result);
}

// The SID of the last trunk of the page, or NULL when there are no more.
static const char *write_page(const struct admin_context *context,
			      const struct directory_object *after, struct writer *writer)
{
	const struct names_plan *plan = names_plan(context->names);
	const struct directory_object *object = after;
	if (after == NULL)
		names_plan_write_head(plan, writer);
	for (unsigned i = 0; i < TRUNKS_PER_PAGE; i++) {
		const struct directory_object *next =
			directory_next(context->directory, DIRECTORY_TRUNK, object);
		if (next == NULL)
			return NULL;
		object = next;
		struct text domain = directory_object_get(object, "domain");
		struct writer longer = *writer;
		if (domain.size > 0)
			names_plan_write_domain(plan, domain, &longer);
		if (longer.failed) // the next page begins with it
			return after != NULL ? after->sid : NULL;
		*writer = longer;
		after = object;
	}
	return after->sid;
}

void admin_names_zone(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	const struct directory_object *after = NULL;
	if (request->argument_count > 0)
		after = directory_find(context->directory, DIRECTORY_TRUNK, request->arguments[0]);
	if (context->names == NULL || (request->argument_count > 0 && after == NULL)) {
		refuse(request, context->names == NULL ? ERR_UNAVAILABLE : ERR_NOT_FOUND,
		       context->names == NULL ? NULL : "no trunk has this SID or domain");
		return;
	}
	char *room = malloc(PAGE_SIZE);
	if (room == NULL) {
		refuse(request, ERR_MEMORY, NULL);
		return;
	}
	struct writer writer = writer_of(room, PAGE_SIZE);
	const char *last = write_page(context, after, &writer);
	json_t *result = json_object();
	admin_json_set(result, "text", json_stringn(room, writer.used));
	admin_json_set(result, "after", last != NULL ? json_string(last) : json_null());
	admin_request_answer(request, result);
	free(room);
}
