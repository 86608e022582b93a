// Bursts through intel-ipsec-mb: all of a burst ciphered in one call and hashed in another, the form of
// its interface that costs least; or, where asked for, as jobs of both, the form most programs use.
// Runs on: the owner's thread. It must never look at a replay: its callers number their packets.

#include "protector.h"

#include <stdlib.h>
#include <string.h>

#include <intel-ipsec-mb.h>

#define HEADER_SIZE 12
#define ROLLOVER_SIZE 4
#define HASH_SIZE 12 // HMAC-SHA1 tags come in 12 or 20 octets; what is too much is cut off
#define HASH_KEY_SIZE 20
#define HASH_BLOCK 64

struct protector {
	IMB_MGR *manager;
	bool has_jobs; // of both cipher and hash, in the manager's own queue
	IMB_JOB jobs[PROTECTOR_BURST];
	IMB_JOB *places[PROTECTOR_BURST]; // where this burst's jobs are
	_Alignas(64) uint8_t ivs[PROTECTOR_BURST][16];
	uint8_t tags[PROTECTOR_BURST][HASH_SIZE];
	uint8_t received[PROTECTOR_BURST][16];
	struct protector_packet *owners[PROTECTOR_BURST]; // of the jobs
};

struct protector *protector_create(void)
{
	struct protector *protector = aligned_alloc(64, (sizeof(*protector) + 63) / 64 * 64);
	if (!protector)
		return NULL;
	memset(protector, 0, sizeof(*protector));
	protector->manager = alloc_mb_mgr(0);
	if (protector->manager) {
		init_mb_mgr_auto(protector->manager, NULL);
		return protector;
	}
	free(protector);
	return NULL;
}

void protector_use_jobs(struct protector *protector, bool is_wanted)
{
	protector->has_jobs = is_wanted;
}

void protector_destroy(struct protector *protector)
{
	if (!protector)
		return;
	free_mb_mgr(protector->manager);
	free(protector);
}

static void key_stream(struct protector *protector, const uint8_t *key, unsigned key_size,
		       const uint8_t iv[static 16], uint8_t out[static 32])
{
	_Alignas(16) uint8_t encrypt[16 * 15], decrypt[16 * 15];
	static const uint8_t zero[32];
	if (key_size == 16)
		IMB_AES_KEYEXP_128(protector->manager, key, encrypt, decrypt);
	else
		IMB_AES_KEYEXP_256(protector->manager, key, encrypt, decrypt);
	IMB_JOB job = {
		.cipher_mode = IMB_CIPHER_CNTR,
		.cipher_direction = IMB_DIR_ENCRYPT,
		.hash_alg = IMB_AUTH_NULL,
		.chain_order = IMB_ORDER_CIPHER_HASH,
		.enc_keys = encrypt,
		.dec_keys = encrypt,
		.key_len_in_bytes = key_size,
		.iv = iv,
		.iv_len_in_bytes = 16,
		.src = zero,
		.dst = out,
		.msg_len_to_cipher_in_bytes = 32,
	};
	(void)IMB_SUBMIT_CIPHER_BURST_NOCHECK(protector->manager, &job, 1, IMB_CIPHER_CNTR,
					      IMB_DIR_ENCRYPT, (IMB_KEY_SIZE_BYTES)key_size);
}

void protector_derive(struct protector *protector, enum suite suite, const uint8_t *master,
		      bool is_rtcp, uint8_t out_session[static PROTECTOR_OCTETS_MAX])
{
	const struct suite_facts *facts = suite_facts(suite);
	const unsigned sizes[] = { facts->key_size, SUITE_AUTH_SIZE, facts->salt_size };
	const unsigned places[] = { 0, facts->key_size + facts->salt_size, facts->key_size };
	memset(out_session, 0, PROTECTOR_OCTETS_MAX);
	for (unsigned label = 0; label < 3; label++) { // RFC 3711 4.3.2; 1 is the authentication's
		_Alignas(16) uint8_t iv[16] = { 0 }, octets[32];
		if (label == 1 && suite_is_aead(suite))
			continue;
		memcpy(iv, master + facts->key_size, facts->salt_size);
		iv[7] ^= (uint8_t)(label + (is_rtcp ? 3 : 0));
		key_stream(protector, master, facts->key_size, iv, octets);
		memcpy(out_session + places[label], octets, sizes[label]);
	}
}

