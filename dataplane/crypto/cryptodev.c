// DPDK crypto devices as engines. What is drawn from DPDK's memory at the start: a session for every
// key of every stream, and for every job that can be under way an operation and a packet descriptor
// that points at the job's octets. Tags are always made anew in a side buffer, 12 octets of them
// whatever the suite, and compared here: every driver can do that, not every one can do 4 or 10.
// Runs on: the worker, but for start and stop. Never waits for a device.

#define ALLOW_EXPERIMENTAL_API // of DPDK 22.11 the session pool still is
#include "dataplane/crypto/cryptodev.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_cryptodev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/secret.h"
#include "dataplane/crypto/context.h"

#define TAG_WRITTEN 12 // of HMAC-SHA1
#define TAG_ROOM 32
#define AAD_ROOM 16
#define AAD_USUAL 12 // RTP without CSRCs and extension, and SRTCP: RFC 7714 8.2, 9.2
#define DEVICES_MAX 64

struct slot { // of one job; what a device reads and writes lies here, in DPDK's memory
	struct rte_crypto_op operation;
	struct rte_crypto_sym_op symmetric; // where struct rte_crypto_op says it begins
	uint8_t iv[16];
	uint8_t tag[TAG_ROOM];
	uint8_t aad[AAD_ROOM];
	struct crypto_job *job;
	void *session; // of this job alone
	struct rte_mbuf packet;
};

_Static_assert(offsetof(struct slot, symmetric) == sizeof(struct rte_crypto_op),
	       "drivers look for it there");

struct area { // of one key
	void *session;
	uint8_t suite, way;
	uint8_t key_size;
	uint8_t octets[SUITE_KEY_MAX]; // AEAD alone
};

#define AREA_SIZE 64
_Static_assert(sizeof(struct area) <= AREA_SIZE, "as engine.h asks");

struct worker {
	struct engine *engine;
	uint16_t queue;
	struct slot *slots; // CRYPTO_JOBS_MAX
	struct slot *free[CRYPTO_JOBS_MAX];
	unsigned free_count;
	unsigned under_way;
	struct crypto_job *refused[CRYPTO_JOBS_MAX]; // no session for them
	unsigned refused_count;
};

struct engine {
	uint8_t device;
	bool is_created, is_started;
	struct rte_mempool *sessions;
	const char *name; // of a device we created
	unsigned worker_count;
	struct worker workers[];
};

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

static void stop(void *state)
{
	struct engine *engine = state;
	if (!engine)
		return;
	if (engine->is_started)
		rte_cryptodev_stop(engine->device);
	for (unsigned i = 0; i < engine->worker_count; i++)
		rte_free(engine->workers[i].slots);
	if (engine->is_created)
		(void)rte_vdev_uninit(engine->name);
	rte_mempool_free(engine->sessions);
	free(engine);
}

// Drivers in software are started here unless the command line of DPDK did; hardware was found at its
// start, or is not there.
static bool find_device(const struct crypto_engine *self, struct engine *engine)
{
	uint8_t devices[DEVICES_MAX];
	char arguments[64];
	if (rte_cryptodev_devices_get(self->name, devices, DEVICES_MAX) > 0) {
		engine->device = devices[0];
		return true;
	}
	if (self == &crypto_cryptodev_qat) {
		fprintf(stderr,
			"trunkd-dataplane: --crypto %s: no such device; it has to be bound to "
			"vfio-pci and known to DPDK\n",
			self->name);
		return false;
	}
	snprintf(arguments, sizeof(arguments), "max_nb_queue_pairs=%u", engine->worker_count);
	engine->is_created = rte_vdev_init(self->name, arguments) == 0;
	int device = engine->is_created ? rte_cryptodev_get_dev_id(self->name) : -1;
	if (device < 0) {
		fprintf(stderr, "trunkd-dataplane: --crypto %s: DPDK does not start its driver\n",
			self->name);
		return false;
	}
	engine->device = (uint8_t)device;
	return true;
}

