// intel-ipsec-mb without DPDK in between. AES-CM goes through the synchronous burst calls: the hash of
// a whole burst fills the lanes of the CPU, packets of both ways together. AEAD goes packet by packet.
// Runs on: the worker, but for start and stop. Never allocates there. What leaves is FORWARDED only
// when it was both ciphered and authenticated.

#include "dataplane/crypto/ipsec_mb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <intel-ipsec-mb.h>

#include "base/secret.h"

#define BURST IMB_MAX_BURST_SIZE
#define TAG_WRITTEN 12 // of HMAC-SHA1 the library writes 12 octets or 20, never 10
#define GCM_BLOCKS 6144 // precomputed keys a worker can hold; what has none computes it per packet

struct area { // of one context
	union {
		struct {
			uint8_t round_keys[11 * 16];
			uint8_t inner[32], outer[32]; // SHA-1 of the padded key; 20 octets each
		} cm;
		struct {
			uint8_t octets[SUITE_KEY_MAX];
			uint32_t block; // of the pool, plus one; 0: none
		} gcm;
	};
	uint8_t suite; // enum suite
};

#define AREA_SIZE 256
_Static_assert(sizeof(struct area) <= AREA_SIZE, "an area holds either kind of key");

// The library reads it aligned to 64 octets, and its header only says so where LINUX is defined.
struct block {
	_Alignas(64) struct gcm_key_data data;
};

struct burst { // AES-CM, by way
	struct crypto_job *leaving[BURST], *arriving[BURST];
	unsigned leaving_count, arriving_count;
};

struct worker {
	IMB_MGR *manager;
	unsigned count; // of jobs that wait
	struct crypto_job *jobs[CRYPTO_JOBS_MAX];
	IMB_JOB orders[BURST];
	uint8_t tags[BURST][16]; // computed of what arrives
	struct block *blocks, scratch;
	uint16_t free_blocks[GCM_BLOCKS];
	unsigned free_count;
};

struct engine {
	unsigned worker_count;
	struct worker *workers[];
};

static bool can_run(void)
{
	IMB_MGR *manager = alloc_mb_mgr(0);
	if (!manager)
		return false;
	bool has_aes = (manager->features & IMB_CPUFLAGS_AVX) == IMB_CPUFLAGS_AVX;
	free_mb_mgr(manager);
	return has_aes;
}

static void destroy_worker(struct worker *worker)
{
	if (!worker)
		return;
	if (worker->manager)
		free_mb_mgr(worker->manager);
	if (worker->blocks)
		secret_wipe(worker->blocks, GCM_BLOCKS * sizeof(*worker->blocks));
	free(worker->blocks);
	secret_wipe(worker, sizeof(*worker));
	free(worker);
}

static void prepare_orders(struct worker *worker)
{
	for (unsigned i = 0; i < BURST; i++)
		worker->orders[i] = (IMB_JOB){
			.cipher_mode = IMB_CIPHER_CNTR,
			.cipher_direction = IMB_DIR_ENCRYPT, // of a key stream both ways are one
			.chain_order = IMB_ORDER_CIPHER_HASH,
			.key_len_in_bytes = IMB_KEY_128_BYTES,
			.iv_len_in_bytes = 16,
			.hash_alg = IMB_AUTH_HMAC_SHA_1,
			.auth_tag_output_len_in_bytes = TAG_WRITTEN,
		};
}

static struct worker *create_worker(void)
{
	struct worker *worker = aligned_alloc(64, (sizeof(*worker) + 63) / 64 * 64);
	if (!worker)
		return NULL;
	memset(worker, 0, sizeof(*worker));
	worker->manager = alloc_mb_mgr(0);
	worker->blocks = aligned_alloc(64, GCM_BLOCKS * sizeof(*worker->blocks));
	if (!worker->manager || !worker->blocks) {
		destroy_worker(worker);
		return NULL;
	}
	memset(worker->blocks, 0, GCM_BLOCKS * sizeof(*worker->blocks));
	init_mb_mgr_auto(worker->manager, NULL);
	prepare_orders(worker);
	while (worker->free_count < GCM_BLOCKS) {
		worker->free_blocks[worker->free_count] =
			(uint16_t)(GCM_BLOCKS - 1 - worker->free_count);
		worker->free_count++;
	}
	return worker;
}

