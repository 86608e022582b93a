#pragma once

// THE DOOR to SRTP: the keys, rollover counters and replay windows of every stream, and the engine that
// works on whole bursts of packets. Its users know no library behind it.
// Runs on: main starts and stops; everything else on the worker whose streams they are. A worker never
// allocates here, but inside the engines that are not ours (docs/decisions/srtp-engines.md).

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "dataplane/message.h"
#include "dataplane/suite.h"
#include "dataplane/verdict.h"

struct crypto; // of the process
struct crypto_worker; // of one worker: its engine's queue and scratch, and the contexts of all streams

#define CRYPTO_ROOM 32 // octets behind a payload that must be writable: ROC or index, then a tag
#define CRYPTO_JOBS_MAX 256 // in flight per worker
#define CRYPTO_OLD_KEY_NS 2000000000ull // how long packets of the former key are taken

struct crypto_plan {
	const char
		*engine; // "auto", a name of crypto_engine_names, or "off": no memory, no key taken
	unsigned worker_count;
	uint32_t stream_count;
};

// Chooses the engine: the one named, or with "auto" the fastest this machine can start; each is proved
// with a known packet of every suite before it is believed. All memory contexts will ever use is taken
// here. An error was said on stderr.
enum status crypto_start(const struct crypto_plan *plan, struct crypto **out_crypto);
void crypto_stop(struct crypto *crypto); // wipes every key; NULL is harmless
const char *crypto_engine(const struct crypto *crypto); // its name
enum key_form crypto_key_form(const struct crypto *crypto);
const char *crypto_engine_names(void); // "auto, ipsec_mb, …", for a message
struct crypto_worker *crypto_of_worker(struct crypto *crypto, unsigned worker);

// MESSAGE_STREAM_KEY and _ROLLOVER. A generation other than that of the keys held wipes them first; a
// second key of one way and generation is a new key: the former one goes on to be taken for
// CRYPTO_OLD_KEY_NS, and counters start afresh. false: what the message says cannot be.
bool crypto_set_key(struct crypto_worker *crypto, const struct message *message, uint64_t now_ns);
bool crypto_set_rollover(struct crypto_worker *crypto, const struct message *message);
void crypto_forget(struct crypto_worker *crypto, uint32_t stream); // wipes; harmless without keys
bool crypto_has_key(const struct crypto_worker *crypto, struct stream_id stream, enum key_way way);

// One packet on its way through the engine. The owner fills the first part and keeps the job and the
// packet alive until crypto_collect returns it.
struct crypto_job {
	uint8_t *media; // UDP payload, changed in place; CRYPTO_ROOM octets behind it are writable
	uint16_t size; // as it is now; after the job, as it then is
	uint16_t
		clear_size; // header that stays in the clear: RTP with CSRCs and extension; RTCP: 8
	uint8_t way; // enum key_way: KEY_ARRIVES takes protection off, KEY_LEAVES puts it on
	bool is_rtcp;
	struct stream_id stream; // whose keys: the stream the packet arrived on
	uint64_t now_ns;
	void *owner; // the caller's own
	// After the job:
	enum verdict verdict; // FORWARDED, or DROP_AUTHENTICATION, DROP_REPLAY, DROP_TRUNCATED
	uint32_t rollover; // ROC (of RTCP: index) that the packet has
	uint16_t sequence; // of RTP, as it is now in the packet
	// Between submit and collect, for the parts behind this door:
	uint8_t state, tries; // dataplane/crypto/batch.c
	uint8_t stash;
	uint8_t suite; // enum suite
	uint8_t tag_size;
	uint16_t hash_size, cipher_size, tag_offset, aad_size; // as dataplane/crypto/engine.h says
	const uint8_t *aad;
	void *context; // struct crypto_context
	void *key; // the engine's own area of that
	uint64_t index; // 48 bits of SRTP, 31 of SRTCP
	_Alignas(16) uint8_t iv[16];
	uint8_t tag[SUITE_TAG_MAX]; // as received
	uint8_t rtcp_aad[12]; // RFC 7714 9.2
};

// Takes jobs into the batch; ones that need no engine (no key, replayed, too short) are done at once and
// come out of crypto_collect all the same. Returns how many of them were taken, in order: the rest is
// the caller's to drop.
unsigned crypto_submit(struct crypto_worker *crypto, struct crypto_job *const *jobs,
		       unsigned count);
// Runs what waits and returns what is done, of every stream in the order it was submitted. An engine
// in this process has all of it done; of one with a queue of its own the rest comes out of later calls.
unsigned crypto_collect(struct crypto_worker *crypto, struct crypto_job **out_jobs, unsigned max);
unsigned crypto_in_flight(const struct crypto_worker *crypto);
