// Layout of SRTP and SRTCP packets and their IVs. Runs on: worker; pure.
// Touches media[0, size + CRYPTO_ROOM) alone, after crypto_srtp_is_whole said so.
//
//   SRTP,  AES-CM  header | ciphered payload | tag                  tag over all of it and the ROC
//   SRTP,  AEAD    header | ciphered payload | tag                  RFC 7714 8
//   SRTCP, AES-CM  8      | ciphered rest    | E, index | tag       RFC 3711 3.4
//   SRTCP, AEAD    8      | ciphered rest    | tag | E, index       RFC 7714 9

#include "dataplane/crypto/srtp.h"

#include <endian.h>
#include <string.h>

#define RTCP_HEADER CRYPTO_SRTP_RTCP_HEADER
#define WORD CRYPTO_SRTP_WORD
#define ENCRYPTED 0x80000000u

_Static_assert(SUITE_TAG_MAX <= CRYPTO_ROOM, "a tag may be read whole");

static uint32_t read32(const uint8_t *from)
{
	uint32_t value;
	memcpy(&value, from, sizeof(value));
	return be32toh(value);
}

static void write32(uint8_t *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
}

bool crypto_srtp_rtcp_index(const struct crypto_job *job, const struct crypto_context *context,
			    uint64_t *out_index)
{
	unsigned behind = WORD + (context->is_aead ? 0u : context->tag_size);
	uint32_t word = read32(job->media + job->size - behind);
	*out_index = word & ~ENCRYPTED;
	return word & ENCRYPTED;
}

// RFC 3711 4.1.1: salt * 2^16 xor SSRC * 2^64 xor index * 2^16, the low 16 bits count blocks.
// RFC 7714 8.1 and 9.1: two octets of zero, SSRC, index, xor salt.
static void set_iv(struct crypto_job *job, const struct crypto_context *context)
{
	uint64_t high, low;
	uint64_t ssrc = crypto_srtp_ssrc(job);
	memcpy(&high, context->salt, 8);
	memcpy(&low, context->salt + 8, 8);
	if (context->is_aead) {
		high ^= htobe64(ssrc << 16 | job->index >> 32);
		low ^= htobe64(job->index << 32);
	} else {
		high ^= htobe64(ssrc);
		low ^= htobe64(job->index << 16);
	}
	memcpy(job->iv, &high, 8);
	memcpy(job->iv + 8, &low, 8);
}

// All that can be a tag, at once: what is behind a shorter one lies in the room behind the packet.
static void save_tag(struct crypto_job *job)
{
	memcpy(job->tag, job->media + job->tag_offset, sizeof(job->tag));
}

// Of RTP the ROC stands where the tag begins.
static void lay_out_rtp(struct crypto_job *job, unsigned body)
{
	job->hash_size = (uint16_t)(body + WORD);
	job->tag_offset = (uint16_t)body;
	if (job->way == KEY_ARRIVES)
		save_tag(job);
	write32(job->media + body, (uint32_t)(job->index >> 16));
}

static void lay_out_rtcp(struct crypto_job *job, unsigned body)
{
	job->hash_size = job->tag_offset = (uint16_t)(body + WORD);
	if (job->way == KEY_ARRIVES)
		save_tag(job);
	write32(job->media + body, (uint32_t)job->index | ENCRYPTED);
}

static void lay_out_aead(struct crypto_job *job, unsigned body)
{
	job->tag_offset = (uint16_t)body;
	job->aad = job->media;
	job->aad_size = job->clear_size;
	if (job->way == KEY_ARRIVES)
		save_tag(job);
	if (!job->is_rtcp)
		return;
	memcpy(job->rtcp_aad, job->media, RTCP_HEADER);
	write32(job->rtcp_aad + RTCP_HEADER, (uint32_t)job->index | ENCRYPTED);
	job->aad = job->rtcp_aad;
	job->aad_size = RTCP_HEADER + WORD;
}

void crypto_srtp_lay_out(struct crypto_job *job, const struct crypto_context *context)
{
	unsigned body = job->size;
	job->suite = context->suite;
	job->tag_size = context->tag_size;
	if (job->way == KEY_ARRIVES)
		body -= context->tag_size + (job->is_rtcp ? WORD : 0u);
	job->cipher_size = (uint16_t)(body - job->clear_size);
	set_iv(job, context);
	if (context->is_aead)
		lay_out_aead(job, body);
	else if (job->is_rtcp)
		lay_out_rtcp(job, body);
	else
		lay_out_rtp(job, body);
}

void crypto_srtp_undo(struct crypto_job *job)
{
	memcpy(job->media + job->tag_offset, job->tag, job->tag_size);
}

void crypto_srtp_finish_rtcp(struct crypto_job *job)
{
	unsigned body = job->clear_size + job->cipher_size;
	bool leaves = job->way == KEY_LEAVES;
	job->size = (uint16_t)(body + (leaves ? job->tag_size + WORD : 0));
	if (leaves && suite_is_aead(job->suite))
		write32(job->media + body + job->tag_size, (uint32_t)job->index | ENCRYPTED);
}
