// Digits by RFC 4733 2.5.1: a packet every 20 ms with the time the key has been held so far, the last one
// three times, all under the timestamp the key went down. While an event lasts it takes the place of what
// the sender says; then the sender's numbers go on behind ours. Its timestamps stay what they are.
// Runs on: worker. Never allocates, never waits; digits are wiped once they were said.

#include "dataplane/dtmf/speaker.h"

#include <string.h>

#include "base/secret.h"
#include "dataplane/dataplane.h"
#include "dataplane/dtmf/digit.h"
#include "dataplane/dtmf/dtmf.h"
#include "dataplane/stream/stream.h"

#define MS_NS 1000000ull
#define UNIT_NS 125000 // of a timestamp: 1/8000 s
#define UNITS_PER_MS 8
#define STEP_UNITS (SPEAKER_STEP_MS * UNITS_PER_MS)

static uint32_t index_of(const struct stream_table *table, const struct stream *stream)
{
	return (uint32_t)(stream - table->streams);
}

static struct dtmf_slot *slot_of(const struct stream_table *table, const struct stream *stream)
{
	return &table->dtmf->slots[dtmf_slot_of(index_of(table, stream))];
}

static bool can_speak(const struct stream *stream)
{
	return stream->is_open && !(stream->flags & STREAM_IS_RTCP) &&
	       stream->payload_out != PAYLOAD_TYPE_NONE;
}

static bool is_valid(const struct message_digits *digits)
{
	uint8_t octets[DIGIT_SIZE];
	bool is_good = digits->count > 0 && digits->count <= MESSAGE_DIGITS_MAX &&
		       digits->duration_ms >= SPEAKER_DURATION_MIN_MS &&
		       digits->duration_ms <= SPEAKER_DURATION_MAX_MS &&
		       digits->gap_ms >= SPEAKER_GAP_MIN_MS;
	for (unsigned i = 0; is_good && i < digits->count; i++)
		is_good = digit_write(&(struct digit){ .key = digits->text[i] }, octets);
	return is_good;
}

static void list(struct dtmf *dtmf, struct dtmf_slot *slot)
{
	if (slot->is_speaking)
		return;
	slot->is_speaking = true;
	slot->next_speaking = dtmf->first_speaking;
	dtmf->first_speaking = (uint32_t)(slot - dtmf->slots);
}

bool speaker_take(struct stream_table *table, const struct message *message)
{
	const struct message_digits *digits = &message->digits;
	const uint32_t index = message->stream.index;
	if (!table->dtmf || !stream_is_mine(table, index) || !is_valid(digits))
		return false;
	struct stream *stream = &table->streams[index];
	if (!can_speak(stream) || stream->generation != message->stream.generation)
		return false;
	struct dtmf_slot *slot = slot_of(table, stream);
	struct speaker *speaker = &slot->speaker;
	if (speaker->count + digits->count > MESSAGE_DIGITS_MAX)
		return false;
	if (speaker->count == 0 &&
	    speaker->due_ns < table->now_ns) // not into the gap of the last one
		speaker->due_ns = table->now_ns;
	speaker->wanted_ms = digits->duration_ms;
	speaker->gap_ms = digits->gap_ms;
	memcpy(speaker->digits + speaker->count, digits->text, digits->count);
	speaker->count = (uint8_t)(speaker->count + digits->count);
	list(table->dtmf, slot);
	table->dtmf->speak_ns = table->now_ns;
	return true;
}

bool speaker_is_due(const struct stream_table *table)
{
	const struct dtmf *dtmf = table->dtmf;
	return dtmf && dtmf->first_speaking != DTMF_NONE && table->now_ns >= dtmf->speak_ns;
}

// Nobody has spoken on this stream: a number that nobody can know, and nobody needs to.
static void begin_alone(const struct stream_table *table, const struct stream *stream,
			struct speaker *speaker)
{
	uint64_t drawn =
		(table->now_ns ^ (uint64_t)index_of(table, stream) << 40) * 0x9e3779b97f4a7c15u;
	if (speaker->ssrc == 0) {
		speaker->ssrc = (uint32_t)(drawn >> 32) | 1;
		speaker->next =
			(uint16_t)(drawn >> 8 & 0x7fff); // far from its wrap: RFC 3711 3.3.1
	}
	speaker->timestamp = (uint32_t)(table->now_ns / UNIT_NS);
}

static void begin_among(const struct stream_table *table, struct stream *stream,
			struct speaker *speaker)
{
	const struct stream_view *view = &table->views[index_of(table, stream)];
	struct figures *figures = &stream->figures;
	bool goes_on = figures->is_woven && speaker->ssrc == view->ssrc;
	if (!goes_on)
		speaker->shift = 0;
	speaker->has_floor = goes_on && !speaker->is_settled;
	speaker->floor = speaker->until;
	speaker->former = speaker->shift;
	speaker->ssrc = view->ssrc;
	speaker->from = figures->sequence_max;
	speaker->next = (uint16_t)(figures->sequence_max + speaker->shift + 1);
	speaker->timestamp = (uint32_t)(table->now_ns / UNIT_NS) - figures->transit;
	figures->is_woven = true;
}

static void begin(const struct stream_table *table, struct stream *stream, struct speaker *speaker)
{
	if (stream->figures.has_ssrc)
		begin_among(table, stream, speaker);
	else
		begin_alone(table, stream, speaker);
	speaker->is_speaking = true;
	speaker->is_settled = false;
	speaker->spoken = 0;
	speaker->duration_ms = speaker->wanted_ms;
	speaker->begin_ns = table->now_ns;
}

