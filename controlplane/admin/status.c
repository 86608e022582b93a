// The node as a whole: its parts, workers, ports, alerts, reload, log level. Runs on the control
// thread.

#include <string.h>

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/limit/limits.h"
#include "admin/request.h"
#include "admin/sip/tls.h"
#include "base/clock.h"
#include "base/log.h"
#include "call/call.h"
#include "config/config.h"
#include "dataplane/dataplane.h"
#include "dataplane/suite.h"
#include "directory/object.h"
#include "history/history.h"
#include "media/media.h"
#include "media/quality/unreachable.h"
#include "sip/guard/guard.h"
#include "store/store.h"

#define RELOAD_ROOM 4096

static void set_counter(json_t *object, const char *key, const struct counter *counter)
{
	admin_json_set(object, key, admin_json_number(counter_get(counter)));
}

static json_t *mac_to_json(const uint8_t mac[static 6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
			    mac[5]);
}

static const char *steering_of(const struct dataplane_facts *facts)
{
	if (facts->worker_count <= 1)
		return "one worker";
	return facts->is_steered ? "by the card" : "by hand-over";
}

static json_t *dataplane_to_json(struct dataplane *dataplane)
{
	json_t *object = json_object();
	admin_json_set(object, "attached", json_boolean(dataplane != NULL));
	if (!dataplane)
		return object;
	const struct dataplane_facts *facts = dataplane_facts(dataplane);
	json_t *addresses = json_array();
	for (unsigned i = 0; i < facts->address_count && i < MEDIA_ADDRESSES_MAX; i++) {
		char room[ADDRESS_TEXT_SIZE];
		struct writer writer = writer_of(room, sizeof(room));
		address_write_host(&facts->addresses[i], &writer);
		(void)json_array_append_new(addresses, admin_json_text(writer_done(&writer)));
	}
	uint64_t up_ns = clock_monotonic_ns() - facts->started_ns;
	admin_json_set(object, "process_id", admin_json_number(facts->process_id));
	admin_json_set(object, "uptime_s", admin_json_number(up_ns / 1000000000));
	admin_json_set(object, "port", admin_json_string(facts->port));
	admin_json_set(object, "interface", admin_json_string(facts->interface));
	admin_json_set(object, "mac", mac_to_json(facts->mac));
	admin_json_set(object, "addresses", addresses);
	admin_json_set(object, "workers", admin_json_number(facts->worker_count));
	admin_json_set(object, "huge_pages", json_boolean(facts->has_huge_pages));
	admin_json_set(object, "engine", admin_json_string(facts->engine));
	admin_json_set(object, "key_form",
		       json_string(facts->key_form == KEY_MASTER ? "master" : "session"));
	admin_json_set(object, "steered", json_boolean(facts->is_steered));
	admin_json_set(object, "steering", json_string(steering_of(facts)));
	return object;
}

// Whether ICMP errors about media are heard (MEDIA-015).
static json_t *icmp_to_json(const struct unreachable *unreachable)
{
	json_t *object = json_object();
	admin_json_set(object, "heard", json_boolean(unreachable != NULL));
	if (!unreachable)
		return object;
	set_counter(object, "errors", &unreachable_counters(unreachable)->received);
	set_counter(object, "about_media", &unreachable_counters(unreachable)->counted);
	return object;
}

static json_t *store_to_json(const struct store *store)
{
	static const char *const STATES[] = {
		[STORE_STARTING] = "starting", [STORE_READY] = "ready", [STORE_AWAY] = "away"
	};
	json_t *object = json_object();
	admin_json_set(object, "state",
		       store ? json_string(STATES[store_state(store)]) : json_null());
	if (!store)
		return object;
	const struct store_counters *counters = store_counters(store);
	admin_json_set(object, "where", admin_json_string(store_where(store)));
	set_counter(object, "changes", &counters->changes);
	set_counter(object, "refused", &counters->refused);
	set_counter(object, "losses", &counters->losses);
	return object;
}

static json_t *history_to_json(const struct history *history)
{
	json_t *object = json_object();
	if (!history)
		return object;
	const struct history_counters *counters = history_counters(history);
	set_counter(object, "calls", &counters->calls);
	set_counter(object, "alerts", &counters->alerts);
	set_counter(object, "written", &counters->written);
	set_counter(object, "waiting", &counters->spool_used);
	set_counter(object, "aside", &counters->aside);
	set_counter(object, "refused", &counters->refused);
	set_counter(object, "failures", &counters->failures);
	set_counter(object, "retired", &counters->retired);
	return object;
}

