// The ledger of media ports for the operator: every pair that is not free, who holds it and since when.
// Runs on the control thread; reads memory only.

#include "admin/handler.h"
#include "admin/json.h"
#include "admin/request.h"
#include "base/clock.h"
#include "call/call.h"
#include "media/media.h"
#include "media/ports.h"

static const char *state_name(enum media_port_state state)
{
	static const char *const names[MEDIA_PORT_STATES] = { [MEDIA_PORT_FREE] = "free",
							      [MEDIA_PORT_HELD] = "held",
							      [MEDIA_PORT_RESTING] = "resting",
							      [MEDIA_PORT_ORPHAN] = "orphan" };
	return names[state];
}

// Why it is not free: its call's state, or what is amiss.
static json_t *reason(const struct admin_context *context, const struct media_port_facts *port)
{
	const char *trouble = context->calls ? call_port_trouble(context->calls, port) : NULL;
	if (trouble)
		return json_string(trouble);
	if (port->state == MEDIA_PORT_RESTING)
		return json_string("late packets of its last call may come");
	if (port->state == MEDIA_PORT_ORPHAN)
		return json_string("open in the dataplane, no call claims it");
	const struct call *call =
		context->calls ? calls_find(context->calls, text_of(port->call_sid)) : NULL;
	if (!call)
		return json_null();
	struct call_facts facts;
	call_read(call, &facts);
	return json_sprintf("call is %s", call_state_text(facts.state));
}

static json_t *port_to_json(const struct admin_context *context,
			    const struct media_port_facts *port)
{
	const struct clock *clock = context->clock;
	uint64_t age_ms = clock->now_ms > port->since_ms ? clock->now_ms - port->since_ms : 0;
	json_t *object = json_object();
	admin_json_set(object, "local", admin_json_address(&port->local));
	admin_json_set(object, "state", json_string(state_name(port->state)));
	admin_json_set(object, "call", admin_json_string(port->call_sid));
	admin_json_set(object, "since", admin_json_time(clock->wall_ms - age_ms));
	admin_json_set(object, "age_s", admin_json_number(age_ms / 1000));
	admin_json_set(object, "worker", admin_json_number(port->worker));
	admin_json_set(object, "leaked",
		       json_boolean(context->calls && call_port_trouble(context->calls, port)));
	admin_json_set(object, "why", reason(context, port));
	return object;
}

static json_t *ledger_to_json(const struct admin_context *context, struct text call_sid)
{
	static const enum media_port_state states[] = { MEDIA_PORT_HELD, MEDIA_PORT_ORPHAN,
							MEDIA_PORT_RESTING };
	json_t *array = json_array();
	const struct media_ports *ports =
		context->media ? media_engine_ports(context->media) : NULL;
	for (unsigned i = 0; ports && i < sizeof(states) / sizeof(states[0]); i++) {
		uint32_t position = MEDIA_PORTS_START;
		while (media_ports_next(ports, states[i], &position)) {
			struct media_port_facts port;
			media_ports_read(ports, position, &port);
			if (call_sid.size == 0 || text_is_equal(call_sid, text_of(port.call_sid)))
				(void)json_array_append_new(array, port_to_json(context, &port));
		}
	}
	return array;
}

static void set_counter(json_t *object, const char *key, const struct counter *counter)
{
	admin_json_set(object, key, admin_json_number(counter_get(counter)));
}

static json_t *totals_to_json(const struct admin_context *context)
{
	json_t *totals = json_object();
	if (context->media) {
		const struct media_counters *counters = media_engine_counters(context->media);
		const struct media_ports *ports = media_engine_ports(context->media);
		uint64_t total = counter_get(&counters->ports_total);
		uint64_t taken = counter_get(&counters->ports_used) +
				 counter_get(&counters->ports_quarantined);
		set_counter(totals, "total", &counters->ports_total);
		set_counter(totals, "used", &counters->ports_used);
		set_counter(totals, "resting", &counters->ports_quarantined);
		admin_json_set(
			totals, "orphans",
			admin_json_number(ports ? media_ports_count(ports, MEDIA_PORT_ORPHAN) : 0));
		admin_json_set(totals, "free",
			       admin_json_number(total > taken ? total - taken : 0));
		set_counter(totals, "refused_calls", &counters->exhausted);
		set_counter(totals, "orphans_closed", &counters->orphans_closed);
	}
	if (context->calls)
		set_counter(totals, "leaked", &calls_counters(context->calls)->ports_leaked);
	admin_json_set(totals, "first_port", json_integer(MEDIA_PORT_FIRST));
	admin_json_set(totals, "last_port", json_integer(MEDIA_PORT_LAST));
	return totals;
}

void admin_ports_show(struct admin_request *request)
{
	struct text call_sid = request->argument_count > 0 ? request->arguments[0] : TEXT_NONE;
	json_t *result = json_object();
	admin_json_set(result, "ports", totals_to_json(request->context));
	admin_json_set(result, "pairs", ledger_to_json(request->context, call_sid));
	admin_request_answer(request, result);
}
