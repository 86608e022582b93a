#pragma once

// What tests of the door have in common: engines that start here, keys, one packet through.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/crypto/crypto.h"
#include "tests/check.h"
#include "tests/unit/crypto/derive.h"

#define FIXTURE_STREAMS 64
#define FIXTURE_MEDIA_MAX 1600

// DPDK, without hugepages or ports, which the engines over its devices need. Once a process, first.
bool fixture_start_devices(void);
// Those TRUNKD_ENGINE names, or all the automatic ones; NULL ends them. Those that cannot start here
// are said and left out.
const char *const *fixture_engines(void);
struct crypto *fixture_start(const char *engine); // NULL: it cannot start here
void fixture_for_every_engine(
	void (*test)(struct crypto *crypto)); // of them that starts here, one at least

// The key of a stream in the form the engine wants, from a master key and salt.
bool fixture_set_key(struct crypto *crypto, struct stream_id stream, enum suite suite,
		     enum key_way way, const uint8_t *master, uint64_t now_ns);
// Octets already in session form (RFC vectors), or of a master key for an engine that wants one.
bool fixture_set_octets(struct crypto *crypto, struct stream_id stream, enum suite suite,
			enum key_way way, const uint8_t octets[static 50], uint64_t now_ns);
// One packet, and the verdict.
enum verdict fixture_run(struct crypto *crypto, struct crypto_job *job);
// Collects until nothing is under way.
unsigned fixture_collect(struct crypto *crypto, struct crypto_job **out_jobs, unsigned max);

// An RTP packet with `size` octets of payload; returns its size.
uint16_t fixture_write_rtp(uint8_t *out, uint32_t ssrc, uint16_t sequence, unsigned size);
struct crypto_job fixture_job(uint8_t *media, uint16_t size, struct stream_id stream,
			      enum key_way way);