static bool can_do(const struct engine *engine)
{
	struct rte_cryptodev_info info;
	struct rte_cryptodev_sym_capability_idx cipher = { .type = RTE_CRYPTO_SYM_XFORM_CIPHER,
							   .algo.cipher =
								   RTE_CRYPTO_CIPHER_AES_CTR };
	struct rte_cryptodev_sym_capability_idx hash = { .type = RTE_CRYPTO_SYM_XFORM_AUTH,
							 .algo.auth = RTE_CRYPTO_AUTH_SHA1_HMAC };
	struct rte_cryptodev_sym_capability_idx aead = { .type = RTE_CRYPTO_SYM_XFORM_AEAD,
							 .algo.aead = RTE_CRYPTO_AEAD_AES_GCM };
	rte_cryptodev_info_get(engine->device, &info);
	if (info.max_nb_queue_pairs < engine->worker_count) {
		fprintf(stderr, "trunkd-dataplane: %s has %u queues, %u workers want one each\n",
			info.driver_name, info.max_nb_queue_pairs, engine->worker_count);
		return false;
	}
	bool has_all = rte_cryptodev_sym_capability_get(engine->device, &cipher) &&
		       rte_cryptodev_sym_capability_get(engine->device, &hash) &&
		       rte_cryptodev_sym_capability_get(engine->device, &aead);
	if (!has_all)
		fprintf(stderr, "trunkd-dataplane: %s lacks what SRTP needs\n", info.driver_name);
	return has_all;
}

static bool create_sessions(struct engine *engine, const struct crypto_plan *plan)
{
	int socket = rte_cryptodev_socket_id(engine->device);
	uint32_t count = plan->stream_count * CRYPTO_PLACES + // and one for any job of odd AAD
			 plan->worker_count * CRYPTO_JOBS_MAX;
	uint32_t size = rte_cryptodev_sym_get_private_session_size(engine->device);
	char name[RTE_MEMPOOL_NAMESIZE];
	snprintf(name, sizeof(name), "crypto_sessions_%u", engine->device);
	engine->sessions = rte_cryptodev_sym_session_pool_create(name, count, size, 0, 0, socket);
	if (!engine->sessions)
		fprintf(stderr,
			"trunkd-dataplane: no memory for %u keys of %u octets (--memory-mb)\n",
			count, size);
	return engine->sessions;
}

// DPDK's memory is addressed as the process sees it (--iova-mode=va), packets and slots alike.
static rte_iova_t address_of(const void *memory)
{
	return (rte_iova_t)(uintptr_t)memory;
}

static bool create_slots(struct engine *engine, struct worker *worker)
{
	int socket = rte_cryptodev_socket_id(engine->device);
	worker->slots = rte_zmalloc_socket("crypto_slots", CRYPTO_JOBS_MAX * sizeof(struct slot),
					   RTE_CACHE_LINE_SIZE, socket);
	if (!worker->slots)
		return false;
	for (unsigned i = 0; i < CRYPTO_JOBS_MAX; i++) {
		struct slot *slot = &worker->slots[i];
		slot->operation.type = RTE_CRYPTO_OP_TYPE_SYMMETRIC;
		slot->operation.sess_type = RTE_CRYPTO_OP_WITH_SESSION;
		slot->operation.phys_addr = address_of(slot);
		slot->symmetric.m_src = &slot->packet;
		slot->packet.nb_segs = 1;
		rte_mbuf_refcnt_set(&slot->packet, 1);
		worker->free[worker->free_count++] = slot;
	}
	return true;
}

static bool start_device(struct engine *engine)
{
	struct rte_cryptodev_config config = {
		.socket_id = rte_cryptodev_socket_id(engine->device),
		.nb_queue_pairs = (uint16_t)engine->worker_count,
		.ff_disable = RTE_CRYPTODEV_FF_ASYMMETRIC_CRYPTO | RTE_CRYPTODEV_FF_SECURITY,
	};
	struct rte_cryptodev_qp_conf queue = { .nb_descriptors = 2 * CRYPTO_JOBS_MAX,
					       .mp_session = engine->sessions };
	if (rte_cryptodev_configure(engine->device, &config) != 0)
		return false;
	for (unsigned i = 0; i < engine->worker_count; i++)
		if (rte_cryptodev_queue_pair_setup(engine->device, (uint16_t)i, &queue,
						   config.socket_id) != 0)
			return false;
	engine->is_started = rte_cryptodev_start(engine->device) == 0;
	return engine->is_started;
}

static enum status start(const struct crypto_engine *self, const struct crypto_plan *plan,
			 void **out_engine)
{
	enum status status = ERR_MEMORY;
	struct engine *engine =
		calloc(1, sizeof(*engine) + plan->worker_count * sizeof(struct worker));
	if (!engine)
		return status;
	engine->name = self->name;
	engine->worker_count = plan->worker_count;
	status = ERR_UNAVAILABLE;
	if (!find_device(self, engine) || !can_do(engine))
		goto fail;
	status = ERR_MEMORY;
	if (!create_sessions(engine, plan))
		goto fail;
	for (unsigned i = 0; i < plan->worker_count; i++) {
		engine->workers[i].engine = engine;
		engine->workers[i].queue = (uint16_t)i;
		if (!create_slots(engine, &engine->workers[i]))
			goto fail;
	}
	status = ERR_UNAVAILABLE;
	if (!start_device(engine)) {
		fprintf(stderr, "trunkd-dataplane: --crypto %s: its queues do not start\n",
			self->name);
		goto fail;
	}
	*out_engine = engine;
	return OK;
fail:
	stop(engine);
	return status;
}