static void stop(void *state)
{
	struct engine *engine = state;
	for (unsigned i = 0; engine && i < engine->worker_count; i++)
		destroy_worker(engine->workers[i]);
	free(engine);
}

static enum status start(const struct crypto_engine *self, const struct crypto_plan *plan,
			 void **out_engine)
{
	(void)self;
	struct engine *engine =
		calloc(1, sizeof(*engine) + plan->worker_count * sizeof(struct worker *));
	if (!engine)
		goto fail;
	engine->worker_count = plan->worker_count;
	for (unsigned i = 0; i < plan->worker_count; i++)
		if (!(engine->workers[i] = create_worker()))
			goto fail;
	*out_engine = engine;
	return OK;
fail:
	stop(engine);
	return ERR_MEMORY;
}

static void *worker_of(void *engine, unsigned index)
{
	return ((struct engine *)engine)->workers[index];
}

static void hash_pad(IMB_MGR *manager, const uint8_t *key, uint8_t pad, uint8_t *out)
{
	uint8_t block[64];
	memset(block, pad, sizeof(block));
	for (unsigned i = 0; i < SUITE_AUTH_SIZE; i++)
		block[i] ^= key[i];
	IMB_SHA1_ONE_BLOCK(manager, block, out);
	secret_wipe(block, sizeof(block));
}

static void set_cm_key(struct worker *worker, struct area *area, const struct crypto_key *key)
{
	const struct suite_facts *facts = suite_facts(key->suite);
	const uint8_t *authentication = key->octets + facts->key_size + facts->salt_size;
	_Alignas(16) uint8_t unused[11 * 16]; // the counter mode has no other direction
	IMB_AES_KEYEXP_128(worker->manager, key->octets, area->cm.round_keys, unused);
	secret_wipe(unused, sizeof(unused));
	hash_pad(worker->manager, authentication, 0x36, area->cm.inner);
	hash_pad(worker->manager, authentication, 0x5c, area->cm.outer);
}

static void precompute(struct worker *worker, const struct area *area, struct gcm_key_data *out)
{
	if (area->suite == SUITE_AES_GCM_256)
		IMB_AES256_GCM_PRE(worker->manager, area->gcm.octets, out);
	else
		IMB_AES128_GCM_PRE(worker->manager, area->gcm.octets, out);
}

static bool set_key(void *state, void *key_area, const struct crypto_key *key)
{
	struct worker *worker = state;
	struct area *area = key_area;
	area->suite = (uint8_t)key->suite;
	if (!suite_is_aead(key->suite)) {
		set_cm_key(worker, area, key);
		return true;
	}
	memcpy(area->gcm.octets, key->octets, suite_facts(key->suite)->key_size);
	area->gcm.block = 0;
	if (!key->is_rtcp && worker->free_count > 0) {
		uint16_t block = worker->free_blocks[--worker->free_count];
		area->gcm.block = block + 1u;
		precompute(worker, area, &worker->blocks[block].data);
	}
	return true;
}

static void clear_key(void *state, void *key_area)
{
	struct worker *worker = state;
	struct area *area = key_area;
	if (suite_is_aead(area->suite) && area->gcm.block > 0) {
		uint16_t block = (uint16_t)(area->gcm.block - 1);
		secret_wipe(&worker->blocks[block], sizeof(worker->blocks[block]));
		worker->free_blocks[worker->free_count++] = block;
	}
	secret_wipe(area, AREA_SIZE);
}

static unsigned submit(void *state, struct crypto_job *const *jobs, unsigned count)
{
	struct worker *worker = state;
	if (count > CRYPTO_JOBS_MAX - worker->count)
		count = CRYPTO_JOBS_MAX - worker->count;
	memcpy(&worker->jobs[worker->count], jobs, count * sizeof(*jobs));
	worker->count += count;
	return count;
}

