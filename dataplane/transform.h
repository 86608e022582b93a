#pragma once

// What is done to a payload between the two legs, by what it arrives as and what it leaves as.
// Runs on: worker.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/message.h"

struct packet;
struct stream;

enum format { FORMAT_RTP, FORMAT_SRTP, FORMAT_COUNT }; // of a leg, its RTCP alike

enum transform_step { // in this order
	TRANSFORM_UNPROTECT = 1 << 0,
	TRANSFORM_RENUMBER = 1 << 1,
	TRANSFORM_PROTECT = 1 << 2,
};

extern const uint8_t transform_table[FORMAT_COUNT][FORMAT_COUNT]; // [arrives as][leaves as]

// The steps of a stream, of its flags.
static inline uint8_t transform_steps(uint8_t flags)
{
	enum format arrives = flags & STREAM_SECURE_ARRIVES ? FORMAT_SRTP : FORMAT_RTP;
	enum format leaves = flags & STREAM_SECURE_LEAVES ? FORMAT_SRTP : FORMAT_RTP;
	return transform_table[arrives][leaves];
}

// The step RENUMBER. Changes the media in the frame in place. `media` is the UDP payload, in the clear.
// false: a telephone event, and who it would leave to takes none.
bool transform_renumber(const struct stream *stream, const struct packet *packet, uint8_t *media);
