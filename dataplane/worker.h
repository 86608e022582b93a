#pragma once

// A worker: one poll-mode core, the streams of its ports, its queues, its mailboxes, its counters.
// Runs on: main creates and destroys; worker_run on the core.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/burst.h"
#include "dataplane/dtmf/dtmf.h"
#include "dataplane/mailbox.h"
#include "dataplane/nic/nic.h"
#include "dataplane/relay.h"
#include "dataplane/stream/stream.h"

struct crypto;
struct crypto_worker;
struct rte_ring;
struct shared_views;
struct shared_mailboxes;

struct worker {
	unsigned index, count;
	struct stream_table table;
	struct nic *nic;
	const struct packet_rules *rules;
	struct worker_view *view; // shared with control, which can only read it
	struct mailbox_end inbox, outbox;
	struct rte_ring **arrivals; // [from]: packets of our ports that came to another's queue
	struct rte_ring **others; // [to]: that worker's arrivals from us
	bool polls_busy, has_kernel, is_outbox_full;
	unsigned idle_turns;
	uint64_t anchor_tsc, anchor_ns, tsc_hz; // how the TSC becomes CLOCK_MONOTONIC
	double ns_per_tsc;
	const atomic_bool *stop; // main writes
	struct crypto_worker *crypto; // NULL: no SRTP here, no key is taken
	struct burst burst;
	struct relay relay;
	struct dtmf dtmf;
};

struct worker_plan { // what all workers share
	unsigned count;
	uint32_t stream_count;
	bool polls_busy;
	uint8_t min_ttl;
	const struct packet_rules *rules;
	struct nic *nic;
	struct shared_views *views;
	struct shared_mailboxes *mailboxes; // [count]
	struct crypto *crypto; // NULL: none
	const atomic_bool *stop;
};

// All of them, with all memory they will ever use. NULL: no memory.
struct worker **worker_create_all(const struct worker_plan *plan);
void worker_destroy_all(struct worker **workers, unsigned count); // NULL is harmless
int worker_run(void *worker); // until told to stop; then 0