static uint64_t load(const uint8_t *from)
{
	uint64_t value;
	memcpy(&value, from, sizeof(value));
	return value;
}

// Time depends on nothing but the size, which everybody knows.
static bool is_genuine(const struct crypto_job *job, const uint8_t *computed)
{
	static const uint8_t masks[32] = { 255, 255, 255, 255, 255, 255, 255, 255,
					   255, 255, 255, 255, 255, 255, 255, 255 };
	const uint8_t *mask = masks + SUITE_TAG_MAX - job->tag_size;
	return (((load(job->tag) ^ load(computed)) & load(mask)) |
		((load(job->tag + 8) ^ load(computed + 8)) & load(mask + 8))) == 0;
}

static const struct gcm_key_data *gcm_key(struct worker *worker, const struct area *area)
{
	if (area->gcm.block > 0)
		return &worker->blocks[area->gcm.block - 1].data;
	precompute(worker, area, &worker->scratch.data);
	return &worker->scratch.data;
}

static void encrypt(struct worker *worker, struct crypto_job *job, const struct gcm_key_data *key,
		    uint8_t *out_tag)
{
	struct gcm_context_data context;
	uint8_t *body = job->media + job->clear_size;
	if (job->suite == SUITE_AES_GCM_256)
		IMB_AES256_GCM_ENC(worker->manager, key, &context, body, body, job->cipher_size,
				   job->iv, job->aad, job->aad_size, out_tag, job->tag_size);
	else
		IMB_AES128_GCM_ENC(worker->manager, key, &context, body, body, job->cipher_size,
				   job->iv, job->aad, job->aad_size, out_tag, job->tag_size);
}

static void decrypt(struct worker *worker, struct crypto_job *job, const struct gcm_key_data *key,
		    uint8_t *out_tag)
{
	struct gcm_context_data context;
	uint8_t *body = job->media + job->clear_size;
	if (job->suite == SUITE_AES_GCM_256)
		IMB_AES256_GCM_DEC(worker->manager, key, &context, body, body, job->cipher_size,
				   job->iv, job->aad, job->aad_size, out_tag, job->tag_size);
	else
		IMB_AES128_GCM_DEC(worker->manager, key, &context, body, body, job->cipher_size,
				   job->iv, job->aad, job->aad_size, out_tag, job->tag_size);
}

// Deciphering happens while the tag is computed; what was not genuine is ciphered back.
static void run_aead(struct worker *worker, struct crypto_job *job)
{
	const struct gcm_key_data *key = gcm_key(worker, job->key);
	uint8_t tag[SUITE_TAG_MAX];
	if (job->way == KEY_LEAVES) {
		encrypt(worker, job, key, job->media + job->tag_offset);
		job->verdict = VERDICT_FORWARDED;
		return;
	}
	decrypt(worker, job, key, tag);
	if (is_genuine(job, tag)) {
		job->verdict = VERDICT_FORWARDED;
		return;
	}
	encrypt(worker, job, key, tag);
	job->verdict = VERDICT_DROP_AUTHENTICATION;
}

static IMB_JOB *fill(struct worker *worker, unsigned at, struct crypto_job *job)
{
	const struct area *area = job->key;
	IMB_JOB *order = &worker->orders[at];
	order->enc_keys = area->cm.round_keys;
	order->src = job->media;
	order->dst = job->media + job->clear_size;
	order->cipher_start_src_offset_in_bytes = job->clear_size;
	order->msg_len_to_cipher_in_bytes = job->cipher_size;
	order->msg_len_to_hash_in_bytes = job->hash_size;
	order->iv = job->iv;
	order->u.HMAC._hashed_auth_key_xor_ipad = area->cm.inner;
	order->u.HMAC._hashed_auth_key_xor_opad = area->cm.outer;
	return order;
}

static void spoil(struct crypto_job *const *jobs, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		jobs[i]->verdict = VERDICT_DROP_AUTHENTICATION;
}

