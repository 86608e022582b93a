#pragma once

// Digits of our own: telephone events that leave in the place of what the stream relays, numbered so that
// its receiver sees one stream without a gap (DTMF-001). The state lies apart from the stream.
// Runs on: the stream's worker.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/message.h"

struct packet;
struct stream;
struct stream_table;

#define SPEAKER_STEP_MS                                                                            \
	20 // between packets of an event, as those of speech; RFC 4733 2.5.1.2: at most 50
#define SPEAKER_ENDS 3 // RFC 4733 2.5.1.4
#define SPEAKER_PACKET_SIZE 16 // octets of one: RTP without anything, and the event
#define SPEAKER_DURATION_MIN_MS 40 // ITU-T Q.24
#define SPEAKER_DURATION_MAX_MS 8000 // one segment (RFC 4733 2.5.1.3)
#define SPEAKER_GAP_MIN_MS 40
#define SPEAKER_LATE                                                                               \
	1000 // sequence numbers; what comes later than that belongs to a sender that restarted

struct speaker {
	uint64_t begin_ns, due_ns; // of the event at hand, of its next packet; CLOCK_MONOTONIC
	uint32_t ssrc, timestamp; // of that event; 0: nothing was said yet
	uint16_t duration_ms; // of that event
	uint16_t wanted_ms, gap_ms; // of those that follow, and between them
	uint16_t spoken; // packets of that event
	uint16_t next; // sequence number of the next one
	// What arrives with a number up to `from` leaves with `former` added, behind `until` with `shift`.
	// What lies between was replaced, and what comes from before `floor` too late: its number may be
	// used.
	uint16_t shift, former, from, until, floor;
	bool is_speaking : 1; // an event is at hand: `until` is not known yet
	bool has_floor : 1;
	bool is_settled : 1; // nothing late can come any more
	uint8_t count; // of digits; the event at hand is the first one's
	char digits[MESSAGE_DIGITS_MAX];
};

// MESSAGE_STREAM_DIGITS: behind those that wait. false: no stream that takes them, no room, or what
// cannot be.
bool speaker_take(struct stream_table *table, const struct message *message);
// A packet of ours may be due; cheap where nobody speaks.
bool speaker_is_due(const struct stream_table *table);
// Takes the next packet of a stream by speaker_write and sends it. false: there is no room, ask again later.
typedef bool (*speaker_send_fn)(void *context, struct stream *stream);
void speaker_run(struct stream_table *table, speaker_send_fn send,
		 void *context); // all that is due
// RTP in the clear; only from within the callback.
void speaker_write(struct stream_table *table, struct stream *stream,
		   uint8_t octets[static SPEAKER_PACKET_SIZE]);
// A relayed packet of a stream with figures.is_woven gets the number it leaves with. false: it was
// replaced, and does not leave.
bool speaker_weave(struct stream_table *table, struct stream *stream, const struct packet *packet,
		   uint8_t *media);
