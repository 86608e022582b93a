#pragma once

// What a packet costs the real worker, and what the bare operation costs on the same core, in the same
// minute. The worker's port is ours: nic_receive and nic_send are replaced when the program is linked,
// and whatever they do, filling, checking and giving back buffers, is off the clock.
// Runs on: main, which opens streams and says what is measured; the rest on the worker's core.

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/message.h"
#include "dataplane/options.h"
#include "dataplane/packet.h"
#include "dataplane/suite.h"
#include "protector.h"

#define COST_BURST 64
#define COST_BATCH 256 // packets prepared at a time
#define COST_SAMPLES_MAX 16384
#define COST_CALL_PORTS 4
#define COST_CALLS_PER_ADDRESS (MEDIA_PORT_COUNT / COST_CALL_PORTS)
#define COST_ADDRESSES 2
#define COST_CALLS_MAX (COST_ADDRESSES * COST_CALLS_PER_ADDRESS)
#define COST_LIBRARY_STREAMS 200 // libsrtp2 gets dearer with every context, so it gets few

struct cost;
struct crypto;
struct crypto_job;
struct nic;
struct rte_mbuf;
struct rte_mempool;
struct shared_mailboxes;
struct shared_views;
struct worker;
struct srtp_ctx_t_;

struct cost_mix { // what arrives and leaves as SRTP, by the side of the call a packet comes from
	const char *name;
	bool arrives[2], leaves[2];
};

typedef void (*cost_task_fn)(struct cost *cost, unsigned which);

struct cost_kind { // what a slice measures: packets through the worker, or a task of our own
	const char *name;
	unsigned mix; // of the streams that are open
	cost_task_fn task; // NULL: packets
	unsigned which;
};

enum cost_phase { COST_IDLE, COST_PACKETS, COST_TASK };

struct cost_clock { // cycles a packet, one sample per batch
	uint64_t started, cycles, sum_cycles, sum_packets;
	uint32_t count;
	bool is_running;
	float samples[COST_SAMPLES_MAX];
};

struct cost {
	struct options options;
	struct packet_rules rules;
	struct nic *nic; // starts DPDK; no packet goes through it
	struct crypto *crypto;
	struct shared_views *views;
	struct shared_mailboxes *mailboxes;
	struct worker **workers;
	struct mailbox_end *inbox, *outbox;
	struct rte_mempool *pool;
	atomic_bool stop;
	atomic_int phase; // main starts, the worker ends
	bool is_launched;
	// Of the slice; written while the phase is idle.
	const struct cost_kind *kind;
	const struct cost_mix *mix;
	enum suite suite;
	unsigned calls, streams; // RTP streams: two a call
	unsigned opened; // of the slice before
	uint32_t generation;
	uint64_t end_tsc, warm_up_packets;
	// Of each stream.
	uint8_t (*masters)[KEY_WAYS][PROTECTOR_OCTETS_MAX],
		(*sessions)[KEY_WAYS][PROTECTOR_OCTETS_MAX];
	struct protector_key *arrives, *leaves, *bare; // bare: arrives' again, in memory of its own
	uint32_t *sent;
	struct srtp_ctx_t_ **library_leaves, **library_arrives; // of the first COST_LIBRARY_STREAMS
	// The worker's core.
	struct protector *protector;
	struct cost_clock clock;
	unsigned next_stream, batch_at, batch_count;
	struct rte_mbuf *batch[COST_BATCH];
	uint32_t batch_streams[COST_BATCH], batch_numbers[COST_BATCH];
	struct protector_packet packets[COST_BATCH];
	struct crypto_job *jobs; // COST_BATCH
	bool has_jobs;
	uint64_t taken, returned, verified, wrong, batches;
};

// srtpcost_stream.c
extern const struct cost_mix cost_mixes[];
uint32_t cost_index(unsigned stream); // its slot in the dataplane
bool cost_create_streams(struct cost *cost); // keys of all; false: no memory
void cost_destroy_streams(struct cost *cost);
bool cost_open(
	struct cost *cost); // streams of the slice, as its mix says; false: they did not open

// srtpcost_packet.c
void cost_clock_begin(struct cost_clock *clock);
void cost_clock_end(struct cost_clock *clock);
void cost_clock_sample(struct cost_clock *clock, unsigned packets);
uint32_t cost_rollover(unsigned stream, uint32_t number); // ROC of a stream's packet
// The next COST_BATCH packets into buffers, protected where `protects` says so for that side.
bool cost_prepare(struct cost *cost, const bool protects[static 2]);
void cost_give_back(struct cost *cost); // those buffers
uint8_t *cost_media(struct rte_mbuf *buffer); // UDP payload of a prepared one
void cost_check(struct cost *cost, struct rte_mbuf **buffers, unsigned count); // what left

// srtpcost_task.c
enum cost_stage { COST_PARSE, COST_ACCEPT, COST_ACCOUNT, COST_REWRITE };
void cost_task_bare(struct cost *cost, unsigned way); // enum key_way
void cost_task_jobs(struct cost *cost, unsigned way); // the library's other interface
void cost_task_library(struct cost *cost, unsigned way);
void cost_task_door(struct cost *cost, unsigned way);
void cost_task_stage(struct cost *cost, unsigned stage);
bool cost_check_library(struct cost *cost); // our own SRTP is libsrtp2's, octet by octet
