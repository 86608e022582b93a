// Calls that are up, their streams, and hanging up. Runs on the control thread; reads memory, and the
// workers' public figures.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/media/stream.h"
#include "admin/history/past.h"
#include "admin/request.h"
#include "base/clock.h"
#include "call/call.h"
#include "sip/tls/tls.h"
#include "sip/transport.h"

static json_t *call_to_json(const struct admin_context *context, const struct call_facts *facts)
{
	uint64_t now_ms = context->clock->wall_ms;
	json_t *object = json_object();
	admin_json_set(object, "sid", admin_json_string(facts->sid));
	admin_json_set(object, "state", json_string(call_state_text(facts->state)));
	admin_json_set(object, "direction", json_string(call_direction_text(facts->direction)));
	admin_json_set(object, "from", admin_json_string(facts->from));
	admin_json_set(object, "to", admin_json_string(facts->to));
	admin_json_set(object, "trunk", admin_json_string(facts->trunk_name));
	admin_json_set(object, "carrier", admin_json_string(facts->carrier_name));
	admin_json_set(object, "started_at", admin_json_time(facts->start_ms));
	admin_json_set(object, "duration_s", admin_json_seconds(facts->start_ms, now_ms));
	admin_json_set(object, "talk_s", admin_json_seconds(facts->answer_ms, now_ms));
	return object;
}

// The suite is known while the connection stands.
static void set_way(json_t *object, const struct admin_context *context, const char *party,
		    const struct call_way *way)
{
	char key[32];
	struct sip_connection_facts facts;
	bool is_tls = way->tls_version != 0;
	bool is_up = is_tls && context->transport &&
		     sip_transport_find(context->transport, way->connection, &facts);
	(void)snprintf(key, sizeof(key), "%s_transport", party);
	admin_json_set(object, key, way->transport ? json_string(way->transport) : json_null());
	(void)snprintf(key, sizeof(key), "%s_tls", party);
	admin_json_set(object, key,
		       is_tls ? json_string(sip_tls_version_text(way->tls_version)) : json_null());
	(void)snprintf(key, sizeof(key), "%s_cipher", party);
	admin_json_set(object, key,
		       is_up && facts.cipher ? json_string(facts.cipher) : json_null());
}

static json_t *story_to_json(const struct admin_context *context, const struct call_facts *facts)
{
	json_t *object = call_to_json(context, facts), *media = json_array();
	admin_json_set(object, "account_sid", admin_json_string(facts->account_sid));
	admin_json_set(object, "trunk_sid", admin_json_string(facts->trunk_sid));
	admin_json_set(object, "uri", admin_json_string(facts->uri));
	admin_json_set(object, "caller_address", admin_json_address(&facts->caller));
	admin_json_set(object, "called_address", admin_json_address(&facts->called));
	set_way(object, context, "caller", &facts->ways[MEDIA_CALLER]);
	set_way(object, context, "called", &facts->ways[MEDIA_CALLED]);
	admin_json_set(object, "call_id_in", admin_json_string(facts->call_id_in));
	admin_json_set(object, "call_id_out", admin_json_string(facts->call_id_out));
	admin_json_set(object, "answered_at", admin_json_time(facts->answer_ms));
	admin_json_set(object, "ladder", admin_past_ladder(facts->ladder));
	for (unsigned side = 0; side < MEDIA_SIDES && facts->has_media; side++)
		(void)json_array_append_new(
			media, admin_stream_to_json(context, facts, (enum media_side)side));
	admin_json_set(object, "secure", json_boolean(facts->is_secure));
	admin_json_set(object, "media", media);
	admin_json_set(object, "alerts", admin_past_alerts(context, facts->sid));
	return object;
}

void admin_calls_list(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	json_t *array = json_array(), *result = json_object();
	const struct call *call = NULL;
	while (context->calls && (call = calls_next(context->calls, call))) {
		struct call_facts facts;
		call_read(call, &facts);
		(void)json_array_append_new(array, call_to_json(context, &facts));
	}
	admin_json_set(result, "calls", array);
	admin_request_answer(request, result);
}

json_t *admin_calls_story(const struct admin_context *context, struct text sid)
{
	const struct call *call = context->calls ? calls_find(context->calls, sid) : NULL;
	struct call_facts facts;
	if (!call)
		return NULL;
	call_read(call, &facts);
	return story_to_json(context, &facts);
}

void admin_calls_show(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	if (!context->calls || !calls_find(context->calls, request->arguments[0])) {
		admin_past_show(request);
		return;
	}
	json_t *result = json_object();
	admin_json_set(result, "call", admin_calls_story(context, request->arguments[0]));
	admin_request_answer(request, result);
}

static json_t *stream_to_json(const struct admin_context *context, const struct call_facts *facts,
			      enum media_side side)
{
	json_t *object = json_object();
	admin_json_set(object, "call", admin_json_string(facts->sid));
	admin_json_set(object, "stream", admin_json_number(facts->media[side].stream_index));
	json_t *media = admin_stream_to_json(context, facts, side);
	(void)json_object_update(object, media); // only memory can lack
	json_decref(media);
	return object;
}

void admin_calls_streams(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	json_t *array = json_array(), *result = json_object();
	const struct call *call = NULL;
	while (context->calls && (call = calls_next(context->calls, call))) {
		struct call_facts facts;
		call_read(call, &facts);
		for (unsigned side = 0; side < MEDIA_SIDES && facts.has_media; side++)
			(void)json_array_append_new(
				array, stream_to_json(context, &facts, (enum media_side)side));
	}
	admin_json_set(result, "streams", array);
	admin_request_answer(request, result);
}

static unsigned hang_up_all(struct calls *calls)
{
	unsigned count = 0;
	const struct call *call = calls_next(calls, NULL);
	while (call) {
		struct call_facts facts;
		call_read(call, &facts);
		struct call *found = calls_find(calls, text_of(facts.sid));
		call = calls_next(calls, call); // before it ends, it may be gone after
		if (!found)
			continue;
		call_hang_up(found);
		count++;
	}
	return count;
}

void admin_calls_hang_up(struct admin_request *request)
{
	struct calls *calls = request->context->calls;
	struct text word = request->arguments[0];
	unsigned count = 0;
	if (calls && text_is_equal(word, TEXT("all"))) {
		count = hang_up_all(calls);
	} else {
		struct call *call = calls ? calls_find(calls, word) : NULL;
		if (!call) {
			struct admin_refusal refusal = { ERR_NOT_FOUND, NULL, "no such call is up",
							 "show calls lists them" };
			admin_request_refuse(request, &refusal);
			return;
		}
		call_hang_up(call);
		count = 1;
	}
	json_t *result = json_object();
	admin_json_set(result, "hung_up", admin_json_number(count));
	admin_request_answer(request, result);
}