static void *worker_of(void *engine, unsigned index)
{
	return &((struct engine *)engine)->workers[index];
}

static void *create_aead(struct worker *worker, const struct area *area, uint16_t aad_size)
{
	struct rte_crypto_sym_xform aead = {
		.type = RTE_CRYPTO_SYM_XFORM_AEAD,
		.aead = { .op = area->way == KEY_LEAVES ? RTE_CRYPTO_AEAD_OP_ENCRYPT
							: RTE_CRYPTO_AEAD_OP_DECRYPT,
			  .algo = RTE_CRYPTO_AEAD_AES_GCM,
			  .key = { area->octets, area->key_size },
			  .iv = { offsetof(struct slot, iv), 12 },
			  .digest_length = SUITE_TAG_MAX,
			  .aad_length = aad_size },
	};
	return rte_cryptodev_sym_session_create(worker->engine->device, &aead,
						worker->engine->sessions);
}

// Of a key stream both directions are one, and a tag is always generated: so what arrives is hashed
// and then "enciphered", what leaves is enciphered and then hashed.
static void *create_aes_cm(struct worker *worker, const struct crypto_key *key)
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
			    .iv = { offsetof(struct slot, iv), 16 } },
	};
	struct rte_crypto_sym_xform *first = key->way == KEY_LEAVES ? &cipher : &hash;
	first->next = key->way == KEY_LEAVES ? &hash : &cipher;
	return rte_cryptodev_sym_session_create(worker->engine->device, first,
						worker->engine->sessions);
}

static bool set_key(void *state, void *key_area, const struct crypto_key *key)
{
	struct worker *worker = state;
	struct area taken = { .suite = (uint8_t)key->suite,
			      .way = (uint8_t)key->way,
			      .key_size = suite_facts(key->suite)->key_size };
	if (suite_is_aead(key->suite)) {
		memcpy(taken.octets, key->octets, taken.key_size);
		taken.session = create_aead(worker, &taken, AAD_USUAL);
	} else {
		taken.session = create_aes_cm(worker, key);
	}
	bool is_taken = taken.session;
	if (is_taken)
		memcpy(key_area, &taken, sizeof(taken));
	secret_wipe(&taken, sizeof(taken));
	return is_taken;
}

static void clear_key(void *state, void *key_area)
{
	struct worker *worker = state;
	struct area *area = key_area;
	if (area->session) // DPDK wipes it
		(void)rte_cryptodev_sym_session_free(worker->engine->device, area->session);
	secret_wipe(area, AREA_SIZE);
}

static void fill_aes_cm(struct slot *slot, const struct crypto_job *job)
{
	struct rte_crypto_sym_op *symmetric = &slot->symmetric;
	symmetric->cipher.data.offset = job->clear_size;
	symmetric->cipher.data.length = job->cipher_size;
	symmetric->auth.data.offset = 0;
	symmetric->auth.data.length = job->hash_size;
	symmetric->auth.digest.data = slot->tag;
	symmetric->auth.digest.phys_addr = address_of(slot->tag);
}

// AAD of the job itself is not memory a device may read; the packet's is.
static void fill_aead(struct slot *slot, const struct crypto_job *job)
{
	struct rte_crypto_sym_op *symmetric = &slot->symmetric;
	uint8_t *aad = (uint8_t *)(uintptr_t)job->aad;
	if (job->aad_size <= AAD_ROOM) {
		memcpy(slot->aad, job->aad, job->aad_size);
		aad = slot->aad;
	}
	memcpy(slot->tag, job->tag, sizeof(job->tag));
	symmetric->aead.data.offset = job->clear_size;
	symmetric->aead.data.length = job->cipher_size;
	symmetric->aead.digest.data = slot->tag;
	symmetric->aead.digest.phys_addr = address_of(slot->tag);
	symmetric->aead.aad.data = aad;
	symmetric->aead.aad.phys_addr = address_of(aad);
}

// A session says how long the AAD is. Where a header is not the usual one the job gets a session of
// its own; nobody's other packets wait for it.
static bool choose_session(struct worker *worker, struct slot *slot, const struct crypto_job *job)
{
	const struct area *area = job->key;
	bool is_usual = !suite_is_aead(area->suite) || job->aad_size == AAD_USUAL;
	slot->session = is_usual ? NULL : create_aead(worker, area, job->aad_size);
	slot->symmetric.session = is_usual ? area->session : slot->session;
	return slot->symmetric.session;
}

