// The sweep over the ledger of media ports. Runs on the control thread once a minute; changes nothing.

#include "call/watch/leak.h"

#include "base/log.h"
#include "call/record.h"
#include "config/config.h"
#include "media/ports.h"

#define SWEEP_MS 60000
#define SLACK_MS 60000 // from a call's longest life to the end of its last packet

static const char *held_trouble(const struct calls *calls, const struct media_port_facts *port)
{
	const struct sip_config *sip = &calls->config->sip;
	uint64_t longest_ms = (sip->max_call_duration_s + sip->ring_timeout_s) * 1000ull;
	if (calls_find(calls, text_of(port->call_sid)) == NULL)
		return "its call is gone";
	return calls->clock->now_ms > port->since_ms + longest_ms + SLACK_MS
		       ? "held longer than the longest call"
		       : NULL;
}

const char *call_port_trouble(const struct calls *calls, const struct media_port_facts *port)
{
	uint64_t rest_ms = calls->config->media.port_quarantine_ms * 2ull;
	switch (port->state) {
	case MEDIA_PORT_HELD:
		return held_trouble(calls, port);
	case MEDIA_PORT_RESTING:
		return calls->clock->now_ms > port->since_ms + rest_ms ? "rests too long" : NULL;
	default:
		return NULL; // an orphan has its own grace
	}
}

// The first one found is named in the alert.
static unsigned count(const struct calls *calls, enum media_port_state state,
		      struct media_port_facts *first)
{
	const struct media_ports *ports = media_engine_ports(calls->media);
	unsigned leaked = 0;
	uint32_t position = MEDIA_PORTS_START;
	while (ports != NULL && media_ports_next(ports, state, &position)) {
		struct media_port_facts port;
		media_ports_read(ports, position, &port);
		if (call_port_trouble(calls, &port) == NULL)
			continue;
		if (leaked++ == 0 && first->local.family == ADDRESS_NONE)
			*first = port;
	}
	return leaked;
}

static void tell(struct calls *calls, unsigned leaked, const struct media_port_facts *first)
{
	struct refusal refusal = { 0 };
	char seen[192];
	struct writer writer = writer_of(seen, sizeof seen);
	writer_format(&writer, "%u pairs; ", leaked);
	address_write(&first->local, &writer);
	writer_format(&writer, " of call %s: %s", first->call_sid, call_port_trouble(calls, first));
	(void)refusal_set(&refusal, REFUSED_PORTS_LEAKED, "media ports", writer_done(&writer),
			  "every pair given back when its call ends");
	record_node_alert(calls, &refusal);
}

static void sweep(struct wheel_timer *timer, void *context)
{
	struct calls *calls = context;
	struct media_port_facts first = { 0 };
	unsigned leaked = count(calls, MEDIA_PORT_HELD, &first);
	leaked += count(calls, MEDIA_PORT_RESTING, &first);
	bool was_quiet = counter_get(&calls->counters.ports_leaked) == 0;
	counter_set(&calls->counters.ports_leaked, leaked);
	if (leaked > 0 && was_quiet)
		tell(calls, leaked, &first);
	wheel_start(calls->wheel, timer, calls->clock->now_ms + SWEEP_MS);
}

void leak_start(struct calls *calls)
{
	wheel_timer_init(&calls->leak_timer, sweep, calls);
	wheel_start(calls->wheel, &calls->leak_timer, calls->clock->now_ms + SWEEP_MS);
}

void leak_stop(struct calls *calls)
{
	wheel_stop(&calls->leak_timer);
}
