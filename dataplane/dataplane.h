#pragma once

// THE DOOR to the dataplane: what the control process links. It maps the shared memory of a running
// trunkd-dataplane, puts messages into the workers' rings, collects theirs, reads their counters.
// No DPDK type leaves it. Runs on: control thread; the readers of counters on any thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"
#include "dataplane/message.h"
#include "dataplane/verdict.h"

struct dataplane;

struct dataplane_facts { // fixed at the dataplane's start
	uint32_t process_id;
	unsigned worker_count;
	unsigned address_count;
	struct address addresses[MEDIA_ADDRESSES_MAX]; // port 0
	uint8_t mac[6]; // of the port
	char port[64]; // "af_packet:eth1"
	char interface[16]; // the kernel interface that holds the addresses
	uint64_t started_ns; // CLOCK_MONOTONIC
	bool has_huge_pages;
	bool is_steered; // the card brings each packet to the worker that owns its port
	char engine[24]; // that does SRTP: "ipsec_mb", "crypto_openssl", "libsrtp2", …; "off": none
	uint8_t key_form; // enum key_form: how it wants its keys
};

struct worker_view { // counters of one worker, a consistent enough copy
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t polls, idle_polls; // bursts asked for, and those that brought nothing
	uint64_t busy_cycles, cycles; // spent on packets and messages, and in all; TSC
	uint64_t messages, messages_stale; // taken from the inbox; of those with an old generation
	uint64_t handed_over; // packets that arrived on another worker's queue
	uint64_t outbox_full; // events to control that had to wait
	// Of telephone events: told to control; too many of a stream, or more than could wait; of no key, of
	// another key than they began with, or late.
	uint64_t digits_heard, digits_dropped, digits_ignored;
	uint64_t digits_sent; // telephone events of ours
	uint32_t streams_open;
	uint32_t lcore; // the CPU it runs on
};

// ERR_UNAVAILABLE: nobody listens on the socket; ERR_BUSY: another control process is attached;
// ERR_FORBIDDEN: not for this user; ERR_MALFORMED: another version answers.
enum status dataplane_attach(const char *socket_path, struct dataplane **out_dataplane);
void dataplane_detach(struct dataplane *dataplane); // media flows on; NULL is harmless
void dataplane_end(struct dataplane *dataplane); // detaches, and the dataplane's process ends
// Readable (end of file) when the dataplane's process is gone.
int dataplane_fd(const struct dataplane *dataplane);
const struct dataplane_facts *dataplane_facts(const struct dataplane *dataplane);

// The worker that owns a stream's port: a fixed partition, so a call takes both ports from one worker.
unsigned dataplane_worker_of(const struct dataplane *dataplane, uint32_t stream_index);
// ERR_BUSY: that worker's inbox is full; nothing was sent.
enum status dataplane_send(struct dataplane *dataplane, const struct message *message);
// Room left in the inbox of the worker that owns the stream, in messages: ask before a group.
unsigned dataplane_room(const struct dataplane *dataplane, uint32_t stream_index);
unsigned dataplane_collect(struct dataplane *dataplane, struct message *out_messages, unsigned max);

// A copy of the public part of one slot; ERR_NOT_FOUND when the index is out of range.
enum status dataplane_stream_read(const struct dataplane *dataplane, uint32_t index,
				  struct stream_view *out_view);
unsigned dataplane_stream_count(const struct dataplane *dataplane); // slots in all
void dataplane_worker_read(const struct dataplane *dataplane, unsigned worker,
			   struct worker_view *out_view);
