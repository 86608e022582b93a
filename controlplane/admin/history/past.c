// Ended calls, from the database. Runs on the control thread; the search itself runs on the history
// thread, so an answer comes some turns of the loop later.

#include "admin/history/past.h"

#include <string.h>

#include "admin/handler.h"
#include "admin/history/filter.h"
#include "admin/json.h"
#include "admin/request.h"
#include "call/call.h"
#include "directory/directory.h"
#include "history/history.h"

#define LIST_DEFAULT 20
#define ALERTS_MAX 256 // all that history keeps in memory

json_t *admin_past_ladder(const char *ladder)
{
	json_t *steps = json_array();
	struct cursor cursor = cursor_of(text_of(ladder));
	while (!cursor_is_done(&cursor)) {
		struct cursor line = cursor_of(cursor_line(&cursor));
		uint64_t ms = cursor_unsigned(&line, UINT64_MAX / 2);
		struct text leg = cursor_word(&line);
		cursor_skip_space(&line);
		if (line.failed || leg.size < 2)
			continue;
		bool is_in = leg.data[leg.size - 1] == '>';
		leg.size--;
		json_t *step = json_object();
		admin_json_set(step, "ms", admin_json_number(ms));
		admin_json_set(step, "leg", admin_json_text(leg));
		admin_json_set(step, "direction", json_string(is_in ? "in" : "out"));
		admin_json_set(step, "what", admin_json_text(line.rest));
		(void)json_array_append_new(steps, step);
	}
	return steps;
}

static const char *title_of(uint32_t code)
{
	const struct catalogue_entry *entry = catalogue_find(code);
	return entry ? entry->texts[CATALOGUE_ENGLISH].title : "";
}

json_t *admin_past_alert(const struct admin_context *context, const struct history_alert *alert)
{
	json_t *object = json_object();
	admin_json_set(object, "at", admin_json_time(alert->at_ms));
	admin_json_set(object, "code", admin_json_number(alert->code));
	admin_json_set(object, "severity", json_string(history_severity_text(alert->severity)));
	admin_json_set(object, "cause", admin_json_string(alert->cause));
	admin_json_set(object, "title", json_string(title_of(alert->code)));
	admin_json_set(object, "text", admin_json_string(alert->text));
	admin_json_set(object, "header", admin_json_string(alert->header));
	admin_json_set(object, "seen", admin_json_string(alert->seen));
	admin_json_set(object, "expected", admin_json_string(alert->expected));
	admin_json_set(object, "source", admin_json_string(alert->source));
	admin_json_set(object, "more_info", admin_past_more_info(context, alert->code));
	admin_json_set(object, "call", admin_json_string(alert->call_sid));
	admin_json_set(object, "account_sid", admin_json_string(alert->account_sid));
	admin_json_set(object, "trunk_sid", admin_json_string(alert->trunk_sid));
	return object;
}

json_t *admin_past_alerts(const struct admin_context *context, const char *call_sid)
{
	struct history_alert alerts[ALERTS_MAX];
	json_t *array = json_array();
	unsigned count =
		context->history ? history_alerts(context->history, alerts, ALERTS_MAX) : 0;
	for (unsigned i = count; i > 0; i--)
		if (strcmp(alerts[i - 1].call_sid, call_sid) == 0)
			(void)json_array_append_new(array,
						    admin_past_alert(context, &alerts[i - 1]));
	return array;
}

const char *admin_past_trunk_name(const struct admin_context *context, const char *trunk_sid)
{
	const struct trunk *trunk = context->directory && trunk_sid && trunk_sid[0]
					    ? directory_trunk(context->directory, trunk_sid)
					    : NULL;
	if (!trunk)
		return "";
	return trunk->name[0] ? trunk->name : trunk->domain;
}

json_t *admin_past_codec(uint8_t payload_type)
{
	if (payload_type == PAYLOAD_TYPE_NONE)
		return json_null();
	if (payload_type == 0) // RFC 3551 6
		return json_string("PCMU/8000");
	return json_sprintf("payload type %u", payload_type);
}

json_t *admin_past_price(uint64_t micro, bool is_priced)
{
	if (!is_priced)
		return json_null();
	return json_sprintf("%llu.%06llu", (unsigned long long)(micro / 1000000),
			    (unsigned long long)(micro % 1000000));
}

json_t *admin_past_loss_percent(uint64_t packets, uint64_t lost)
{
	uint64_t expected = packets + lost;
	return json_real(expected > 0 ? 100.0 * (double)lost / (double)expected : 0);
}

static json_t *rtcp_to_json(const struct history_media *media)
{
	json_t *reports = json_object();
	admin_json_set(reports, "reports", admin_json_number(media->reports));
	admin_json_set(reports, "generated", admin_json_number(media->generated));
	admin_json_set(reports, "peer_lost", json_integer(media->peer_lost));
	admin_json_set(reports, "peer_jitter_ms", json_real((double)media->peer_jitter_us / 1000));
	admin_json_set(reports, "round_trip_ms", json_real((double)media->round_trip_us / 1000));
	return reports;
}

