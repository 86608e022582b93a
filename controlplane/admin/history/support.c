// All that is known of a call, a trunk or an account, as one document for whoever helps (OTHER-005):
// rows, ladders, figures, alerts and their explanations, objects without secrets, facts of the node.
// Runs on: control thread; the searches run on the history thread, one after the other.

#include <string.h>

#include "admin/admin.h"
#include "admin/handler.h"
#include "admin/history/past.h"
#include "admin/json.h"
#include "admin/objects.h"
#include "admin/request.h"
#include "base/address.h"
#include "config/config.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "history/find.h"

#define CALLS_MAX 20 // of a trunk or an account
#define ALERTS_MAX 200

static json_t *addresses_to_json(const struct config_addresses *addresses)
{
	json_t *array = json_array();
	for (unsigned i = 0; i < addresses->count; i++)
		(void)json_array_append_new(array, admin_json_address(&addresses->items[i]));
	return array;
}

static json_t *node_to_json(const struct admin_context *context)
{
	const struct config *config = context->config;
	json_t *object = json_object();
	admin_json_set(object, "version", json_string(TRUNKD_VERSION));
	admin_json_set(object, "now", admin_json_time(context->clock->wall_ms));
	admin_json_set(object, "started_at", admin_json_time(context->started_ms));
	if (!config)
		return object;
	admin_json_set(object, "name", admin_json_string(config->node.name));
	admin_json_set(object, "base_domain", admin_json_string(config->sip.base_domain));
	admin_json_set(object, "sip_addresses", addresses_to_json(&config->sip.addresses));
	admin_json_set(object, "sip_port", admin_json_number(config->sip.port));
	admin_json_set(object, "tls_port", admin_json_number(config->sip.tls_port));
	admin_json_set(object, "media_addresses", addresses_to_json(&config->media.addresses));
	admin_json_set(object, "ack_timeout_s", admin_json_number(config->sip.ack_timeout_s));
	admin_json_set(object, "no_response_timeout_ms",
		       admin_json_number(config->sip.no_response_timeout_ms));
	admin_json_set(object, "max_call_duration_s",
		       admin_json_number(config->sip.max_call_duration_s));
	admin_json_set(object, "support", admin_json_string(config->alerts.support_url));
	return object;
}

static void add_object(const struct admin_context *context, json_t *objects,
		       enum directory_kind kind, const char *sid)
{
	const struct directory_object *object =
		context->directory && sid ? directory_find(context->directory, kind, text_of(sid))
					  : NULL;
	const char *name = directory_schema(kind)->name;
	if (object && !json_object_get(objects, name))
		admin_json_set(objects, name, admin_objects_to_json(context, object));
}

static const char *text_in(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void explain(const struct admin_context *context, json_t *bundle)
{
	json_t *explained = json_object(), *alerts = json_object_get(bundle, "alerts");
	for (size_t i = 0; i < json_array_size(alerts); i++) {
		char key[16];
		json_int_t code =
			json_integer_value(json_object_get(json_array_get(alerts, i), "code"));
		struct writer writer = writer_of(key, sizeof(key));
		writer_unsigned(&writer, (uint64_t)code);
		if (!writer_string_done(&writer) || json_object_get(explained, key))
			continue;
		json_t *text = admin_past_code(context, (uint32_t)code, CATALOGUE_ENGLISH);
		if (text)
			admin_json_set(explained, key, text);
	}
	admin_json_set(bundle, "alert_codes", explained);
}

static void finish(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	json_t *bundle = request->partial, *result = json_object();
	json_t *objects = json_object_get(bundle, "objects");
	json_t *calls = json_object_get(bundle, "calls");
	request->partial = NULL;
	if (json_array_size(calls) + json_array_size(json_object_get(bundle, "alerts")) +
		    json_object_size(objects) ==
	    0) {
		struct admin_refusal refusal = { ERR_NOT_FOUND, NULL,
						 "nothing is known of this SID",
						 "show history and show trunks list some" };
		json_decref(bundle);
		json_decref(result);
		admin_request_refuse(request, &refusal);
		return;
	}
	for (size_t i = 0; i < json_array_size(calls); i++) {
		const json_t *call = json_array_get(calls, i);
		add_object(context, objects, DIRECTORY_ACCOUNT, text_in(call, "account_sid"));
		add_object(context, objects, DIRECTORY_TRUNK, text_in(call, "trunk_sid"));
		add_object(context, objects, DIRECTORY_CARRIER, text_in(call, "carrier_sid"));
	}
	explain(context, bundle);
	admin_json_set(result, "bundle", bundle);
	admin_request_answer(request, result);
}

static void found_alert(void *context, const struct history_alert *alert)
{
	struct admin_request *request = context;
	if (!alert)
		finish(request);
	else if (!admin_request_is_detached(request))
		(void)json_array_append_new(json_object_get(request->partial, "alerts"),
					    admin_past_alert(request->context, alert));
}

// Of what kind the SID is, by its first two letters.
static void fill_filter(struct text sid, struct history_filter *filter)
{
	char *room = text_has_prefix(sid, TEXT("TK"))   ? filter->trunk_sid
		     : text_has_prefix(sid, TEXT("AC")) ? filter->account_sid
							: filter->sid;
	text_copy_cut(sid, room, sizeof(filter->sid));
}

static void found_call(void *context, const struct history_call *call)
{
	struct admin_request *request = context;
	if (call && !admin_request_is_detached(request))
		(void)json_array_append_new(json_object_get(request->partial, "calls"),
					    admin_past_story(request->context, call));
	if (call)
		return;
	struct history_filter filter = { .max = ALERTS_MAX };
	fill_filter(request->arguments[0], &filter);
	enum status status =
		history_find_alerts(request->context->history, &filter, found_alert, request);
	if (status != OK)
		admin_past_refuse(request, status);
}

static json_t *begin(const struct admin_context *context, struct text sid)
{
	char room[sizeof(((struct history_filter *)NULL)->sid)] = "";
	json_t *bundle = json_object(), *objects = json_object(), *calls = json_array();
	text_copy_cut(sid, room, sizeof(room));
	json_t *live = admin_calls_story(context, sid);
	if (live)
		(void)json_array_append_new(calls, live);
	add_object(context, objects, DIRECTORY_TRUNK, room);
	add_object(context, objects, DIRECTORY_ACCOUNT, room);
	admin_json_set(bundle, "sid", admin_json_text(sid));
	admin_json_set(bundle, "node", node_to_json(context));
	admin_json_set(bundle, "objects", objects);
	admin_json_set(bundle, "calls", calls);
	admin_json_set(bundle, "alerts", json_array());
	return bundle;
}

void admin_support_show(struct admin_request *request)
{
	struct history_filter filter = { .max = CALLS_MAX };
	struct text sid = request->arguments[0];
	struct history *history = request->context->history;
	if (sid.size < 3 || sid.size >= sizeof(filter.sid)) {
		admin_past_refuse(request, ERR_MALFORMED);
		return;
	}
	fill_filter(sid, &filter);
	request->partial = begin(request->context, sid);
	enum status status = history ? history_find_calls(history, &filter, found_call, request)
				     : ERR_UNAVAILABLE;
	if (status != OK)
		admin_past_refuse(request, status);
}