// Ciphers orders from `first` on: the runs of those that are FORWARDED so far and have anything to
// cipher. `all`: that is every one of them.
static void cipher(struct worker *worker, unsigned first, struct crypto_job *const *jobs,
		   unsigned count, bool all)
{
	for (unsigned from = 0, to; from < count; from = to + 1) {
		to = all ? count : from;
		while (to < count && jobs[to]->verdict == VERDICT_FORWARDED &&
		       jobs[to]->cipher_size > 0)
			to++;
		if (to > from &&
		    IMB_SUBMIT_CIPHER_BURST_NOCHECK(worker->manager, &worker->orders[first + from],
						    to - from, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
						    IMB_KEY_128_BYTES) != to - from)
			spoil(jobs + from, to - from);
	}
}

static void cipher_leaving(struct worker *worker, struct crypto_job *const *jobs, unsigned count)
{
	bool all = true;
	for (unsigned i = 0; i < count; i++) {
		fill(worker, i, jobs[i])->auth_tag_output = jobs[i]->media + jobs[i]->tag_offset;
		jobs[i]->verdict = VERDICT_FORWARDED;
		all &= jobs[i]->cipher_size > 0;
	}
	cipher(worker, 0, jobs, count, all);
}

static void decipher_genuine(struct worker *worker, unsigned first, struct crypto_job *const *jobs,
			     unsigned count)
{
	bool all = true;
	for (unsigned i = 0; i < count; i++) {
		bool is_right = is_genuine(jobs[i], worker->tags[first + i]);
		jobs[i]->verdict = is_right ? VERDICT_FORWARDED : VERDICT_DROP_AUTHENTICATION;
		all &= is_right & (jobs[i]->cipher_size > 0);
	}
	cipher(worker, first, jobs, count, all);
}

// What leaves is ciphered first, then the tags of all are computed together, then what arrived and is
// genuine is deciphered. The nocheck calls: every field is ours, and the tests cover every size.
static void run_burst(struct worker *worker, const struct burst *burst)
{
	const unsigned leaving = burst->leaving_count, arriving = burst->arriving_count;
	cipher_leaving(worker, burst->leaving, leaving);
	for (unsigned i = 0; i < arriving; i++)
		fill(worker, leaving + i, burst->arriving[i])->auth_tag_output =
			worker->tags[leaving + i];
	if (IMB_SUBMIT_HASH_BURST_NOCHECK(worker->manager, worker->orders, leaving + arriving,
					  IMB_AUTH_HMAC_SHA_1) == leaving + arriving) {
		decipher_genuine(worker, leaving, burst->arriving, arriving);
		return;
	}
	spoil(burst->leaving, leaving);
	spoil(burst->arriving, arriving);
}

static unsigned collect(void *state, struct crypto_job **out_jobs, unsigned max)
{
	struct worker *worker = state;
	struct burst burst;
	burst.leaving_count = burst.arriving_count = 0;
	unsigned count = worker->count < max ? worker->count : max;
	for (unsigned i = 0; i < count; i++) {
		struct crypto_job *job = out_jobs[i] = worker->jobs[i];
		if (suite_is_aead(job->suite))
			run_aead(worker, job);
		else if (job->way == KEY_LEAVES)
			burst.leaving[burst.leaving_count++] = job;
		else
			burst.arriving[burst.arriving_count++] = job;
		if (burst.leaving_count + burst.arriving_count == BURST) {
			run_burst(worker, &burst);
			burst.leaving_count = burst.arriving_count = 0;
		}
	}
	if (burst.leaving_count + burst.arriving_count > 0)
		run_burst(worker, &burst);
	memmove(worker->jobs, worker->jobs + count, (worker->count - count) * sizeof(*out_jobs));
	worker->count -= count;
	return count;
}

const struct crypto_engine crypto_ipsec_mb = {
	.name = "ipsec_mb",
	.form = KEY_SESSION,
	.keeps_refused = true,
	.key_size = AREA_SIZE,
	.can_run = can_run,
	.start = start,
	.stop = stop,
	.worker = worker_of,
	.set_key = set_key,
	.clear_key = clear_key,
	.submit = submit,
	.collect = collect,
};
