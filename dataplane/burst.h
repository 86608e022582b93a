#pragma once

// The scratch of one burst: what was received, what each packet is, and where each one ends.
// Runs on: the worker whose burst it is.

#include <stdbool.h>

#include "dataplane/crypto/crypto.h"
#include "dataplane/packet.h"
#include "dataplane/verdict.h"

struct rte_mbuf;
struct stream;
struct worker;

#define BURST_SIZE 64
#define BURST_OWN_MAX 64 // RTCP and telephone events of our own that may leave with it
#define BURST_ENDS_MAX (BURST_SIZE + BURST_OWN_MAX + CRYPTO_JOBS_MAX)

struct burst {
	struct rte_mbuf *buffers[BURST_SIZE];
	struct packet packets[BURST_SIZE];
	bool is_media[BURST_SIZE];
	unsigned count;
	// Every buffer ends in one of these; those that were in the SRTP engine come from bursts before.
	struct rte_mbuf *wire[BURST_ENDS_MAX], *kernel[BURST_SIZE], *own[BURST_OWN_MAX];
	struct rte_mbuf *dropped[2 * BURST_ENDS_MAX];
	struct stream *wire_streams[BURST_ENDS_MAX];
	uint8_t own_verdicts[BURST_OWN_MAX]; // enum verdict: what each is once it was sent
	unsigned wire_count, kernel_count, own_count, dropped_count;
	unsigned begun_count; // of our own: in `own`, or still in the engine
};

// Received packets are sorted: ours marked, those of other workers and of the kernel on their way.
void burst_begin(struct worker *worker); // of `count` buffers, perhaps none
void burst_drop(struct worker *worker, struct rte_mbuf *buffer, enum verdict verdict);
void burst_end(struct worker *worker); // sends and frees what ended in it