// What arrives from now on goes on behind the event. Whoever sends now may be another than before it.
static void end(const struct stream_table *table, struct stream *stream, struct speaker *speaker)
{
	const struct stream_view *view = &table->views[index_of(table, stream)];
	struct figures *figures = &stream->figures;
	speaker->is_speaking = false;
	speaker->until = figures->sequence_max;
	speaker->shift = (uint16_t)(speaker->next - 1 - figures->sequence_max);
	if (speaker->ssrc != view->ssrc)
		figures->is_woven = false;
	speaker->count--;
	memmove(speaker->digits, speaker->digits + 1, speaker->count);
	secret_wipe(speaker->digits + speaker->count, MESSAGE_DIGITS_MAX - speaker->count);
	uint64_t next_ns = speaker->begin_ns + (speaker->duration_ms + speaker->gap_ms) * MS_NS;
	speaker->due_ns = next_ns > table->now_ns ? next_ns : table->now_ns;
	table->dtmf->view->digits_sent++;
}

// No packet of ours leaves any more: closed, or not to a receiver of events.
static bool is_over(const struct stream_table *table, struct stream *stream,
		    struct speaker *speaker)
{
	if (can_speak(stream))
		return speaker->count == 0;
	if (stream->is_open && speaker->is_speaking)
		end(table, stream, speaker);
	secret_wipe(speaker->digits, sizeof(speaker->digits));
	speaker->count = 0;
	return true;
}

// Every millisecond is often enough, and often enough to be cheap.
void speaker_run(struct stream_table *table, speaker_send_fn send, void *context)
{
	struct dtmf *dtmf = table->dtmf;
	bool has_room = true;
	for (uint32_t *link = &dtmf->first_speaking; *link != DTMF_NONE && has_room;) {
		struct dtmf_slot *slot = &dtmf->slots[*link];
		struct stream *stream = &table->streams[dtmf_stream_of(*link)];
		if (is_over(table, stream, &slot->speaker)) {
			slot->is_speaking = false;
			*link = slot->next_speaking;
			continue;
		}
		if (slot->speaker.due_ns <= table->now_ns)
			has_room = send(context, stream);
		link = &slot->next_speaking;
	}
	dtmf->speak_ns = table->now_ns + MS_NS;
}

static void write16(uint8_t *octets, unsigned value)
{
	octets[0] = (uint8_t)(value >> 8);
	octets[1] = (uint8_t)value;
}

static void write32(uint8_t *octets, uint32_t value)
{
	write16(octets, value >> 16);
	write16(octets + 2, value & UINT16_MAX);
}

void speaker_write(struct stream_table *table, struct stream *stream,
		   uint8_t octets[static SPEAKER_PACKET_SIZE])
{
	struct speaker *speaker = &slot_of(table, stream)->speaker;
	if (!speaker->is_speaking)
		begin(table, stream, speaker);
	unsigned total = speaker->duration_ms * UNITS_PER_MS;
	unsigned updates = (total - 1) / STEP_UNITS; // before the end
	bool is_end = speaker->spoken >= updates;
	const struct digit digit = {
		.key = speaker->digits[0],
		.is_end = is_end,
		.duration = (uint16_t)(is_end ? total : (speaker->spoken + 1u) * STEP_UNITS),
	};
	octets[0] = 0x80;
	octets[1] = (uint8_t)((speaker->spoken == 0 ? 0x80 : 0) | stream->payload_out);
	write16(octets + 2, speaker->next++);
	write32(octets + 4, speaker->timestamp);
	write32(octets + 8, speaker->ssrc);
	(void)digit_write(&digit, octets + 12);
	speaker->due_ns += SPEAKER_STEP_MS * MS_NS;
	if (speaker->due_ns < table->now_ns) // we were late: no burst
		speaker->due_ns = table->now_ns + SPEAKER_STEP_MS / 2 * MS_NS;
	if (++speaker->spoken == updates + SPEAKER_ENDS)
		end(table, stream, speaker);
}

// Of a packet that may have come late, before `until`.
static bool place_late(const struct speaker *speaker, uint16_t sequence, uint16_t *out_shift)
{
	bool is_replaced = (int16_t)(sequence - speaker->from) > 0;
	bool is_below = speaker->has_floor && (int16_t)(sequence - speaker->floor) <= 0;
	*out_shift = speaker->former;
	return !is_replaced && !is_below;
}

// Where the sender's numbers are far from the event nothing late can come; without a shift the two
// numberings are one again.
static void settle(struct stream *stream, struct speaker *speaker, uint16_t sequence)
{
	if ((uint16_t)(sequence - speaker->until) <= SPEAKER_LATE)
		return;
	speaker->is_settled = true;
	if (speaker->shift == 0)
		stream->figures.is_woven = false;
}

bool speaker_weave(struct stream_table *table, struct stream *stream, const struct packet *packet,
		   uint8_t *media)
{
	struct speaker *speaker = &slot_of(table, stream)->speaker;
	uint16_t last = speaker->is_speaking ? speaker->from : speaker->until;
	uint16_t behind = (uint16_t)(last - packet->sequence), shift = speaker->shift;
	bool is_same = packet->ssrc == speaker->ssrc;
	if (!is_same)
		return !speaker->is_speaking;
	if (!speaker->is_settled && behind < SPEAKER_LATE) {
		if (!place_late(speaker, packet->sequence, &shift))
			return false;
	} else if (speaker->is_speaking) {
		return false;
	} else if (!speaker->is_settled) {
		settle(stream, speaker, packet->sequence);
	}
	write16(media + 2, (uint16_t)(packet->sequence + shift));
	return true;
}