static void fill(struct slot *slot, struct crypto_job *job)
{
	const struct area *area = job->key;
	uint16_t size = (uint16_t)(job->size + CRYPTO_ROOM);
	slot->job = job;
	slot->operation.status = RTE_CRYPTO_OP_STATUS_NOT_PROCESSED;
	slot->packet.buf_addr = job->media;
	slot->packet.buf_iova = address_of(job->media);
	slot->packet.buf_len = size;
	slot->packet.data_len = size;
	slot->packet.pkt_len = size;
	memcpy(slot->iv, job->iv, sizeof(slot->iv));
	if (suite_is_aead(area->suite))
		fill_aead(slot, job);
	else
		fill_aes_cm(slot, job);
}

static void give(struct worker *worker, struct slot *slot)
{
	if (slot->session)
		(void)rte_cryptodev_sym_session_free(worker->engine->device, slot->session);
	slot->session = NULL;
	slot->job = NULL;
	worker->free[worker->free_count++] = slot;
}

// What the device does not take is not ours: nor are refused jobs behind it, which come again.
static unsigned enqueue(struct worker *worker, struct slot **slots, unsigned count)
{
	struct rte_crypto_op *operations[CRYPTO_JOBS_MAX];
	for (unsigned i = 0; i < count; i++)
		operations[i] = &slots[i]->operation;
	unsigned taken = rte_cryptodev_enqueue_burst(worker->engine->device, worker->queue,
						     operations, (uint16_t)count);
	worker->under_way += taken;
	for (unsigned i = taken; i < count; i++)
		give(worker, slots[i]);
	return taken;
}

static unsigned submit(void *state, struct crypto_job *const *jobs, unsigned count)
{
	struct worker *worker = state;
	struct slot *slots[CRYPTO_JOBS_MAX];
	unsigned positions[CRYPTO_JOBS_MAX], filled = 0, refused = 0;
	unsigned room = worker->free_count - worker->refused_count;
	if (count > room)
		count = room;
	for (unsigned i = 0; i < count; i++) {
		struct slot *slot = worker->free[--worker->free_count];
		if (choose_session(worker, slot, jobs[i])) {
			fill(slot, jobs[i]);
			positions[filled] = i;
			slots[filled++] = slot;
			continue;
		}
		give(worker, slot);
		jobs[i]->verdict = VERDICT_DROP_CRYPTO_FULL;
		worker->refused[worker->refused_count + refused++] = jobs[i];
	}
	unsigned taken = enqueue(worker, slots, filled);
	unsigned end = taken < filled ? positions[taken] : count;
	worker->refused_count += end - taken;
	return end;
}

static void settle(struct slot *slot)
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
	struct worker *worker = state;
	struct rte_crypto_op *done[CRYPTO_JOBS_MAX];
	unsigned count = 0, got = 1;
	while (count < max && worker->refused_count > 0)
		out_jobs[count++] = worker->refused[--worker->refused_count];
	while (worker->under_way > 0 && count < max && got > 0) {
		unsigned room = max - count < CRYPTO_JOBS_MAX ? max - count : CRYPTO_JOBS_MAX;
		got = rte_cryptodev_dequeue_burst(worker->engine->device, worker->queue, done,
						  (uint16_t)room);
		worker->under_way -= got;
		for (unsigned i = 0; i < got; i++) {
			struct slot *slot = (struct slot *)done[i];
			settle(slot);
			out_jobs[count++] = slot->job;
			give(worker, slot);
		}
	}
	return count;
}

// clang-format off
#define CRYPTODEV_ENGINE(driver, able)                                                             \
	{ .name = driver, .form = KEY_SESSION, .keeps_refused = false, .key_size = AREA_SIZE,       \
	  .can_run = able, .start = start, .stop = stop, .worker = worker_of, .set_key = set_key,   \
	  .clear_key = clear_key, .submit = submit, .collect = collect }

const struct crypto_engine crypto_cryptodev_aesni_mb = CRYPTODEV_ENGINE("crypto_aesni_mb", can_run_aesni_mb);
const struct crypto_engine crypto_cryptodev_openssl = CRYPTODEV_ENGINE("crypto_openssl", can_run_openssl);
const struct crypto_engine crypto_cryptodev_qat = CRYPTODEV_ENGINE("crypto_qat", can_run_qat);
// clang-format on