static void hash_pad(struct protector *protector, const uint8_t *key, uint8_t pad,
		     uint8_t out[static HASH_KEY_SIZE])
{
	_Alignas(16) uint8_t block[HASH_BLOCK];
	for (unsigned i = 0; i < HASH_BLOCK; i++)
		block[i] = i < HASH_KEY_SIZE ? key[i] ^ pad : pad;
	IMB_SHA1_ONE_BLOCK(protector->manager, block, out);
}

bool protector_set_key(struct protector *protector, enum suite suite, const uint8_t *session,
		       struct protector_key *out_key)
{
	const struct suite_facts *facts = suite_facts(suite);
	_Alignas(16) uint8_t encrypt[16 * 15], decrypt[16 * 15];
	struct protector_key key = { .suite = (uint8_t)suite, .tag_size = facts->tag_size };
	memcpy(key.salt, session + facts->key_size, facts->salt_size);
	if (suite_is_aead(suite)) {
		size_t size = (sizeof(struct gcm_key_data) + 63) / 64 * 64;
		if (!(key.gcm = aligned_alloc(64, size)))
			return false;
		if (suite == SUITE_AES_GCM_128)
			IMB_AES128_GCM_PRE(protector->manager, session, key.gcm);
		else
			IMB_AES256_GCM_PRE(protector->manager, session, key.gcm);
	} else {
		const uint8_t *hash_key = session + facts->key_size + facts->salt_size;
		IMB_AES_KEYEXP_128(protector->manager, session, encrypt, decrypt);
		memcpy(key.cipher, encrypt, sizeof(key.cipher));
		hash_pad(protector, hash_key, 0x36, key.inner);
		hash_pad(protector, hash_key, 0x5c, key.outer);
	}
	*out_key = key;
	return true;
}

void protector_clear_key(struct protector_key *key)
{
	free(key->gcm);
	memset(key, 0, sizeof(*key));
}

static void put_u32(uint8_t *at, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(at, &value, 4);
}

// RFC 3711 4.1.1: salt, SSRC and index over each other; the last 16 bits count blocks.
static void set_iv(uint8_t iv[static 16], const struct protector_packet *packet)
{
	uint32_t words[4], ssrc;
	uint16_t sequence;
	memcpy(words, packet->key->salt, 16);
	memcpy(&ssrc, packet->media + 8, 4);
	memcpy(&sequence, packet->media + 2, 2);
	words[1] ^= ssrc;
	words[2] ^= __builtin_bswap32(packet->rollover);
	words[3] ^= sequence;
	memcpy(iv, words, 16);
}

// RFC 7714 8.1: two octets of zero, SSRC, ROC, sequence number, over the salt.
static void set_gcm_iv(uint8_t iv[static 12], const struct protector_packet *packet)
{
	uint64_t salt, index;
	uint32_t salt_end, ssrc;
	uint16_t sequence;
	memcpy(&salt, packet->key->salt, 8);
	memcpy(&salt_end, packet->key->salt + 8, 4);
	memcpy(&ssrc, packet->media + 8, 4);
	memcpy(&sequence, packet->media + 2, 2);
	index = __builtin_bswap64((uint64_t)__builtin_bswap32(ssrc) << 16 | packet->rollover >> 16);
	salt ^= index;
	salt_end ^= __builtin_bswap32(packet->rollover << 16 | __builtin_bswap16(sequence));
	memcpy(iv, &salt, 8);
	memcpy(iv + 8, &salt_end, 4);
}

static void run_gcm(struct protector *protector, struct protector_packet *packet, bool protects)
{
	_Alignas(16) uint8_t iv[12], tag[16];
	struct gcm_context_data context;
	uint8_t *payload = packet->media + HEADER_SIZE;
	bool is_128 = packet->key->suite == SUITE_AES_GCM_128;
	uint64_t size = packet->size - HEADER_SIZE - (protects ? 0u : sizeof(tag));
	set_gcm_iv(iv, packet);
	IMB_MGR *manager = protector->manager;
	aes_gcm_enc_dec_t work = protects ? is_128 ? manager->gcm128_enc : manager->gcm256_enc
				 : is_128 ? manager->gcm128_dec
					  : manager->gcm256_dec;
	work(packet->key->gcm, &context, payload, payload, size, iv, packet->media, HEADER_SIZE,
	     protects ? payload + size : tag, sizeof(tag));
	packet->is_authentic = protects || memcmp(tag, payload + size, sizeof(tag)) == 0;
	packet->size = (uint16_t)(HEADER_SIZE + size + (protects ? sizeof(tag) : 0));
}

