// A trunk as its customer sees it: four groups of settings and no more (TRUNK-002), with what belongs to
// each beside its fields. Runs on the control thread; reads the mirror in memory.

#include "admin/trunk/show.h"

#include <string.h>

#include "admin/json.h"
#include "admin/objects.h"
#include "admin/request.h"
#include "call/call.h"
#include "config/config.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "directory/origination/origination.h"

#define NUMBERS_SHOWN 200 // show numbers of TRUNK lists all
#define HOST_SIZE 512

struct view {
	const struct admin_context *context;
	const struct directory_object *object;
	json_t *json; // of the group
};

static json_t *fields_of(const struct view *view, enum directory_group group)
{
	const struct directory_schema *schema = directory_schema(DIRECTORY_TRUNK);
	json_t *json = json_object();
	if (group == DIRECTORY_GENERAL)
		admin_json_set(json, "sid", admin_json_string(view->object->sid));
	for (unsigned i = 0; i < schema->field_count; i++)
		if (schema->fields[i].group == group)
			admin_objects_set_field(view->context, json, view->object, i);
	return json;
}

static unsigned find_below(const struct view *view, enum directory_kind kind,
			   const struct directory_object **out_found, unsigned max)
{
	return directory_referrers(view->context->directory, view->object->sid, kind, out_found,
				   max);
}

// NULL: it does.
static void set_service(const struct view *view, const char *why_not)
{
	admin_json_set(view->json, "takes_calls", json_boolean(why_not == NULL));
	admin_json_set(view->json, "why_not", why_not ? json_string(why_not) : json_null());
}

static bool is_enabled(const struct directory_object *object)
{
	return text_is_equal(directory_object_get(object, "enabled"), TEXT("true"));
}

static void add_general(const struct view *view)
{
	const struct call *call = NULL;
	uint64_t count = 0;
	while (view->context->calls && (call = calls_next(view->context->calls, call))) {
		struct call_facts facts;
		call_read(call, &facts);
		count += strcmp(facts.trunk_sid, view->object->sid) == 0;
	}
	admin_json_set(view->json, "calls_up", admin_json_number(count));
}

// TERM-004, TERM-012. Without an edge: the global one.
static json_t *termination_uri(const struct view *view, const char *edge)
{
	char room[HOST_SIZE];
	struct writer writer = writer_of(room, sizeof(room));
	struct text rest = text_of(view->context->config->sip.base_domain);
	struct text first = text_split(&rest, '.');
	writer_format(&writer, "%.*s.%.*s",
		      TEXT_FORMAT(directory_object_get(view->object, "domain")),
		      TEXT_FORMAT(first));
	if (edge)
		writer_format(&writer, ".%s", edge);
	if (rest.size > 0)
		writer_format(&writer, ".%.*s", TEXT_FORMAT(rest));
	return admin_json_text(writer_done(&writer));
}

// TRUNK-012.
static const char *why_no_termination(const struct directory_object *object)
{
	if (!is_enabled(object))
		return "the trunk is not enabled";
	if (directory_object_get(object, "domain").size == 0)
		return "it has no domain";
	if (directory_object_get(object, "acls").size == 0 &&
	    directory_object_get(object, "credential_lists").size == 0)
		return "neither an ACL nor a credential list is attached";
	return NULL;
}

static void add_termination(const struct view *view)
{
	const struct edges_config *edges = &view->context->config->edges;
	bool has_domain = directory_object_get(view->object, "domain").size > 0;
	json_t *localized = json_array();
	for (unsigned i = 0; has_domain && i < edges->count; i++)
		(void)json_array_append_new(localized, termination_uri(view, edges->items[i].name));
	admin_json_set(view->json, "termination_uri",
		       has_domain ? termination_uri(view, NULL) : json_null());
	admin_json_set(view->json, "localized_uris", localized);
	set_service(view, why_no_termination(view->object));
}

