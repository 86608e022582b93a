#pragma once

// What a stream's RTP headers tell of its quality: RFC 3550 A.1 (sequence), A.3 (loss), A.8 (jitter)
// and the telephone events of RFC 4733.
// Runs on: the stream's worker.

#include <stdbool.h>
#include <stdint.h>

struct packet;
struct stream_view;

struct figures { // the private half, beside the stream; the public half is its view
	uint64_t window; // bit n: sequence_max - n has been seen
	uint32_t base; // extended sequence number the SSRC began with
	uint32_t transit;
	uint32_t expected_before; // from the SSRCs before this one
	uint32_t event_timestamp; // of the last event counted
	uint16_t sequence_max, cycles;
	uint16_t sequence_again; // RFC 3550 A.1 bad_seq: a jump is believed when this one follows
	bool has_ssrc : 1, has_jumped : 1, has_event : 1;
};

_Static_assert(sizeof(struct figures) == 32, "fits the stream's first line");

// `event` is the first four octets of a telephone-event payload, or NULL. `arrival` is in units of
// 1/8000 s.
void figures_add(struct figures *figures, struct stream_view *view, const struct packet *packet,
		 const uint8_t *event, uint32_t arrival);