// Of both directions.
static void set_sum(json_t *object, const char *key, const struct counter *counters)
{
	uint64_t sum = 0;
	for (unsigned direction = 0; direction < CALL_DIRECTIONS; direction++)
		sum += counter_get(&counters[direction]);
	admin_json_set(object, key, admin_json_number(sum));
}

static json_t *calls_to_json(const struct calls *calls)
{
	json_t *object = json_object();
	if (!calls)
		return object;
	const struct call_counters *counters = calls_counters(calls);
	admin_json_set(object, "up", admin_json_number(calls_count(calls)));
	set_sum(object, "started", counters->started);
	set_sum(object, "answered", counters->answered);
	set_sum(object, "ended", counters->ended);
	set_counter(object, "started_by_pstn", &counters->started[CALL_TO_PBX]);
	set_counter(object, "ack_timeouts", &counters->ack_timeouts);
	set_counter(object, "carrier_moves", &counters->carrier_moves);
	set_counter(object, "uri_moves", &counters->uri_moves);
	return object;
}

static json_t *legs_to_json(const struct calls *calls)
{
	const struct call *call = NULL;
	uint64_t secure = 0, plain = 0;
	json_t *object = json_object();
	while (calls && (call = calls_next(calls, call))) {
		struct call_facts facts;
		call_read(call, &facts);
		for (unsigned side = 0; side < MEDIA_SIDES && facts.has_media; side++)
			*(facts.media[side].suite != SUITE_NONE ? &secure : &plain) += 1;
	}
	admin_json_set(object, "srtp", admin_json_number(secure));
	admin_json_set(object, "rtp", admin_json_number(plain));
	return object;
}

static json_t *objects_to_json(const struct directory *directory)
{
	json_t *object = json_object();
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT && directory; kind++)
		admin_json_set(
			object, directory_schema((enum directory_kind)kind)->plural,
			admin_json_number(directory_count(directory, (enum directory_kind)kind)));
	return object;
}

static json_t *loop_to_json(const struct admin_context *context)
{
	json_t *object = json_object();
	set_counter(object, "late_turns", &context->loop_late);
	admin_json_set(object, "worst_ms",
		       json_real((double)counter_get(&context->loop_worst_us) / 1000));
	return object;
}

static json_t *guard_to_json(const struct sip_guard *guard)
{
	json_t *object = json_object();
	if (!guard)
		return object;
	const struct sip_guard_counters *counters = sip_guard_counters(guard);
	uint64_t dropped = 0;
	for (unsigned i = 0; i < SIP_GUARD_DROP_COUNT; i++)
		dropped += counter_get(&counters->dropped[i]);
	admin_json_set(object, "overloaded", json_boolean(counter_get(&counters->is_overloaded)));
	if (counter_get(&counters->is_overloaded))
		set_counter(object, "calls_per_second", &counters->calls_rate);
	set_counter(object, "overloads", &counters->episodes);
	admin_json_set(object, "wait_ms",
		       json_real((double)counter_get(&counters->wait_us) / 1000));
	set_counter(object, "shed", &counters->shed);
	admin_json_set(object, "dropped", admin_json_number(dropped));
	set_counter(object, "bans", &counters->bans_now);
	return object;
}

