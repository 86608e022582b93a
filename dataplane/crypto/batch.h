#pragma once

// The packets of one worker that are under way in the engine, in the order they came.
// Runs on: that worker; main sets it up.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/crypto/context.h"

#define CRYPTO_STASHES 64 // packets set aside, for an engine that spoils what it refuses
#define CRYPTO_STASH_SIZE 2048

struct crypto_batch {
	struct crypto_job *jobs[CRYPTO_JOBS_MAX]; // a ring
	unsigned first, count;
	uint8_t (*stashes)[CRYPTO_STASH_SIZE]; // NULL: not needed
	uint64_t stashes_taken; // one bit each
};

struct crypto_worker { // on cache lines of its own: the next worker's lie right behind
	_Alignas(64) struct crypto_contexts contexts; // engine NULL: off
	struct crypto_batch batch;
};

unsigned crypto_batch_submit(struct crypto_worker *worker, struct crypto_job *const *jobs,
			     unsigned count);
unsigned crypto_batch_collect(struct crypto_worker *worker, struct crypto_job **out_jobs,
			      unsigned max);
// Ends what is under way of one stream, so that its keys may change. false: the engine hangs.
bool crypto_batch_drain(struct crypto_worker *worker, uint32_t stream);
