// Calls that are up, their streams, and hanging up. Runs on the control thread; reads memory, and the
// workers' public figures.

#include <stdlib.h>
#include <string.h>

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/past.h"
#include "admin/request.h"
#include "base/clock.h"
#include "call/call.h"

static json_t *call_to_json(const struct admin_context *context, const struct call_facts *facts)
{
	uint64_t now_ms = context->clock->wall_ms;
	json_t *object = json_object();
	admin_json_set(object, "sid", admin_json_string(facts->sid));
	admin_json_set(object, "state", json_string(call_state_text(facts->state)));
	admin_json_set(object, "from", admin_json_string(facts->from));
	admin_json_set(object, "to", admin_json_string(facts->to));
	admin_json_set(object, "trunk", admin_json_string(facts->trunk_name));
	admin_json_set(object, "carrier", admin_json_string(facts->carrier_name));
	admin_json_set(object, "started_at", admin_json_time(facts->start_ms));
	admin_json_set(object, "duration_s", admin_json_seconds(facts->start_ms, now_ms));
	admin_json_set(object, "talk_s", admin_json_seconds(facts->answer_ms, now_ms));
	return object;
}

static json_t *drops_to_json(const struct stream_view *view)
{
	json_t *drops = json_object();
	admin_json_set(drops, "ttl", admin_json_number(view->drops[STREAM_DROP_TTL]));
	admin_json_set(drops, "source", admin_json_number(view->drops[STREAM_DROP_SOURCE]));
	admin_json_set(drops, "malformed", admin_json_number(view->drops[STREAM_DROP_MALFORMED]));
	admin_json_set(drops, "no_next_hop",
		       admin_json_number(view->drops[STREAM_DROP_NO_NEXT_HOP]));
	admin_json_set(drops, "tx", admin_json_number(view->drops[STREAM_DROP_TX]));
	return drops;
}

static json_t *idle_ms(const struct admin_context *context, const struct stream_view *view)
{
	uint64_t last_ms = view->last_ns / 1000000, now_ms = context->clock->now_ms;
	if (view->last_ns == 0)
		return json_null();
	return admin_json_number(now_ms > last_ms ? now_ms - last_ms : 0);
}

static json_t *media_to_json(const struct admin_context *context, enum media_side side,
			     const struct media_figures *figures)
{
	const struct stream_view *view = &figures->rtp;
	json_t *object = json_object();
	admin_json_set(object, "from", json_string(side == MEDIA_CALLER ? "caller" : "called"));
	admin_json_set(object, "codec", admin_past_codec(figures->payload_type));
	admin_json_set(object, "event_type",
		       figures->event_type == PAYLOAD_TYPE_NONE
			       ? json_null()
			       : json_integer(figures->event_type));
	admin_json_set(object, "local", admin_json_address(&figures->local));
	admin_json_set(object, "remote", admin_json_address(&figures->remote));
	admin_json_set(object, "source", admin_json_address(&view->source));
	admin_json_set(object, "source_is_learned", json_boolean(view->source_is_learned));
	admin_json_set(object, "remote_is_private", json_boolean(figures->is_private));
	admin_json_set(object, "packets", admin_json_number(view->packets));
	admin_json_set(object, "octets", admin_json_number(view->octets));
	admin_json_set(object, "lost", admin_json_number(figures->lost));
	admin_json_set(object, "loss_percent",
		       admin_past_loss_percent(view->packets, figures->lost));
	admin_json_set(object, "jitter_ms", json_real((double)figures->jitter_us / 1000));
	admin_json_set(object, "ttl_lowest",
		       view->ttl_lowest == 255 || view->generation == 0
			       ? json_null()
			       : json_integer(view->ttl_lowest));
	admin_json_set(object, "events", admin_json_number(view->events));
	admin_json_set(object, "reordered", admin_json_number(view->reordered));
	admin_json_set(object, "duplicates", admin_json_number(view->duplicates));
	admin_json_set(object, "ssrc_changes", admin_json_number(view->ssrc_changes));
	admin_json_set(object, "rtcp_packets", admin_json_number(figures->rtcp.packets));
	admin_json_set(object, "idle_ms", idle_ms(context, view));
	admin_json_set(object, "drops", drops_to_json(view));
	return object;
}

static json_t *story_to_json(const struct admin_context *context, const struct call_facts *facts)
{
	json_t *object = call_to_json(context, facts), *media = json_array();
	admin_json_set(object, "account_sid", admin_json_string(facts->account_sid));
	admin_json_set(object, "trunk_sid", admin_json_string(facts->trunk_sid));
	admin_json_set(object, "caller_address", admin_json_address(&facts->caller));
	admin_json_set(object, "called_address", admin_json_address(&facts->called));
	admin_json_set(object, "call_id_in", admin_json_string(facts->call_id_in));
	admin_json_set(object, "call_id_out", admin_json_string(facts->call_id_out));
	admin_json_set(object, "answered_at", admin_json_time(facts->answer_ms));
	admin_json_set(object, "ladder", admin_past_ladder(facts->ladder));
	for (unsigned side = 0; side < MEDIA_SIDES && facts->has_media; side++)
		(void)json_array_append_new(
			media, media_to_json(context, (enum media_side)side, &facts->media[side]));
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

void admin_calls_show(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	const struct call *call =
		context->calls ? calls_find(context->calls, request->arguments[0]) : NULL;
	if (!call) {
		admin_past_show(request);
		return;
	}
	struct call_facts facts;
	call_read(call, &facts);
	json_t *result = json_object();
	admin_json_set(result, "call", story_to_json(context, &facts));
	admin_request_answer(request, result);
}

static json_t *stream_to_json(const struct admin_context *context, const struct call_facts *facts,
			      enum media_side side)
{
	json_t *object = json_object();
	admin_json_set(object, "call", admin_json_string(facts->sid));
	admin_json_set(object, "stream", admin_json_number(facts->media[side].stream_index));
	json_t *media = media_to_json(context, side, &facts->media[side]);
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
