#pragma once

// The form of SRTP and SRTCP packets: where ROC, index and tag stand, and the IV (RFC 3711, RFC 7714).
// Runs on: worker; pure.

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/crypto/context.h"

static inline uint32_t crypto_srtp_ssrc(const struct crypto_job *job)
{
	uint32_t ssrc;
	memcpy(&ssrc, job->media + (job->is_rtcp ? 4 : 8), sizeof(ssrc));
	return be32toh(ssrc);
}

static inline uint16_t crypto_srtp_sequence(const struct crypto_job *job) // of RTP
{
	return (uint16_t)(job->media[2] << 8 | job->media[3]);
}

static inline void crypto_srtp_set_sequence(struct crypto_job *job, uint16_t sequence)
{
	job->media[2] = (uint8_t)(sequence >> 8);
	job->media[3] = (uint8_t)sequence;
}

// false: it cannot hold its header, index and tag, or is too long to be given them.
bool crypto_srtp_is_whole(const struct crypto_job *job, const struct crypto_context *context);
// What SRTCP says beside its tag. false: not encrypted, which nobody agreed on.
bool crypto_srtp_rtcp_index(const struct crypto_job *job, const struct crypto_context *context,
			    uint64_t *out_index);

// Prepares the job for an engine of KEY_SESSION: its index is set.
void crypto_srtp_lay_out(struct crypto_job *job, const struct crypto_context *context);
void crypto_srtp_undo(struct crypto_job *job); // of what arrives: as it came
void crypto_srtp_finish(struct crypto_job *job); // after the engine: its size
