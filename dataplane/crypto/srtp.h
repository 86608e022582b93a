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

#define CRYPTO_SRTP_RTP_HEADER 12
#define CRYPTO_SRTP_RTCP_HEADER 8
#define CRYPTO_SRTP_WORD 4 // ROC, or E and index

// false: it cannot hold its header, index and tag, or is too long to be given them.
static inline bool crypto_srtp_is_whole(const struct crypto_job *job,
					const struct crypto_context *context)
{
	unsigned least = job->clear_size;
	bool has_header =
		job->is_rtcp ? least == CRYPTO_SRTP_RTCP_HEADER : least >= CRYPTO_SRTP_RTP_HEADER;
	if (job->way == KEY_ARRIVES)
		least += context->tag_size + (job->is_rtcp ? CRYPTO_SRTP_WORD : 0u);
	return has_header && job->size >= least && job->size <= UINT16_MAX - CRYPTO_ROOM;
}

// What SRTCP says beside its tag. false: not encrypted, which nobody agreed on.
bool crypto_srtp_rtcp_index(const struct crypto_job *job, const struct crypto_context *context,
			    uint64_t *out_index);

// Prepares the job for an engine of KEY_SESSION: its index is set.
void crypto_srtp_lay_out(struct crypto_job *job, const struct crypto_context *context);
void crypto_srtp_undo(struct crypto_job *job); // of what arrives: as it came
void crypto_srtp_finish_rtcp(struct crypto_job *job);

// After the engine: its size.
static inline void crypto_srtp_finish(struct crypto_job *job)
{
	if (job->is_rtcp)
		crypto_srtp_finish_rtcp(job);
	else
		job->size = (uint16_t)(job->clear_size + job->cipher_size +
				       (job->way == KEY_ARRIVES ? 0 : job->tag_size));
}
