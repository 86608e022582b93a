// DPDK's crypto devices as engines. Tags are always made anew in a side buffer, 12 octets of them
// whatever the suite, and compared here: every driver can do that, not every one can do 4 or 10.
// Runs on: the worker, but for start and stop. Never waits for a device.

#include "dataplane/crypto/cryptodev.h"

#include <string.h>

#include "base/secret.h"
#include "dataplane/crypto/device.h"

#define TAG_WRITTEN 12 // of HMAC-SHA1
#define AAD_USUAL 12 // RTP without CSRCs and extension, and SRTCP: RFC 7714 8.2, 9.2

struct area { // of one key
	void *session;
	uint8_t suite, way;
	uint8_t key_size;
	uint8_t octets[SUITE_KEY_MAX]; // AEAD alone
};

#define AREA_SIZE 64
_Static_assert(sizeof(struct area) <= AREA_SIZE, "as engine.h asks");

static bool has_driver(const char *name)
{
	return rte_cryptodev_driver_id_get(name) >= 0;
}

static bool can_run_aesni_mb(void)
{
	return has_driver("crypto_aesni_mb");
}

static bool can_run_openssl(void)
{
	return has_driver("crypto_openssl");
}

static bool can_run_qat(void)
{
	return has_driver("crypto_qat"); // whether there is a device, its start finds out and says
}

static void *queue_of(void *engine, unsigned index)
{
	return &((struct crypto_device *)engine)->queues[index];
}

static void *create_aead(struct crypto_queue *queue, const struct area *area, uint16_t aad_size)
{
	struct rte_crypto_sym_xform aead = {
		.type = RTE_CRYPTO_SYM_XFORM_AEAD,
		.aead = { .op = area->way == KEY_LEAVES ? RTE_CRYPTO_AEAD_OP_ENCRYPT
							: RTE_CRYPTO_AEAD_OP_DECRYPT,
			  .algo = RTE_CRYPTO_AEAD_AES_GCM,
			  .key = { area->octets, area->key_size },
			  .iv = { offsetof(struct crypto_slot, iv), 12 },
			  .digest_length = SUITE_TAG_MAX,
			  .aad_length = aad_size },
	};
	return rte_cryptodev_sym_session_create(queue->device->id, &aead, queue->device->sessions);
}

// Of a key stream both directions are one, and a tag is always generated: so what arrives is hashed
// and then "enciphered", what leaves is enciphered and then hashed.
static void *create_aes_cm(struct crypto_queue *queue, const struct crypto_key *key)
{
	const struct suite_facts *facts = suite_facts(key->suite);
	struct rte_crypto_sym_xform hash = {
		.type = RTE_CRYPTO_SYM_XFORM_AUTH,
		.auth = { .op = RTE_CRYPTO_AUTH_OP_GENERATE,
			  .algo = RTE_CRYPTO_AUTH_SHA1_HMAC,
			  .key = { key->octets + facts->key_size + facts->salt_size,
				   SUITE_AUTH_SIZE },
			  .digest_length = TAG_WRITTEN },
	};
	struct rte_crypto_sym_xform cipher = {
		.type = RTE_CRYPTO_SYM_XFORM_CIPHER,
		.cipher = { .op = RTE_CRYPTO_CIPHER_OP_ENCRYPT,
			    .algo = RTE_CRYPTO_CIPHER_AES_CTR,
			    .key = { key->octets, facts->key_size },
			    .iv = { offsetof(struct crypto_slot, iv), 16 } },
	};
	struct rte_crypto_sym_xform *first = key->way == KEY_LEAVES ? &cipher : &hash;
	first->next = key->way == KEY_LEAVES ? &hash : &cipher;
	return rte_cryptodev_sym_session_create(queue->device->id, first, queue->device->sessions);
}

