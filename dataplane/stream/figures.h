#pragma once

// What a stream's RTP tells of its quality: RFC 3550 A.1 (sequence), A.3 (loss), A.8 (jitter), changes
// of SSRC and payload type, silence.
// Runs on: the stream's worker.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/message.h"

struct packet;

struct figures { // the private half, beside the stream; the public half is its view
	uint64_t window; // bit n: sequence_max - n has been seen
	// The extended sequence number the SSRC began with, less what the SSRCs before it had: expected
	// packets, received ones.
	uint32_t expected_from, received_from;
	uint32_t transit; // of the last packet of sound: arrival less timestamp
	uint16_t sequence_max, cycles;
	uint16_t sequence_again; // RFC 3550 A.1 bad_seq: a jump is believed when this one follows
	uint8_t audio_type; // payload type last seen that is no telephone event
	bool has_ssrc : 1, has_jumped : 1;
	bool is_woven : 1; // events of ours have been put among its packets (dataplane/dtmf/speaker.h)
};

_Static_assert(sizeof(struct figures) <= 32, "fits the stream's first line");

// A packet in the clear, counted in view->packets already. `payload` is its media_size octets of RTP
// payload; NULL: do not look. What is not PCMU is a telephone event. `arrival` is in 1/8000 s.
void figures_add(struct figures *figures, struct stream_view *view, const struct packet *packet,
		 const uint8_t *payload, uint32_t arrival);

// Also for a packet that is refused for its type, once its source is known to be right.
static inline void figures_note_type(struct figures *figures, struct stream_view *view,
				     uint8_t payload_type)
{
	if (payload_type == figures->audio_type)
		return;
	figures->audio_type = payload_type;
	view->payload_changes =
		(uint8_t)(view->payload_changes + (view->payload_changes < UINT8_MAX));
}

// RFC 3550 A.3, of the present SSRC.
static inline uint32_t figures_extended_max(const struct figures *figures)
{
	return (uint32_t)figures->cycles << 16 | figures->sequence_max;
}
static inline int32_t figures_lost(const struct figures *figures, const struct stream_view *view)
{
	return (int32_t)(figures_extended_max(figures) + 1 - figures->received_from -
			 (uint32_t)view->packets);
}
