#pragma once

// A worker: one poll-mode core, the streams of its ports, its queues, its mailboxes, its counters.
// Runs on: main creates and destroys; worker_run on the core.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/mailbox.h"
#include "dataplane/nic/nic.h"
#include "dataplane/packet.h"
#include "dataplane/stream/stream.h"

struct rte_mbuf;
struct rte_ring;
struct shared_views;
struct shared_mailboxes;

#define WORKER_BURST 64

struct worker_burst { // scratch of one burst, sorted by what becomes of each packet
	struct rte_mbuf *buffers[WORKER_BURST];
	struct packet packets[WORKER_BURST];
	bool is_media[WORKER_BURST];
	struct rte_mbuf *wire[WORKER_BURST], *kernel[WORKER_BURST], *dropped[WORKER_BURST];
	struct stream *wire_streams[WORKER_BURST];
	unsigned count, wire_count, kernel_count, dropped_count;
};

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
	struct worker_burst burst;
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
	const atomic_bool *stop;
};

// All of them, with all memory they will ever use. NULL: no memory.
struct worker **worker_create_all(const struct worker_plan *plan);
void worker_destroy_all(struct worker **workers, unsigned count); // NULL is harmless
int worker_run(void *worker); // until told to stop; then 0
