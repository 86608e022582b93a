// Streams that a former control process left open. They go on for a grace time, in which calls may be
// rebuilt and claim them; then they are closed. Until a worker has confirmed that, nobody gets their ports.
// Runs on: control thread.

#include "base/log.h"
#include "dataplane/dataplane.h"
#include "media/engine.h"

static bool is_stream_open(const struct media_engine *engine, uint32_t index,
			   struct stream_view *out_view)
{
	return dataplane_stream_read(engine->options.dataplane, index, out_view) == OK &&
	       out_view->is_open;
}

void media_orphan_scan(struct media_engine *engine)
{
	const struct clock *clock = engine->options.clock;
	struct log_value value;
	for (uint32_t index = 0; index < engine->stream_count; index++) {
		struct stream_view view;
		if (is_stream_open(engine, index, &view))
			(void)media_ports_mark_orphan(engine->ports, index, clock->now_ms);
	}
	unsigned count = media_ports_count(engine->ports, MEDIA_PORT_ORPHAN);
	engine->orphans_due_ms = 0;
	if (count == 0)
		return;
	engine->orphans_due_ms = clock->now_ms + engine->options.orphan_grace_ms;
	log_event(LOG_WARNING, "media_orphans_found", "port_pairs", log_number(&value, count),
		  NULL);
}

// True when both streams of the pair are closed; asks the worker to close those that are not.
static bool close_pair(struct media_engine *engine, uint32_t rtp_index)
{
	bool is_closed = true;
	for (uint32_t index = rtp_index; index <= rtp_index + 1; index++) {
		struct stream_view view;
		if (!is_stream_open(engine, index, &view))
			continue;
		is_closed = false;
		struct message message = {
			.kind = MESSAGE_STREAM_CLOSE,
			.stream = { index, view.generation },
		};
		if (dataplane_send(engine->options.dataplane, &message) != OK)
			counter_add(&engine->counters.inbox_full, 1);
	}
	return is_closed;
}

// From the end of the grace on, again and again until none is left.
void media_orphan_tick(struct media_engine *engine)
{
	uint64_t now_ms = engine->options.clock->now_ms;
	uint32_t position = MEDIA_PORTS_START;
	unsigned closed = 0;
	if (engine->orphans_due_ms == 0 || now_ms < engine->orphans_due_ms ||
	    !engine->options.dataplane)
		return;
	engine->orphans_due_ms = 0;
	bool is_there = media_ports_next(engine->ports, MEDIA_PORT_ORPHAN, &position);
	while (is_there) {
		struct media_port_facts facts;
		media_ports_read(engine->ports, position, &facts);
		is_there = media_ports_next(engine->ports, MEDIA_PORT_ORPHAN, &position);
		if (close_pair(engine, facts.rtp_index)) {
			media_ports_give(engine->ports, facts.rtp_index, now_ms);
			closed++;
		} else {
			engine->orphans_due_ms = now_ms + MEDIA_ORPHAN_RETRY_MS;
		}
	}
	struct log_value value;
	counter_add(&engine->counters.orphans_closed, closed);
	if (closed > 0)
		log_event(LOG_WARNING, "media_orphans_closed", "port_pairs",
			  log_number(&value, closed), NULL);
}
