// Telephone events by RFC 4733 2.5.2: one begins with a timestamp of its own, goes on under it, and is
// over with its end bit, with the next event, or when nothing more comes. A stranger who may send can
// say what it likes here: how much of it control hears is bounded.
// Runs on: worker. Never allocates, never waits.

#include "dataplane/dtmf/listener.h"

#include "dataplane/dataplane.h"
#include "dataplane/dtmf/digit.h"
#include "dataplane/dtmf/dtmf.h"
#include "dataplane/stream/stream.h"

#define TICK_NS 50000000
#define UNITS_PER_MS 8

static uint32_t now_ms(const struct stream_table *table)
{
	return (uint32_t)(table->now_ns / 1000000);
}

static bool may_tell(const struct stream_table *table, struct listener *listener)
{
	uint32_t now_s = (uint32_t)(table->now_ns / 1000000000);
	if (listener->told_s != now_s)
		listener->told_count = 0;
	listener->told_s = now_s;
	if (listener->told_count == LISTENER_DIGITS_PER_SECOND)
		return false;
	listener->told_count++;
	return true;
}

static void finish(struct stream_table *table, struct stream *stream, struct listener *listener)
{
	struct dtmf *dtmf = table->dtmf;
	struct stream_view *view = &table->views[stream - table->streams];
	uint32_t duration_ms = (listener->before + listener->duration) / UNITS_PER_MS;
	const struct dtmf_report report = {
		.stream = { (uint32_t)(stream - table->streams), stream->generation },
		.duration_ms = duration_ms > UINT16_MAX ? UINT16_MAX : (uint16_t)duration_ms,
		.key = listener->key,
	};
	listener->is_open = false;
	if (!may_tell(table, listener) || !dtmf_report(dtmf, &report)) {
		dtmf->view->digits_dropped++;
		return;
	}
	dtmf->view->digits_heard++;
	view->events = (uint16_t)(view->events + (view->events != UINT16_MAX));
}

static void list(struct dtmf *dtmf, struct dtmf_slot *slot)
{
	if (slot->is_listed)
		return;
	slot->is_listed = true;
	slot->next_open = dtmf->first_open;
	dtmf->first_open = (uint32_t)(slot - dtmf->slots);
}

// The next segment of one that is held for more than 8 seconds (RFC 4733 2.5.1.3).
static bool is_next_segment(const struct listener *listener, const struct packet *packet,
			    const struct digit *digit)
{
	return listener->is_open && !packet->has_marker && listener->ssrc == packet->ssrc &&
	       listener->key == digit->key && listener->duration == UINT16_MAX &&
	       packet->timestamp == listener->timestamp + UINT16_MAX;
}

// Whatever begins before the last one began came late, or is played to us again.
static bool is_late(const struct listener *listener, const struct packet *packet)
{
	uint32_t behind = listener->timestamp - packet->timestamp;
	return listener->has_event && listener->ssrc == packet->ssrc && behind > 0 &&
	       behind < LISTENER_LATE;
}

static void begin(struct listener *listener, const struct packet *packet, char key)
{
	listener->ssrc = packet->ssrc;
	listener->timestamp = packet->timestamp;
	listener->before = 0;
	listener->duration = 0;
	listener->key = key;
	listener->is_open = listener->has_event = true;
}

// false: this packet says nothing of it.
static bool place(struct stream_table *table, struct stream *stream, struct listener *listener,
		  const struct packet *packet, const struct digit *digit)
{
	bool is_same = listener->has_event && listener->ssrc == packet->ssrc &&
		       listener->timestamp == packet->timestamp;
	if (is_same && !listener->is_open) // the end comes three times (RFC 4733 2.5.1.4)
		return false;
	if (is_same && listener->key == digit->key)
		return true;
	if (is_next_segment(listener, packet, digit)) {
		listener->before += listener->duration;
		listener->timestamp = packet->timestamp;
		listener->duration = 0;
		return true;
	}
	if (is_same || digit->key == 0 || is_late(listener, packet)) {
		table->dtmf->view->digits_ignored++;
		return false;
	}
	if (listener->is_open) // its end was lost
		finish(table, stream, listener);
	begin(listener, packet, digit->key);
	return true;
}

void listener_hear(struct stream_table *table, struct stream *stream, const struct packet *packet,
		   const uint8_t *payload)
{
	struct dtmf *dtmf = table->dtmf;
	uint32_t index = (uint32_t)(stream - table->streams);
	if (!dtmf || packet->media_size < DIGIT_SIZE)
		return;
	struct dtmf_slot *slot = &dtmf->slots[dtmf_slot_of(index)];
	struct listener *listener = &slot->listener;
	const struct digit digit = digit_read(payload);
	if (!place(table, stream, listener, packet, &digit))
		return;
	if (listener->duration < digit.duration)
		listener->duration = digit.duration;
	listener->heard_ms = now_ms(table);
	if (digit.is_end)
		finish(table, stream, listener);
	else
		list(dtmf, slot);
}

// A slot may have come to another stream meanwhile; what is at hand there is that one's.
static bool is_over(struct stream_table *table, struct dtmf_slot *slot, uint32_t index)
{
	struct listener *listener = &slot->listener;
	struct stream *stream = &table->streams[index];
	if (!listener->is_open)
		return true;
	if (now_ms(table) - listener->heard_ms < LISTENER_SILENCE_MS)
		return false;
	finish(table, stream, listener);
	return true;
}

void listener_tick(struct stream_table *table)
{
	struct dtmf *dtmf = table->dtmf;
	if (dtmf->first_open == DTMF_NONE || table->now_ns < dtmf->listen_ns)
		return;
	dtmf->listen_ns = table->now_ns + TICK_NS;
	for (uint32_t *link = &dtmf->first_open; *link != DTMF_NONE;) {
		struct dtmf_slot *slot = &dtmf->slots[*link];
		if (is_over(table, slot, dtmf_stream_of(*link))) {
			slot->is_listed = false;
			*link = slot->next_open;
		} else {
			link = &slot->next_open;
		}
	}
}
