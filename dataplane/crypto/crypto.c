// Chooses the engine, takes the memory, and passes the workers' calls on. Runs on: main starts and
// stops; the rest on the workers. Keys lie in memory that is in no core dump and is never swapped out
// where that is allowed.

#include "dataplane/crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/crypto/batch.h"
#include "dataplane/crypto/context.h"
#include "dataplane/crypto/engine.h"
#include "dataplane/crypto/proof.h"
#include "dataplane/shared.h"

#define HUGE_PAGE (2ull << 20)

struct crypto {
	const struct crypto_engine *engine; // NULL: off
	void *state; // the engine's
	uint8_t *memory; // contexts of all streams
	size_t memory_size;
	unsigned worker_count;
	struct crypto_worker workers[];
};

// docs/decisions/srtp-engines.md. "auto" takes the first that can run and is right.
static const struct {
	const struct crypto_engine *engine;
	bool is_automatic;
} engines[] = {
	{ &crypto_ipsec_mb, true },       { &crypto_cryptodev_openssl, true },
	{ &crypto_libsrtp, true },        { &crypto_cryptodev_aesni_mb, false },
	{ &crypto_cryptodev_qat, false },
};

#define ENGINE_COUNT (sizeof(engines) / sizeof(engines[0]))

const char *crypto_engine_names(void)
{
	return "auto, ipsec_mb, crypto_openssl, libsrtp2, crypto_aesni_mb, crypto_qat:PCI, off";
}