static json_t *word_or_null(const char *word)
{
	return word[0] ? admin_json_string(word) : json_null();
}

static json_t *word_or_none(const char *word)
{
	return admin_json_string(word[0] ? word : "none");
}

static void set_quality(json_t *object, const struct history_media *media)
{
	admin_json_set(object, "verdict", word_or_none(media->is_recovered ? "" : media->verdict));
	admin_json_set(object, "last_verdict", word_or_none(media->verdict));
	admin_json_set(object, "suite", word_or_none(media->suite));
	admin_json_set(object, "mos",
		       media->mos ? json_real((double)media->mos / 100) : json_null());
	admin_json_set(object, "silent_packets", admin_json_number(media->silent));
	admin_json_set(object, "reordered", admin_json_number(media->reordered));
	admin_json_set(object, "duplicates", admin_json_number(media->duplicates));
	admin_json_set(object, "ssrc_changes", admin_json_number(media->ssrc_changes));
	admin_json_set(object, "payload_changes", admin_json_number(media->payload_changes));
	admin_json_set(object, "source", word_or_null(media->source));
	admin_json_set(object, "refused", word_or_null(media->refused));
	admin_json_set(object, "icmp_errors", admin_json_number(media->unreachable));
	admin_json_set(object, "rtcp", rtcp_to_json(media));
}

static void set_drops(json_t *drops, const struct history_media *media)
{
	admin_json_set(drops, "ttl", admin_json_number(media->drops_ttl));
	admin_json_set(drops, "source", admin_json_number(media->drops_source));
	admin_json_set(drops, "authentication", admin_json_number(media->drops_authentication));
	admin_json_set(drops, "replay", admin_json_number(media->drops_replay));
	admin_json_set(drops, "payload_type", admin_json_number(media->drops_payload_type));
	admin_json_set(drops, "other", admin_json_number(media->drops_other));
}

static json_t *media_to_json(const char *from, const struct history_media *media)
{
	bool has_codec = media->packets > 0 || media->local[0];
	json_t *object = json_object(), *drops = json_object();
	admin_json_set(object, "from", json_string(from));
	admin_json_set(object, "codec",
		       has_codec ? admin_past_codec(media->payload_type) : json_null());
	admin_json_set(object, "local",
		       media->local[0] ? admin_json_string(media->local) : json_null());
	admin_json_set(object, "remote",
		       media->remote[0] ? admin_json_string(media->remote) : json_null());
	admin_json_set(object, "packets", admin_json_number(media->packets));
	admin_json_set(object, "octets", admin_json_number(media->octets));
	admin_json_set(object, "lost", admin_json_number(media->lost));
	admin_json_set(object, "loss_percent",
		       admin_past_loss_percent(media->packets, media->lost));
	admin_json_set(object, "jitter_ms", json_real((double)media->jitter_us / 1000));
	admin_json_set(object, "ttl_lowest",
		       media->ttl_lowest == 255 ? json_null() : json_integer(media->ttl_lowest));
	admin_json_set(object, "events", admin_json_number(media->events));
	set_quality(object, media);
	set_drops(drops, media);
	admin_json_set(object, "drops", drops);
	return object;
}

static json_t *call_to_json(const struct admin_context *context, const struct history_call *call)
{
	json_t *object = json_object();
	admin_json_set(object, "sid", admin_json_string(call->sid));
	admin_json_set(object, "state", json_string("ended"));
	admin_json_set(object, "direction", admin_json_string(call->direction));
	admin_json_set(object, "from", admin_json_string(call->from));
	admin_json_set(object, "to", admin_json_string(call->to));
	admin_json_set(object, "trunk",
		       admin_json_string(admin_past_trunk_name(context, call->trunk_sid)));
	admin_json_set(object, "carrier", admin_json_string(call->carrier));
	admin_json_set(object, "started_at", admin_json_time(call->start_ms));
	admin_json_set(object, "duration_s", admin_json_seconds(call->start_ms, call->end_ms));
	admin_json_set(object, "talk_s", admin_json_seconds(call->answer_ms, call->end_ms));
	admin_json_set(object, "sip_status", admin_json_number(call->sip_status));
	admin_json_set(object, "reason", admin_json_string(call->reason));
	admin_json_set(object, "ended_by", json_string(history_end_text(call->ended_by)));
	admin_json_set(object, "secure", json_boolean(call->is_secure));
	if (call->parent_sid[0] != '\0')
		admin_json_set(object, "parent_sid", admin_json_string(call->parent_sid));
	admin_json_set(object, "billed_s", admin_json_number(call->billed_s));
	admin_json_set(object, "price", admin_past_price(call->price_micro, call->is_priced));
	return object;
}

