// libsrtp2 as an engine. Each key has a session of its own, never many: the library walks a list. What
// index a packet has is decided before; the library's own idea of it is foreseen here, and where it
// would be another its state is made anew. Debian's build allocates 14 times a packet with AES-CM, 5
// times with AEAD, and holds 30 kB and 18 kB a key: a fallback, never a choice.
// Runs on: the worker, but for start and stop. Never decides about replay.

#include "dataplane/crypto/libsrtp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "base/secret.h"
#include "dataplane/crypto/rollover.h"

#define STREAMS CRYPTO_SOURCES // SSRCs of a key the library knows at once
#define WINDOW 1024 // wider than ours, so that ours decides
#define MASTER_MAX (SUITE_KEY_MAX + SUITE_SALT_MAX)
// SRTCP that leaves: the library counts from 1 and cannot be told otherwise, so where an index went on
// elsewhere (a new SSRC, a stream taken over) as many reports are protected for nothing. One job pays
// for so many, some 500 us at 2 us each; what lacks more is dropped, and the next job goes on.
#define SKIPPED_MAX 256

struct known { // a stream of the library
	uint64_t highest; // RTP: index it has seen; RTCP that leaves: index it has used
	uint32_t ssrc;
	bool is_used;
};

struct area { // of one key
	srtp_t session;
	struct known known[STREAMS]; // the latest first
	uint8_t suite, way;
	bool is_rtcp;
	uint8_t master[MASTER_MAX]; // key, salt
};

#define AREA_SIZE 160
_Static_assert(sizeof(struct area) <= AREA_SIZE && AREA_SIZE % 16 == 0, "as engine.h asks");

struct worker {
	_Alignas(64) struct crypto_job *jobs[CRYPTO_JOBS_MAX]; // no line is written by two workers
	unsigned first, count; // done, not collected yet
};

struct engine {
	bool is_ours; // the library, to be shut down in the end
	struct worker workers[];
};

static bool can_run(void)
{
	return true; // it is linked, and asks nothing of the CPU
}

static void fill_policy(const struct area *area, srtp_policy_t *out_policy)
{
	srtp_policy_t policy = { .window_size = WINDOW, .allow_repeat_tx = 1 };
	if (area->suite == SUITE_AES_GCM_128) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else if (area->suite == SUITE_AES_GCM_256) {
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp); // the long tag always: SRTP-010
	}
	if (area->suite == SUITE_AES_CM_32)
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
	policy.ssrc.type = area->way == KEY_ARRIVES ? ssrc_any_inbound : ssrc_any_outbound;
	policy.key = (unsigned char *)area->master; // the library only reads it
	*out_policy = policy;
}

static void stop(void *state)
{
	struct engine *engine = state;
	if (engine && engine->is_ours)
		(void)srtp_shutdown();
	free(engine);
}

// A process may use the library for other ends as well, and it starts once.
static bool is_started(void)
{
	struct area area = { .suite = SUITE_AES_CM_80 };
	srtp_policy_t policy;
	srtp_t session;
	fill_policy(&area, &policy);
	return srtp_create(&session, &policy) == srtp_err_status_ok &&
	       srtp_dealloc(session) == srtp_err_status_ok;
}

static enum status start(const struct crypto_engine *self, const struct crypto_plan *plan,
			 void **out_engine)
{
	size_t size = sizeof(struct engine) + plan->worker_count * sizeof(struct worker);
	struct engine *engine = aligned_alloc(_Alignof(struct engine), size);
	if (!engine)
		return ERR_MEMORY;
	memset(engine, 0, size);
	engine->is_ours = srtp_init() == srtp_err_status_ok; // tests every cipher of its own
	if (!engine->is_ours && !is_started()) {
		fprintf(stderr, "trunkd-dataplane: %s fails its own test\n", self->name);
		stop(engine);
		return ERR_UNAVAILABLE;
	}
	*out_engine = engine;
	return OK;
}

static void *worker_of(void *engine, unsigned index)
{
	return &((struct engine *)engine)->workers[index];
}

