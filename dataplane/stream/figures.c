// Sequence, loss, jitter and silence of one stream.
// Runs on: worker. Reads only what packet_parse has bounded.

#include "dataplane/stream/figures.h"

#include <string.h>

#include "dataplane/packet.h"

#define DROPOUT_MAX 3000 // RFC 3550 A.1
#define MISORDER_MAX 100
#define WINDOW_BITS 64
#define JITTER_STEP_MAX 8000 // a second; a greater one is a new time base: hold, a transfer
#define SOUND_SAMPLE 8 // octets looked at, at either end of the payload
// Mu-law by G.711 2a: 0xFF and 0x7F are zero, and of 16-bit sound 0xFE is 8, 0xFD 16, 0xFC 24, each with
// its negative twin (top bit clear). With all of 0x7C set a code is one of these eight: 62 dB below full
// scale, under the noise of any microphone.
#define QUIET_BITS 0x7c7c7c7c7c7c7c7cull

static void count(uint16_t *counter)
{
	*counter = (uint16_t)(*counter + (*counter != UINT16_MAX));
}

// Counting starts at `sequence`; what was expected and received up to here stays in the sum. The packet
// at hand is counted as received already.
static void begin(struct figures *figures, const struct stream_view *view, uint16_t sequence)
{
	figures->sequence_max = sequence;
	figures->cycles = 0;
	figures->expected_from = sequence - view->expected;
	figures->received_from = sequence - ((uint32_t)view->packets - 1);
	figures->has_jumped = false;
	figures->window = 1;
}

static void note_late(struct figures *figures, struct stream_view *view, uint16_t behind)
{
	uint64_t bit = behind < WINDOW_BITS ? 1ull << behind : 0;
	count(figures->window & bit ? &view->duplicates : &view->reordered);
	figures->window |= bit;
}

// RFC 3550 A.1, without probation: packets that get here come from an accepted source. false: the
// sender began again, its time says nothing yet.
static bool add_sequence(struct figures *figures, struct stream_view *view, uint16_t sequence)
{
	uint16_t ahead = (uint16_t)(sequence - figures->sequence_max);
	if (ahead == 0) {
		count(&view->duplicates);
	} else if (ahead < DROPOUT_MAX) {
		figures->cycles = (uint16_t)(figures->cycles + (sequence < figures->sequence_max));
		figures->sequence_max = sequence;
		figures->window = ahead < WINDOW_BITS ? figures->window << ahead | 1 : 1;
		figures->has_jumped = false;
	} else if (ahead > UINT16_MAX - MISORDER_MAX) {
		note_late(figures, view, (uint16_t)-ahead);
	} else if (figures->has_jumped && sequence == figures->sequence_again) {
		// Two in a row: the sender restarted, with the one before.
		begin(figures, view, sequence);
		figures->expected_from--;
		figures->window = 3;
		return false;
	} else {
		figures->has_jumped = true;
		figures->sequence_again = (uint16_t)(sequence + 1);
	}
	return true;
}

// RFC 3550 A.8, kept times 16. Packets of one event share a timestamp and say nothing of jitter.
static void add_jitter(struct figures *figures, struct stream_view *view, uint32_t transit)
{
	int32_t change = (int32_t)(transit - figures->transit);
	uint32_t distance = change < 0 ? 0u - (uint32_t)change : (uint32_t)change;
	figures->transit = transit;
	if (distance <= JITTER_STEP_MAX)
		view->jitter += distance - ((view->jitter + 8) >> 4);
}

// Sixteen octets tell, one millisecond at either end: a tone that can be heard does not rest there. They
// are read again for the checksum of what leaves, so they cost no line of cache of their own.
static bool is_quiet(const uint8_t *payload, size_t size)
{
	uint64_t first, last;
	if (size < SOUND_SAMPLE)
		return false;
	memcpy(&first, payload, sizeof(first));
	memcpy(&last, payload + size - sizeof(last), sizeof(last));
	return (first & last & QUIET_BITS) == QUIET_BITS;
}

static void begin_ssrc(struct figures *figures, struct stream_view *view,
		       const struct packet *packet)
{
	if (figures->has_ssrc)
		count(&view->ssrc_changes);
	begin(figures, view, packet->sequence);
	figures->has_ssrc = true;
	view->ssrc = packet->ssrc;
}

void figures_add(struct figures *figures, struct stream_view *view, const struct packet *packet,
		 const uint8_t *payload, uint32_t arrival)
{
	bool is_sound = packet->payload_type == PACKET_PAYLOAD_PCMU;
	bool goes_on = figures->has_ssrc && view->ssrc == packet->ssrc;
	uint32_t transit = arrival - packet->timestamp;
	if (goes_on)
		goes_on = add_sequence(figures, view, packet->sequence);
	else
		begin_ssrc(figures, view, packet);
	if (!goes_on)
		figures->transit = transit;
	else if (is_sound)
		add_jitter(figures, view, transit);
	if (is_sound) {
		figures_note_type(figures, view, packet->payload_type);
		view->silent += payload && is_quiet(payload, packet->media_size);
	}
	view->payload_last = packet->payload_type;
	view->sequence = figures->sequence_max;
	view->expected = figures_extended_max(figures) - figures->expected_from + 1;
}
