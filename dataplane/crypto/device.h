#pragma once

// One of DPDK's crypto devices with a queue pair for each worker, and what is drawn from DPDK's memory
// at the start: a session for every key of every stream; for every job that can be under way an
// operation and a packet descriptor that points at the job's octets.
// Runs on: main starts and stops; a queue is its worker's.

#define ALLOW_EXPERIMENTAL_API // of DPDK 22.11 the session pool still is

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_cryptodev.h>
#include <rte_mbuf.h>

#include "dataplane/crypto/context.h"

#define CRYPTO_SLOT_TAG 32
#define CRYPTO_SLOT_AAD 16

struct crypto_slot { // of one job; what a device reads and writes lies here, in DPDK's memory
	struct rte_crypto_op operation;
	struct rte_crypto_sym_op symmetric; // where struct rte_crypto_op says it begins
	uint8_t iv[16];
	uint8_t tag[CRYPTO_SLOT_TAG];
	uint8_t aad[CRYPTO_SLOT_AAD];
	struct crypto_job *job;
	void *session; // of this job alone
	struct rte_mbuf packet;
};

_Static_assert(offsetof(struct crypto_slot, symmetric) == sizeof(struct rte_crypto_op),
	       "drivers look for it there");

struct crypto_queue { // its worker's
	_Alignas(64) struct crypto_device *device; // no line is written by two workers
	uint16_t number;
	struct crypto_slot *slots; // CRYPTO_JOBS_MAX
	struct crypto_slot *free[CRYPTO_JOBS_MAX];
	unsigned free_count;
	unsigned under_way;
	struct crypto_job *refused[CRYPTO_JOBS_MAX]; // no session for them
	unsigned refused_count;
};

struct crypto_device {
	uint8_t id;
	bool is_created, is_started;
	struct rte_mempool *sessions;
	const char *name; // of a device we created
	unsigned queue_count;
	struct crypto_queue queues[];
};

// DPDK's memory is addressed as the process sees it (--iova-mode=va), packets and slots alike.
static inline rte_iova_t crypto_device_address(const void *memory)
{
	return (rte_iova_t)(uintptr_t)memory;
}

// As struct crypto_engine asks; what is wrong was said on stderr. plan->stream_count sizes all of it.
enum status crypto_device_start(const struct crypto_engine *self, const struct crypto_plan *plan,
				void **out_engine);
void crypto_device_stop(void *engine);
