#pragma once

// The way of media between two legs: judged, opened, read, numbered, sealed, readdressed. What goes
// through the SRTP engine may come out in a later turn; until then its task holds it.
// Runs on: the worker whose streams they are.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/crypto/crypto.h"
#include "dataplane/packet.h"

struct rte_mbuf;
struct worker;

struct relay_task { // a packet in the engine
	struct crypto_job job;
	struct rte_mbuf *buffer;
	struct packet packet;
	bool goes_on; // came out, and goes in again
};

struct relay {
	struct relay_task tasks[CRYPTO_JOBS_MAX];
	uint16_t free[CRYPTO_JOBS_MAX]; // of them; the one used last on top, where caches have it
	struct crypto_job *waiting[CRYPTO_JOBS_MAX]; // to go into the engine with the next batch
	struct crypto_job *done[CRYPTO_JOBS_MAX]; // came out of it just now
	unsigned free_count, waiting_count;
	uint32_t now_ms; // of this burst, CLOCK_MONOTONIC, low half
};

void relay_init(struct relay *relay);
// All media of the burst at hand, and whatever else the engine has done: each ends in the burst, or
// stays in the engine.
void relay_burst(struct worker *worker);
// Packets are in the engine, or one of our own is due.
bool relay_has_work(const struct worker *worker);