// The ROC stands behind the payload while the tag is made: that is what the tag covers, and where the
// tag itself goes.
static void fill(struct protector *protector, unsigned i, struct protector_packet *packet,
		 bool protects)
{
	const struct protector_key *key = packet->key;
	IMB_JOB *job = protector->places[i];
	unsigned size = packet->size - (protects ? 0u : key->tag_size);
	uint8_t *end = packet->media + size;
	protector->owners[i] = packet;
	set_iv(protector->ivs[i], packet);
	if (!protects)
		memcpy(protector->received[i], end, HASH_SIZE);
	put_u32(end, packet->rollover);
	job->cipher_mode = IMB_CIPHER_CNTR;
	job->cipher_direction = protects ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	job->chain_order = protects ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	job->enc_keys = job->dec_keys = key->cipher;
	job->key_len_in_bytes = 16;
	job->iv = protector->ivs[i];
	job->iv_len_in_bytes = 16;
	job->src = packet->media;
	job->dst = packet->media + HEADER_SIZE;
	job->cipher_start_src_offset_in_bytes = HEADER_SIZE;
	job->msg_len_to_cipher_in_bytes = size - HEADER_SIZE;
	job->hash_alg = IMB_AUTH_HMAC_SHA_1;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = size + ROLLOVER_SIZE;
	job->u.HMAC._hashed_auth_key_xor_ipad = key->inner;
	job->u.HMAC._hashed_auth_key_xor_opad = key->outer;
	job->auth_tag_output = protects ? end : protector->tags[i];
	job->auth_tag_output_len_in_bytes = HASH_SIZE;
}

// Room in the manager's queue comes in one piece, or after a flush.
static void take_places(struct protector *protector, const struct protector_packet *packets,
			unsigned count)
{
	unsigned wanted = 0;
	for (unsigned i = 0; i < count; i++)
		wanted += !packets[i].key->gcm;
	for (unsigned i = 0; i < count; i++)
		protector->places[i] = &protector->jobs[i];
	if (!protector->has_jobs || wanted == 0)
		return;
	while (IMB_GET_NEXT_BURST(protector->manager, wanted, protector->places) < wanted)
		(void)IMB_FLUSH_BURST(protector->manager, wanted, protector->places);
}

static unsigned fill_all(struct protector *protector, struct protector_packet *packets,
			 unsigned count, bool protects)
{
	unsigned filled = 0;
	take_places(protector, packets, count);
	for (unsigned i = 0; i < count; i++)
		if (packets[i].key->gcm)
			run_gcm(protector, &packets[i], protects);
		else
			fill(protector, filled++, &packets[i], protects);
	return filled;
}

static void cipher(struct protector *protector, unsigned count, IMB_CIPHER_DIRECTION direction)
{
	(void)IMB_SUBMIT_CIPHER_BURST_NOCHECK(protector->manager, protector->jobs, count,
					      IMB_CIPHER_CNTR, direction, IMB_KEY_128_BYTES);
}

static void hash(struct protector *protector, unsigned count)
{
	(void)IMB_SUBMIT_HASH_BURST_NOCHECK(protector->manager, protector->jobs, count,
					    IMB_AUTH_HMAC_SHA_1);
}

static void run(struct protector *protector, unsigned count, bool protects)
{
	if (protector->has_jobs) {
		unsigned done = IMB_SUBMIT_BURST(protector->manager, count, protector->places);
		while (done < count)
			done += IMB_FLUSH_BURST(protector->manager, count - done,
						protector->places);
	} else if (protects) {
		cipher(protector, count, IMB_DIR_ENCRYPT);
		hash(protector, count);
	} else {
		hash(protector, count);
		cipher(protector, count, IMB_DIR_DECRYPT);
	}
}

void protector_protect(struct protector *protector, struct protector_packet *packets,
		       unsigned count)
{
	unsigned filled = fill_all(protector, packets, count, true);
	if (filled > 0)
		run(protector, filled, true);
	for (unsigned i = 0; i < filled; i++) {
		struct protector_packet *packet = protector->owners[i];
		packet->size = (uint16_t)(packet->size + packet->key->tag_size);
	}
}

void protector_unprotect(struct protector *protector, struct protector_packet *packets,
			 unsigned count)
{
	unsigned filled = fill_all(protector, packets, count, false);
	if (filled > 0)
		run(protector, filled, false);
	for (unsigned i = 0; i < filled; i++) {
		struct protector_packet *packet = protector->owners[i];
		packet->is_authentic = memcmp(protector->tags[i], protector->received[i],
					      packet->key->tag_size) == 0;
		packet->size = (uint16_t)(packet->size - packet->key->tag_size);
	}
}
