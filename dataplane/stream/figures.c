// Sequence, loss, jitter and telephone events of one stream.
// Runs on: worker. Reads only what packet_parse has bounded.

#include "dataplane/stream/figures.h"

#include "dataplane/message.h"
#include "dataplane/packet.h"

#define DROPOUT_MAX 3000 // RFC 3550 A.1
#define MISORDER_MAX 100
#define WINDOW_BITS 64

static uint32_t extended_max(const struct figures *figures)
{
	return (uint32_t)figures->cycles << 16 | figures->sequence_max;
}

static void begin(struct figures *figures, uint16_t sequence)
{
	figures->sequence_max = sequence;
	figures->cycles = 0;
	figures->base = sequence;
	figures->has_jumped = false;
	figures->window = 1;
}

// What was expected up to here stays in the sum; counting starts again at `sequence`.
static void begin_again(struct figures *figures, uint16_t sequence)
{
	figures->expected_before += extended_max(figures) - figures->base + 1;
	begin(figures, sequence);
}

static void note_late(struct figures *figures, struct stream_view *view, uint16_t behind)
{
	uint64_t bit = behind < WINDOW_BITS ? 1ull << behind : 0;
	if (figures->window & bit)
		view->duplicates++;
	else
		view->reordered++;
	figures->window |= bit;
}

// RFC 3550 A.1, without probation: packets that get here come from an accepted source.
static void add_sequence(struct figures *figures, struct stream_view *view, uint16_t sequence)
{
	uint16_t ahead = (uint16_t)(sequence - figures->sequence_max);
	if (ahead == 0) {
		view->duplicates++;
	} else if (ahead < DROPOUT_MAX) {
		figures->cycles = (uint16_t)(figures->cycles + (sequence < figures->sequence_max));
		figures->sequence_max = sequence;
		figures->window = ahead < WINDOW_BITS ? figures->window << ahead | 1 : 1;
		figures->has_jumped = false;
	} else if (ahead > UINT16_MAX - MISORDER_MAX) {
		note_late(figures, view, (uint16_t)-ahead);
	} else if (figures->has_jumped &&
		   sequence == figures->sequence_again) { // two in a row: the sender restarted
		begin_again(figures, (uint16_t)(sequence - 1));
		add_sequence(figures, view, sequence);
	} else {
		figures->has_jumped = true;
		figures->sequence_again = (uint16_t)(sequence + 1);
	}
}

// RFC 3550 A.8, kept times 16. Packets of one event share a timestamp and say nothing of jitter.
static void add_jitter(struct figures *figures, struct stream_view *view, uint32_t transit)
{
	int32_t change = (int32_t)(transit - figures->transit);
	uint32_t distance = change < 0 ? 0u - (uint32_t)change : (uint32_t)change;
	figures->transit = transit;
	view->jitter += distance - ((view->jitter + 8) >> 4);
}

// RFC 4733 2.5.1.4: the end is sent up to three times, with the event's own timestamp.
static void add_event(struct figures *figures, struct stream_view *view, const uint8_t *event,
		      uint32_t timestamp)
{
	bool is_end = event[1] & 0x80;
	bool is_counted = figures->has_event && figures->event_timestamp == timestamp;
	if (!is_end || is_counted)
		return;
	figures->has_event = true;
	figures->event_timestamp = timestamp;
	view->events++;
}

void figures_add(struct figures *figures, struct stream_view *view, const struct packet *packet,
		 const uint8_t *event, uint32_t arrival)
{
	bool is_new = !figures->has_ssrc || view->ssrc != packet->ssrc;
	uint32_t transit = arrival - packet->timestamp;
	if (is_new) {
		if (figures->has_ssrc) {
			begin_again(figures, packet->sequence);
			view->ssrc_changes++;
		} else {
			begin(figures, packet->sequence);
		}
		figures->has_ssrc = true;
		figures->has_event = false;
		figures->transit = transit;
		view->ssrc = packet->ssrc;
	} else {
		add_sequence(figures, view, packet->sequence);
	}
	if (event)
		add_event(figures, view, event, packet->timestamp);
	else if (!is_new)
		add_jitter(figures, view, transit);
	view->payload_last = packet->payload_type;
	view->expected = figures->expected_before + extended_max(figures) - figures->base + 1;
}