// ORIG-008, ORIG-010: what is sent where, with the port and the transport that the URI leaves out.
static json_t *destination(const struct directory_object *object)
{
	char room[HOST_SIZE];
	struct directory_uri uri;
	if (directory_uri_read(directory_object_get(object, "uri"), &uri) != NULL)
		return json_null();
	struct writer writer = writer_of(room, sizeof(room));
	bool is_tls = uri.transport == DIRECTORY_TRANSPORT_TLS, is_ipv6 = strchr(uri.host, ':');
	unsigned port = uri.port ? uri.port : is_tls ? 5061 : 5060;
	writer_format(&writer, is_ipv6 ? "[%s]:%u" : "%s:%u", uri.host, port);
	writer_string(&writer, is_tls                                     ? " by TLS"
			       : uri.transport == DIRECTORY_TRANSPORT_TCP ? " by TCP"
									  : " by UDP");
	return admin_json_text(writer_done(&writer));
}

static json_t *uri_to_json(const struct view *view, const struct directory_object *object)
{
	static const char *const FIELDS[] = { "uri", "priority", "weight", "enabled", "name" };
	const struct directory_schema *schema = directory_schema(object->kind);
	json_t *json = json_object();
	admin_json_set(json, "sid", admin_json_string(object->sid));
	for (unsigned i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
		admin_objects_set_field(view->context, json, object,
					directory_field_index(schema, text_of(FIELDS[i])));
	admin_json_set(json, "goes_to", destination(object));
	return json;
}

// TRUNK-013: without a number nothing leads to the trunk.
static const char *why_no_origination(const struct view *view, unsigned enabled)
{
	const struct directory_object *number;
	if (!is_enabled(view->object))
		return "the trunk is not enabled";
	if (find_below(view, DIRECTORY_NUMBER, &number, 1) == 0)
		return "no number is associated with it";
	return enabled == 0 ? "it has no Origination URI that is enabled" : NULL;
}

static void add_origination(const struct view *view)
{
	const struct directory_object *uris[DIRECTORY_ORIGINATION_MAX];
	unsigned enabled = 0, count = find_below(view, DIRECTORY_ORIGINATION_URI, uris,
						 DIRECTORY_ORIGINATION_MAX);
	json_t *array = json_array();
	for (unsigned i = 0; i < count; i++) {
		enabled += is_enabled(uris[i]);
		(void)json_array_append_new(array, uri_to_json(view, uris[i]));
	}
	set_service(view, why_no_origination(view, enabled));
	admin_json_set(view->json, "origination_uris", array);
}

// NUM-004, NUM-014.
static void add_numbers(const struct view *view)
{
	static const char *const FIELDS[] = { "e164", "name", "voice", "sms", "mms" };
	const struct directory_schema *schema = directory_schema(DIRECTORY_NUMBER);
	const struct directory_object *numbers[NUMBERS_SHOWN + 1];
	unsigned count = find_below(view, DIRECTORY_NUMBER, numbers, NUMBERS_SHOWN + 1);
	json_t *array = json_array();
	for (unsigned n = 0; n < count && n < NUMBERS_SHOWN; n++) {
		json_t *json = json_object();
		admin_json_set(json, "sid", admin_json_string(numbers[n]->sid));
		for (unsigned i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++)
			admin_objects_set_field(view->context, json, numbers[n],
						directory_field_index(schema, text_of(FIELDS[i])));
		(void)json_array_append_new(array, json);
	}
	admin_json_set(view->json, "shown", admin_json_number(json_array_size(array)));
	admin_json_set(view->json, "has_more", json_boolean(count > NUMBERS_SHOWN));
	admin_json_set(view->json, "numbers", array);
}

json_t *admin_trunk_to_json(const struct admin_context *context,
			    const struct directory_object *object)
{
	static const struct {
		const char *name;
		void (*add)(const struct view *view);
	} GROUPS[DIRECTORY_GROUP_COUNT] = {
		[DIRECTORY_GENERAL] = { "general", add_general },
		[DIRECTORY_TERMINATION] = { "termination", add_termination },
		[DIRECTORY_ORIGINATION] = { "origination", add_origination },
		[DIRECTORY_NUMBERS] = { "numbers", add_numbers },
	};
	json_t *trunk = json_object();
	for (unsigned i = 0; i < DIRECTORY_GROUP_COUNT; i++) {
		struct view view = { context, object, NULL };
		view.json = fields_of(&view, (enum directory_group)i);
		GROUPS[i].add(&view);
		admin_json_set(trunk, GROUPS[i].name, view.json);
	}
	return trunk;
}