static bool take_memory(struct crypto *crypto, uint32_t stream_count)
{
	size_t size = crypto_context_stream_size(crypto->engine) * stream_count;
	crypto->memory_size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	void *memory = mmap(NULL, crypto->memory_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	crypto->memory = memory;
	(void)madvise(memory, crypto->memory_size,
		      MADV_HUGEPAGE); // saves TLB misses where it works
	(void)madvise(memory, crypto->memory_size, MADV_DONTDUMP);
	(void)mlock(memory, crypto->memory_size);
	memset(memory, 0, crypto->memory_size); // no page fault on a worker
	return true;
}

static void give_memory(struct crypto *crypto)
{
	if (crypto->memory)
		munmap(crypto->memory, crypto->memory_size);
	crypto->memory = NULL;
}

static void prepare_workers(struct crypto *crypto, uint32_t stream_count)
{
	for (unsigned i = 0; i < crypto->worker_count; i++) {
		struct crypto_worker *worker = &crypto->workers[i];
		worker->contexts.engine = crypto->engine;
		worker->contexts.engine_worker = crypto->engine->worker(crypto->state, i);
		worker->contexts.memory = crypto->memory;
		worker->contexts.context_size = crypto_context_size(crypto->engine);
		worker->contexts.stream_size = crypto_context_stream_size(crypto->engine);
		worker->contexts.count = stream_count;
	}
}

static bool take_stashes(struct crypto *crypto)
{
	for (unsigned i = 0; i < crypto->worker_count && !crypto->engine->keeps_refused; i++) {
		crypto->workers[i].batch.stashes = calloc(CRYPTO_STASHES, CRYPTO_STASH_SIZE);
		if (!crypto->workers[i].batch.stashes)
			return false;
	}
	return true;
}

static void stop_engine(struct crypto *crypto)
{
	for (unsigned i = 0; i < crypto->worker_count; i++)
		free(crypto->workers[i].batch.stashes);
	if (crypto->engine)
		crypto->engine->stop(crypto->state);
	give_memory(crypto);
	memset(crypto->workers, 0, crypto->worker_count * sizeof(crypto->workers[0]));
	crypto->engine = NULL;
	crypto->state = NULL;
}

static enum status start_engine(struct crypto *crypto, const struct crypto_engine *engine,
				const struct crypto_plan *plan)
{
	if (!engine->can_run())
		return ERR_UNSUPPORTED;
	enum status status = engine->start(engine, plan, &crypto->state);
	if (status != OK)
		return status;
	crypto->engine = engine;
	bool has_memory = take_memory(crypto, plan->stream_count) && take_stashes(crypto);
	if (has_memory) {
		prepare_workers(crypto, plan->stream_count);
		if (crypto_proof_holds(&crypto->workers[0], engine))
			return OK;
		fprintf(stderr, "SRTP engine %s fails its proof\n", engine->name);
	}
	stop_engine(crypto);
	return has_memory ? ERR_UNAVAILABLE : ERR_MEMORY;
}

static enum status start_any(struct crypto *crypto, const struct crypto_plan *plan)
{
	bool is_automatic = strcmp(plan->engine, "auto") == 0;
	enum status status = ERR_NOT_FOUND;
	for (unsigned i = 0; i < ENGINE_COUNT; i++) {
		const struct crypto_engine *engine = engines[i].engine;
		if (is_automatic ? !engines[i].is_automatic
				 : strcmp(plan->engine, engine->name) != 0)
			continue;
		status = start_engine(crypto, engine, plan);
		if (status == OK || status == ERR_MEMORY)
			break;
	}
	if (status == ERR_NOT_FOUND)
		fprintf(stderr, "no SRTP engine is called %s; there are: %s\n", plan->engine,
			crypto_engine_names());
	else if (status != OK)
		fprintf(stderr, "SRTP engine %s cannot start here: %s\n", plan->engine,
			status_text(status));
	return status;
}

enum status crypto_start(const struct crypto_plan *plan, struct crypto **out_crypto)
{
	size_t size = sizeof(struct crypto) + plan->worker_count * sizeof(struct crypto_worker);
	struct crypto *crypto = aligned_alloc(_Alignof(struct crypto), size);
	enum status status = crypto ? OK : ERR_MEMORY;
	if (status == OK) {
		memset(crypto, 0, size);
		crypto->worker_count = plan->worker_count;
		if (strcmp(plan->engine, "off") != 0)
			status = start_any(crypto, plan);
	}
	if (status == OK)
		*out_crypto = crypto;
	else
		free(crypto);
	return status;
}

// Workers have stopped. Each key goes back to the worker it came from.
void crypto_stop(struct crypto *crypto)
{
	if (!crypto)
		return;
	for (uint32_t i = 0; crypto->engine && i < crypto->workers[0].contexts.count; i++)
		crypto_forget(&crypto->workers[shared_worker_of(crypto->worker_count, i)], i);
	stop_engine(crypto);
	free(crypto);
}

const char *crypto_engine(const struct crypto *crypto)
{
	return crypto->engine ? crypto->engine->name : "off";
}

enum key_form crypto_key_form(const struct crypto *crypto)
{
	return crypto->engine ? crypto->engine->form : KEY_SESSION;
}

struct crypto_worker *crypto_of_worker(struct crypto *crypto, unsigned worker)
{
	return &crypto->workers[worker];
}

bool crypto_set_key(struct crypto_worker *crypto, const struct message *message, uint64_t now_ns)
{
	return crypto_batch_drain(crypto, message->stream.index) &&
	       crypto_context_set_key(&crypto->contexts, message, now_ns);
}

bool crypto_set_rollover(struct crypto_worker *crypto, const struct message *message)
{
	return crypto_batch_drain(crypto, message->stream.index) &&
	       crypto_context_set_rollover(&crypto->contexts, message);
}

void crypto_forget(struct crypto_worker *crypto, uint32_t stream)
{
	if (stream < crypto->contexts.count && crypto_batch_drain(crypto, stream))
		crypto_context_forget(&crypto->contexts, stream);
}

bool crypto_has_key(const struct crypto_worker *crypto, struct stream_id stream, enum key_way way)
{
	if (stream.index >= crypto->contexts.count)
		return false;
	const struct crypto_context *context =
		crypto_context_at(&crypto->contexts, stream.index,
				  way == KEY_ARRIVES ? CRYPTO_ARRIVES : CRYPTO_LEAVES);
	return context->suite != SUITE_NONE && context->generation == stream.generation;
}

unsigned crypto_submit(struct crypto_worker *crypto, struct crypto_job *const *jobs, unsigned count)
{
	return crypto_batch_submit(crypto, jobs, count);
}

unsigned crypto_collect(struct crypto_worker *crypto, struct crypto_job **out_jobs, unsigned max)
{
	return crypto_batch_collect(crypto, out_jobs, max);
}

unsigned crypto_in_flight(const struct crypto_worker *crypto)
{
	return crypto->batch.count;
}