json_t *admin_past_story(const struct admin_context *context, const struct history_call *call)
{
	json_t *object = call_to_json(context, call), *media = json_array();
	admin_json_set(object, "account_sid", admin_json_string(call->account_sid));
	admin_json_set(object, "trunk_sid", admin_json_string(call->trunk_sid));
	admin_json_set(object, "carrier_sid", admin_json_string(call->carrier_sid));
	admin_json_set(object, "caller_address", admin_json_string(call->source));
	admin_json_set(object, "uri", admin_json_string(call->uri));
	admin_json_set(object, "called_address",
		       admin_json_string(call->uri[0] ? call->uri_address : call->carrier_address));
	admin_json_set(object, "call_id_in", admin_json_string(call->call_id_in));
	admin_json_set(object, "call_id_out", admin_json_string(call->call_id_out));
	admin_json_set(object, "ringing_at", admin_json_time(call->ringing_ms));
	admin_json_set(object, "answered_at", admin_json_time(call->answer_ms));
	admin_json_set(object, "ended_at", admin_json_time(call->end_ms));
	admin_json_set(object, "attempts", admin_json_number(call->attempts));
	admin_json_set(object, "alert_code", admin_json_number(call->alert_code));
	admin_json_set(object, "ladder", admin_past_ladder(call->ladder));
	if (call->answer_ms > 0 || call->caller.packets + call->called.packets > 0) {
		(void)json_array_append_new(media, media_to_json("caller", &call->caller));
		(void)json_array_append_new(media, media_to_json("called", &call->called));
	}
	admin_json_set(object, "rate_prefix", word_or_null(call->rate_prefix));
	admin_json_set(object, "media", media);
	admin_json_set(object, "alerts", admin_past_alerts(context, call->sid));
	return object;
}

static void answer_story(struct admin_request *request)
{
	json_t *result = json_object();
	admin_json_set(result, "call", request->partial);
	request->partial = NULL;
	admin_request_answer(request, result);
}

// Those of the database are all there are: memory holds the latest of the node alone.
static void found_its_alert(void *context, const struct history_alert *alert)
{
	struct admin_request *request = context;
	if (!alert)
		answer_story(request);
	else if (!admin_request_is_detached(request))
		(void)json_array_insert_new(json_object_get(request->partial, "alerts"), 0,
					    admin_past_alert(request->context, alert));
}

static void find_its_alerts(struct admin_request *request)
{
	struct history_filter filter = { .max = ALERTS_MAX };
	(void)text_copy(request->arguments[0], filter.sid, sizeof(filter.sid));
	admin_json_set(request->partial, "alerts", json_array());
	if (history_find_alerts(request->context->history, &filter, found_its_alert, request) != OK)
		answer_story(request);
}

static void found_one(void *context, const struct history_call *call)
{
	struct admin_request *request = context;
	if (call && !admin_request_is_detached(request)) {
		json_decref(request->partial);
		request->partial = admin_past_story(request->context, call);
	}
	if (call)
		return;
	if (request->partial) {
		find_its_alerts(request);
		return;
	}
	struct admin_refusal refusal = { ERR_NOT_FOUND, NULL, "no call of this SID",
					 "show calls and show history list them" };
	admin_request_refuse(request, &refusal);
}

static void found_row(void *context, const struct history_call *call)
{
	struct admin_request *request = context;
	if (call && !admin_request_is_detached(request))
		(void)json_array_append_new(request->partial, call_to_json(request->context, call));
	if (call)
		return;
	json_t *result = json_object();
	admin_json_set(result, "calls", request->partial);
	request->partial = NULL;
	admin_request_answer(request, result);
}

void admin_past_refuse(struct admin_request *request, enum status status)
{
	struct admin_refusal refusal = { status, NULL, NULL, NULL };
	if (status == ERR_MALFORMED)
		refusal.message = "this is no SID";
	admin_request_refuse(request, &refusal);
}

bool admin_past_begin(struct admin_request *request, const char *allowed, unsigned usual_max,
		      struct history_filter *out_filter)
{
	struct admin_filter_problem problem;
	if (!admin_filter_parse(request, allowed, out_filter, &problem)) {
		admin_filter_refuse(request, &problem);
		return false;
	}
	out_filter->max = out_filter->max > 0 ? out_filter->max : usual_max;
	if (!request->context->history)
		admin_past_refuse(request, ERR_UNAVAILABLE);
	return request->context->history != NULL;
}

void admin_past_show(struct admin_request *request)
{
	char sid[40];
	enum status status = ERR_MALFORMED;
	if (text_copy(request->arguments[0], sid, sizeof(sid)) && sid[0])
		status = request->context->history ? history_search(request->context->history, sid,
								    1, found_one, request)
						   : ERR_UNAVAILABLE;
	if (status != OK)
		admin_past_refuse(request, status);
}

void admin_past_list(struct admin_request *request)
{
	struct history_filter filter;
	struct history *history = request->context->history;
	if (!admin_past_begin(request, "account trunk direction status number since until code",
			      LIST_DEFAULT, &filter))
		return;
	request->partial = json_array();
	enum status status = history_find_calls(history, &filter, found_row, request);
	if (status != OK)
		admin_past_refuse(request, status);
}