static bool set_key(void *worker, void *key_area, const struct crypto_key *key)
{
	const struct suite_facts *facts = suite_facts(key->suite);
	struct area taken = { .suite = (uint8_t)key->suite,
			      .way = (uint8_t)key->way,
			      .is_rtcp = key->is_rtcp };
	srtp_policy_t policy;
	(void)worker;
	memcpy(taken.master, key->octets, facts->key_size + facts->salt_size);
	fill_policy(&taken, &policy);
	bool is_taken = srtp_create(&taken.session, &policy) == srtp_err_status_ok;
	if (is_taken)
		memcpy(key_area, &taken, sizeof(taken));
	secret_wipe(&taken, sizeof(taken));
	return is_taken;
}

static void clear_key(void *worker, void *key_area)
{
	struct area *area = key_area;
	(void)worker;
	if (area->session)
		(void)srtp_dealloc(area->session); // wipes what it derived
	secret_wipe(area, AREA_SIZE);
}

static uint32_t ssrc_of(const struct crypto_job *job)
{
	uint32_t ssrc;
	memcpy(&ssrc, job->media + (job->is_rtcp ? 4 : 8), sizeof(ssrc));
	return ntohl(ssrc);
}

// Puts it first, a new one in place of the last, which the library forgets as well.
static struct known *use(struct area *area, uint32_t ssrc)
{
	unsigned at = 0;
	while (at < STREAMS - 1 && !(area->known[at].is_used && area->known[at].ssrc == ssrc))
		at++;
	struct known used = area->known[at];
	if (!used.is_used || used.ssrc != ssrc) {
		if (used.is_used)
			(void)srtp_remove_stream(area->session, htonl(used.ssrc));
		used = (struct known){ .ssrc = ssrc };
	}
	memmove(&area->known[1], &area->known[0], at * sizeof(area->known[0]));
	area->known[0] = used;
	return &area->known[0];
}

static void forget(struct area *area, struct known *known)
{
	if (known->is_used)
		(void)srtp_remove_stream(area->session, htonl(known->ssrc));
	known->is_used = false;
	known->highest = 0;
}

// The ROC the library will guess: RFC 3711 3.3.1, but for streams in their first half turn, which it
// takes for new.
static uint32_t foreseen_roc(const struct known *known, uint16_t sequence)
{
	uint32_t roc = (uint32_t)(known->highest >> 16);
	int distance = (int)sequence - (int)(uint16_t)known->highest;
	if (!known->is_used || known->highest <= 0x8000)
		return 0;
	if ((uint16_t)known->highest < 0x8000)
		return distance > 0x8000 ? roc - 1 : roc;
	return distance < -0x8000 ? roc + 1 : roc;
}

// A stream of the library that goes on at this packet's ROC.
static bool begin_at(struct area *area, struct known *known, uint32_t roc)
{
	srtp_policy_t policy;
	forget(area, known);
	if (roc == 0)
		return true; // the library makes one for the SSRC when it is authentic
	fill_policy(area, &policy);
	policy.ssrc = (srtp_ssrc_t){ .type = ssrc_specific, .value = known->ssrc };
	if (srtp_add_stream(area->session, &policy) != srtp_err_status_ok)
		return false;
	known->is_used = true;
	return srtp_set_stream_roc(area->session, known->ssrc, roc) == srtp_err_status_ok;
}

static srtp_err_status_t call(struct area *area, struct crypto_job *job, int *size)
{
	if (job->way == KEY_ARRIVES)
		return job->is_rtcp ? srtp_unprotect_rtcp(area->session, job->media, size)
				    : srtp_unprotect(area->session, job->media, size);
	return job->is_rtcp ? srtp_protect_rtcp(area->session, job->media, size)
			    : srtp_protect(area->session, job->media, size);
}