static bool set_key(void *state, void *key_area, const struct crypto_key *key)
{
	struct crypto_queue *queue = state;
	struct area taken = { .suite = (uint8_t)key->suite,
			      .way = (uint8_t)key->way,
			      .key_size = suite_facts(key->suite)->key_size };
	if (suite_is_aead(key->suite)) {
		memcpy(taken.octets, key->octets, taken.key_size);
		taken.session = create_aead(queue, &taken, AAD_USUAL);
	} else {
		taken.session = create_aes_cm(queue, key);
	}
	bool is_taken = taken.session;
	if (is_taken)
		memcpy(key_area, &taken, sizeof(taken));
	secret_wipe(&taken, sizeof(taken));
	return is_taken;
}

static void clear_key(void *state, void *key_area)
{
	struct crypto_queue *queue = state;
	struct area *area = key_area;
	if (area->session) // DPDK wipes it
		(void)rte_cryptodev_sym_session_free(queue->device->id, area->session);
	secret_wipe(area, AREA_SIZE);
}

static void fill_aes_cm(struct crypto_slot *slot, const struct crypto_job *job)
{
	struct rte_crypto_sym_op *symmetric = &slot->symmetric;
	symmetric->cipher.data.offset = job->clear_size;
	symmetric->cipher.data.length = job->cipher_size;
	symmetric->auth.data.offset = 0;
	symmetric->auth.data.length = job->hash_size;
	symmetric->auth.digest.data = slot->tag;
	symmetric->auth.digest.phys_addr = crypto_device_address(slot->tag);
}

// AAD of the job itself is not memory a device may read; the packet's is.
static void fill_aead(struct crypto_slot *slot, const struct crypto_job *job)
{
	struct rte_crypto_sym_op *symmetric = &slot->symmetric;
	uint8_t *aad = (uint8_t *)(uintptr_t)job->aad;
	if (job->aad_size <= CRYPTO_SLOT_AAD) {
		memcpy(slot->aad, job->aad, job->aad_size);
		aad = slot->aad;
	}
	memcpy(slot->tag, job->tag, sizeof(job->tag));
	symmetric->aead.data.offset = job->clear_size;
	symmetric->aead.data.length = job->cipher_size;
	symmetric->aead.digest.data = slot->tag;
	symmetric->aead.digest.phys_addr = crypto_device_address(slot->tag);
	symmetric->aead.aad.data = aad;
	symmetric->aead.aad.phys_addr = crypto_device_address(aad);
}

// A session says how long the AAD is. Where a header is not the usual one the job gets a session of
// its own; nobody's other packets wait for it.
static bool choose_session(struct crypto_queue *queue, struct crypto_slot *slot,
			   const struct crypto_job *job)
{
	const struct area *area = job->key;
	bool is_usual = !suite_is_aead(area->suite) || job->aad_size == AAD_USUAL;
	slot->session = is_usual ? NULL : create_aead(queue, area, job->aad_size);
	slot->symmetric.session = is_usual ? area->session : slot->session;
	return slot->symmetric.session;
}

static void fill(struct crypto_slot *slot, struct crypto_job *job)
{
	const struct area *area = job->key;
	uint16_t size = (uint16_t)(job->size + CRYPTO_ROOM);
	slot->job = job;
	slot->operation.status = RTE_CRYPTO_OP_STATUS_NOT_PROCESSED;
	slot->packet.buf_addr = job->media;
	slot->packet.buf_iova = crypto_device_address(job->media);
	slot->packet.buf_len = size;
	slot->packet.data_len = size;
	slot->packet.pkt_len = size;
	memcpy(slot->iv, job->iv, sizeof(slot->iv));
	if (suite_is_aead(area->suite))
		fill_aead(slot, job);
	else
		fill_aes_cm(slot, job);
}

static void give(struct crypto_queue *queue, struct crypto_slot *slot)
{
	if (slot->session)
		(void)rte_cryptodev_sym_session_free(queue->device->id, slot->session);
	slot->session = NULL;
	slot->job = NULL;
	queue->free[queue->free_count++] = slot;
}