void admin_status_show(struct admin_request *request)
{
	const struct admin_context *context = request->context;
	const char *reason = NULL;
	bool is_ready = admin_is_ready(context, &reason);
	json_t *result = json_object();
	admin_json_set(result, "ready", json_boolean(is_ready));
	if (!is_ready)
		admin_json_set(result, "reason", json_string(reason));
	admin_json_set(result, "version", json_string(TRUNKD_VERSION));
	admin_json_set(result, "node",
		       admin_json_string(context->config ? context->config->node.name : ""));
	admin_json_set(result, "base_domain",
		       admin_json_string(context->config ? context->config->sip.base_domain : ""));
	admin_json_set(result, "started_at", admin_json_time(context->started_ms));
	admin_json_set(result, "uptime_s",
		       admin_json_number((context->clock->wall_ms - context->started_ms) / 1000));
	admin_json_set(result, "dataplane", dataplane_to_json(atomic_load(&context->dataplane)));
	admin_json_set(result, "icmp", icmp_to_json(context->unreachable));
	admin_json_set(result, "legs", legs_to_json(context->calls));
	admin_json_set(result, "tls",
		       admin_tls_status(context->tls, (int64_t)(context->clock->wall_ms / 1000)));
	admin_json_set(result, "redis", store_to_json(context->store));
	admin_json_set(result, "history", history_to_json(context->history));
	admin_json_set(result, "calls", calls_to_json(context->calls));
	admin_json_set(result, "limits", admin_limits_status(context->calls, context->store));
	admin_json_set(result, "directory", objects_to_json(context->directory));
	admin_json_set(result, "loop", loop_to_json(context));
	admin_json_set(result, "guard", guard_to_json(context->guard));
	admin_request_answer(request, result);
}

static json_t *worker_to_json(const struct dataplane *dataplane, unsigned index)
{
	struct worker_view view;
	dataplane_worker_read(dataplane, index, &view);
	json_t *object = json_object(), *verdicts = json_object();
	admin_json_set(object, "worker", admin_json_number(index));
	admin_json_set(object, "core", admin_json_number(view.lcore));
	admin_json_set(object, "streams", admin_json_number(view.streams_open));
	admin_json_set(object, "busy_percent",
		       json_real(view.cycles > 0
					 ? 100.0 * (double)view.busy_cycles / (double)view.cycles
					 : 0));
	admin_json_set(object, "polls", admin_json_number(view.polls));
	admin_json_set(object, "idle_polls", admin_json_number(view.idle_polls));
	admin_json_set(object, "messages", admin_json_number(view.messages));
	admin_json_set(object, "messages_stale", admin_json_number(view.messages_stale));
	admin_json_set(object, "outbox_full", admin_json_number(view.outbox_full));
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		admin_json_set(verdicts, verdict_label((enum verdict)i),
			       admin_json_number(view.verdicts[i]));
	admin_json_set(object, "verdicts", verdicts);
	return object;
}

void admin_status_workers(struct admin_request *request)
{
	struct dataplane *dataplane = atomic_load(&request->context->dataplane);
	if (!dataplane) {
		struct admin_refusal refusal = { ERR_UNAVAILABLE, NULL, "no dataplane is attached",
						 "see trunkctl status and the log" };
		admin_request_refuse(request, &refusal);
		return;
	}
	json_t *array = json_array(), *result = json_object();
	for (unsigned i = 0; i < dataplane_facts(dataplane)->worker_count; i++)
		(void)json_array_append_new(array, worker_to_json(dataplane, i));
	admin_json_set(result, "workers", array);
	admin_request_answer(request, result);
}

static json_t *lines_to_json(struct text lines)
{
	json_t *array = json_array();
	while (lines.size > 0)
		(void)json_array_append_new(array, admin_json_text(text_split(&lines, '\n')));
	return array;
}

void admin_status_reload(struct admin_request *request)
{
	char room[RELOAD_ROOM] = "";
	struct admin_context *context = request->context;
	enum status status = context->reload
				     ? context->reload(context->reload_context, room, sizeof(room))
				     : ERR_UNSUPPORTED;
	if (status != OK) {
		struct admin_refusal refusal = { status, NULL, room[0] ? room : NULL,
						 "nothing was changed" };
		admin_request_refuse(request, &refusal);
		return;
	}
	json_t *result = json_object();
	admin_json_set(result, "reloaded", json_true());
	if (room[0])
		admin_json_set(result, "warnings", lines_to_json(text_of(room)));
	admin_request_answer(request, result);
}

void admin_status_log_level(struct admin_request *request)
{
	enum log_level level;
	if (!log_level_parse(request->arguments[0], &level)) {
		struct admin_refusal refusal = { ERR_MALFORMED, "LEVEL", "no such level",
						 "allowed: debug, info, warning, error" };
		admin_request_refuse(request, &refusal);
		return;
	}
	log_set_level(level);
	json_t *result = json_object();
	admin_json_set(result, "level", admin_json_text(request->arguments[0]));
	admin_request_answer(request, result);
}