// What never leaves: reports that take the library's index to the one before ours.
static bool skip_indexes(struct area *area, struct known *known, uint64_t index)
{
	for (unsigned i = 0; known->highest + 1 < index; i++) {
		_Alignas(4) uint8_t report[8 + CRYPTO_ROOM] = { 0x80, 201, 0, 1 };
		int size = 8;
		uint32_t ssrc = htonl(known->ssrc);
		memcpy(report + 4, &ssrc, sizeof(ssrc));
		if (i == SKIPPED_MAX ||
		    srtp_protect_rtcp(area->session, report, &size) != srtp_err_status_ok)
			return false;
		known->is_used = true;
		known->highest++;
	}
	return known->highest + 1 == index;
}

static bool prepare(struct area *area, struct known *known, const struct crypto_job *job,
		    bool *out_is_anew)
{
	uint32_t roc = (uint32_t)(job->index >> 16);
	if (job->is_rtcp)
		return job->way == KEY_ARRIVES || skip_indexes(area, known, job->index);
	*out_is_anew = foreseen_roc(known, (uint16_t)job->index) != roc;
	return !*out_is_anew || begin_at(area, known, roc);
}

static bool is_replay(srtp_err_status_t status)
{
	return status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old;
}

// What the library takes for a replay is none: ours looked before. So its state goes.
static bool call_again(struct area *area, struct known *known, struct crypto_job *job,
		       int *out_size)
{
	*out_size = job->size;
	if (job->is_rtcp && job->way == KEY_LEAVES)
		return false; // its count would begin at 1 again
	return begin_at(area, known, job->is_rtcp ? 0 : (uint32_t)(job->index >> 16)) &&
	       call(area, job, out_size) == srtp_err_status_ok;
}

static bool run_known(struct area *area, struct known *known, struct crypto_job *job)
{
	int size = job->size;
	bool is_anew = false;
	job->verdict = VERDICT_DROP_CRYPTO_FULL;
	if (!prepare(area, known, job, &is_anew))
		return false;
	job->verdict = VERDICT_DROP_AUTHENTICATION;
	srtp_err_status_t status = call(area, job, &size);
	bool is_good = status == srtp_err_status_ok;
	if (is_replay(status)) {
		is_anew = true;
		is_good = call_again(area, known, job, &size);
	}
	if (!is_good) {
		if (is_anew)
			forget(area, known); // nobody vouches for the ROC the library was told
		return false;
	}
	job->size = (uint16_t)size;
	job->verdict = VERDICT_FORWARDED;
	return true;
}

// An SSRC that arrives becomes known once it is authentic: strangers' packets cost no memory.
static void run(struct crypto_job *job)
{
	struct area *area = job->key;
	struct known stranger = { .ssrc = ssrc_of(job) };
	struct known *known = &stranger;
	for (unsigned i = 0; i < STREAMS; i++)
		if (area->known[i].is_used && area->known[i].ssrc == stranger.ssrc)
			known = &area->known[i];
	if (known == &stranger && job->way == KEY_LEAVES)
		known = use(area, stranger.ssrc);
	if (!run_known(area, known, job))
		return;
	uint64_t highest = job->index > known->highest ? job->index : known->highest;
	known = use(area, stranger.ssrc);
	known->is_used = true;
	known->highest = highest;
}

static unsigned submit(void *state, struct crypto_job *const *jobs, unsigned count)
{
	struct worker *worker = state;
	if (count > CRYPTO_JOBS_MAX - worker->count)
		count = CRYPTO_JOBS_MAX - worker->count;
	for (unsigned i = 0; i < count; i++) {
		run(jobs[i]);
		worker->jobs[(worker->first + worker->count++) % CRYPTO_JOBS_MAX] = jobs[i];
	}
	return count;
}

static unsigned collect(void *state, struct crypto_job **out_jobs, unsigned max)
{
	struct worker *worker = state;
	unsigned count = 0;
	for (; worker->count > 0 && count < max; worker->count--) {
		out_jobs[count++] = worker->jobs[worker->first];
		worker->first = (worker->first + 1) % CRYPTO_JOBS_MAX;
	}
	return count;
}

const struct crypto_engine crypto_libsrtp = {
	.name = "libsrtp2",
	.form = KEY_MASTER,
	.keeps_refused = false, // AEAD deciphers before it knows
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