// What the device does not take is not ours: nor are refused jobs behind it, which come again.
static unsigned enqueue(struct crypto_queue *queue, struct crypto_slot **slots, unsigned count)
{
	struct rte_crypto_op *operations[CRYPTO_JOBS_MAX];
	for (unsigned i = 0; i < count; i++)
		operations[i] = &slots[i]->operation;
	unsigned taken = rte_cryptodev_enqueue_burst(queue->device->id, queue->number, operations,
						     (uint16_t)count);
	queue->under_way += taken;
	for (unsigned i = taken; i < count; i++)
		give(queue, slots[i]);
	return taken;
}

static unsigned submit(void *state, struct crypto_job *const *jobs, unsigned count)
{
	struct crypto_queue *queue = state;
	struct crypto_slot *slots[CRYPTO_JOBS_MAX];
	unsigned positions[CRYPTO_JOBS_MAX], filled = 0, refused = 0;
	unsigned room = queue->free_count - queue->refused_count;
	if (count > room)
		count = room;
	for (unsigned i = 0; i < count; i++) {
		struct crypto_slot *slot = queue->free[--queue->free_count];
		if (choose_session(queue, slot, jobs[i])) {
			fill(slot, jobs[i]);
			positions[filled] = i;
			slots[filled++] = slot;
			continue;
		}
		give(queue, slot);
		jobs[i]->verdict = VERDICT_DROP_CRYPTO_FULL;
		queue->refused[queue->refused_count + refused++] = jobs[i];
	}
	unsigned taken = enqueue(queue, slots, filled);
	unsigned end = taken < filled ? positions[taken] : count;
	queue->refused_count += end - taken;
	return end;
}

static void settle(struct crypto_slot *slot)
{
	struct crypto_job *job = slot->job;
	const struct area *area = job->key;
	bool is_good = slot->operation.status == RTE_CRYPTO_OP_STATUS_SUCCESS;
	if (is_good && job->way == KEY_LEAVES)
		memcpy(job->media + job->tag_offset, slot->tag, job->tag_size);
	else if (is_good && !suite_is_aead(area->suite)) // of AEAD the driver compared
		is_good = secret_is_equal(slot->tag, job->tag, job->tag_size);
	job->verdict = is_good ? VERDICT_FORWARDED : VERDICT_DROP_AUTHENTICATION;
}

// A driver in software gives what fills its lanes, then the rest; hardware gives what is done.
static unsigned collect(void *state, struct crypto_job **out_jobs, unsigned max)
{
	struct crypto_queue *queue = state;
	struct rte_crypto_op *done[CRYPTO_JOBS_MAX];
	unsigned count = 0, got = 1;
	while (count < max && queue->refused_count > 0)
		out_jobs[count++] = queue->refused[--queue->refused_count];
	while (queue->under_way > 0 && count < max && got > 0) {
		unsigned room = max - count < CRYPTO_JOBS_MAX ? max - count : CRYPTO_JOBS_MAX;
		got = rte_cryptodev_dequeue_burst(queue->device->id, queue->number, done,
						  (uint16_t)room);
		queue->under_way -= got;
		for (unsigned i = 0; i < got; i++) {
			struct crypto_slot *slot = (struct crypto_slot *)done[i];
			settle(slot);
			out_jobs[count++] = slot->job;
			give(queue, slot);
		}
	}
	return count;
}

// clang-format off
#define CRYPTODEV_ENGINE(driver, able)                                                             \
	{ .name = driver, .form = KEY_SESSION, .is_device = true, .keeps_refused = false, .key_size = AREA_SIZE,       \
	  .can_run = able, .start = crypto_device_start, .stop = crypto_device_stop, .worker = queue_of, .set_key = set_key,   \
	  .clear_key = clear_key, .submit = submit, .collect = collect }

const struct crypto_engine crypto_cryptodev_aesni_mb = CRYPTODEV_ENGINE("crypto_aesni_mb", can_run_aesni_mb);
const struct crypto_engine crypto_cryptodev_openssl = CRYPTODEV_ENGINE("crypto_openssl", can_run_openssl);
const struct crypto_engine crypto_cryptodev_qat = CRYPTODEV_ENGINE("crypto_qat", can_run_qat);
// clang-format on
