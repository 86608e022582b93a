#pragma once

// Which keys a sender presses: its telephone events, told to control once each (DTMF-002). The state of
// a stream lies apart from the stream, where only packets with an event touch it.
// Runs on: the stream's worker.

#include <stdbool.h>
#include <stdint.h>

struct dtmf;
struct packet;
struct stream;
struct stream_table;

#define LISTENER_SILENCE_MS                                                                        \
	500 // an event whose end was lost is over after this long without a packet
#define LISTENER_DIGITS_PER_SECOND 20 // of a stream; fingers do 10, and machines by RFC 4733 12
#define LISTENER_LATE (30 * 8000) // timestamps so far back are a new time base, not a late packet

struct listener {
	uint32_t ssrc, timestamp; // of the event at hand, or of the last one
	uint32_t before; // duration of its segments before this one, in 1/8000 s
	uint32_t heard_ms; // its last packet came, CLOCK_MONOTONIC, low half
	uint32_t told_s; // the last second in which one was told
	uint16_t duration; // of this segment
	char key;
	uint8_t told_count; // how many were told in that second
	bool is_open : 1, has_event : 1;
};

// A packet of telephone-event that the stream accepted, in the clear; `payload` is its media_size
// octets, 4 at least.
void listener_hear(struct stream_table *table, struct stream *stream, const struct packet *packet,
		   const uint8_t *payload);
// Ends what was begun so long ago; cheap where nothing was.
void listener_tick(struct stream_table *table);
