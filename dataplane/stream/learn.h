#pragma once

// Symmetric RTP: who sends is learned from the first plausible flow, then fixed, and media goes back
// there instead of to the address in SDP (MEDIA-008, MEDIA-011).
// Runs on: the stream's worker.

#include <stdbool.h>
#include <stdint.h>

struct packet;
struct stream;
struct stream_table;

// A packet with a negotiated payload, to a stream that listens. `is_given`: it comes from the address
// in SDP, which is relayed meanwhile. true: accepted.
bool learn_from(struct stream_table *table, struct stream *stream, const struct packet *packet,
		const uint8_t *frame, bool is_given);
// An authenticated packet, to a stream that listens: its source is settled at once. false: never to there.
bool learn_authentic(struct stream_table *table, struct stream *stream, const struct packet *packet,
		     const uint8_t *frame);
// The stream coming back is to leave for what this one learned, through the host the frame came from
// until control names the next hop. `frame` NULL: through the next hop it has.
void learn_tell_reverse(struct stream_table *table, struct stream *stream, const uint8_t *frame);
