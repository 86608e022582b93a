#pragma once

// What stands behind the door: an engine ciphers and authenticates, and decides nothing else. Index,
// IV, replay and the order of packets are settled before and after it (crypto.c, srtp.c, rollover.c).
// Runs on: main starts and stops; the rest on the worker.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "dataplane/crypto/crypto.h"

struct crypto_key {
	enum suite suite;
	enum key_way way;
	bool is_rtcp;
	const uint8_t *octets; // of struct message_key
};

// What an engine of KEY_SESSION finds in a job, AES-CM:
//   media[0, hash_size)                       the tag covers it: ROC or SRTCP index is written already
//   media[clear_size, clear_size+cipher_size) to cipher by AES-CTR with all 16 octets of iv
// and AEAD:
//   aad[0, aad_size)                          covered, not ciphered; iv has 12 octets
//   media[clear_size, clear_size+cipher_size) to cipher
// KEY_LEAVES: cipher, then write the tag to media + tag_offset. It may write up to SUITE_AUTH_SIZE
// octets there with AES-CM; what is behind tag_size is overwritten or cut off afterwards. With AEAD it
// may write tag_size, no more. KEY_ARRIVES: compare with tag[0, tag_size), in constant time, and
// decipher. Either way it sets verdict: FORWARDED or DROP_AUTHENTICATION, and leaves size alone.
//
// An engine of KEY_MASTER finds the packet as it came (LEAVES: its sequence number is final), works on
// all of it, and sets size too. index (rollover and sequence; of SRTCP the index) is ours: it says
// where libraries with counters of their own have to be; of SRTCP that leaves, it may set index.
struct crypto_engine { // one row per engine, constant
	const char *name;
	enum key_form form;
	bool is_device; // of DPDK: what it works on must lie in DPDK's memory
	bool keeps_refused; // a packet whose tag was wrong is what it was, but for the octets of the tag
	// Octets of its own per context, a multiple of 16 and aligned so; zero before the first key.
	size_t key_size;
	bool (*can_run)(void); // the CPU, the library and the drivers are there
	// Main. Takes all the memory it will need. out_engine: state of the process.
	enum status (*start)(const struct crypto_engine *self, const struct crypto_plan *plan,
			     void **out_engine);
	void (*stop)(void *engine); // keys were cleared before; NULL is harmless
	void *(*worker)(void *engine, unsigned index); // state of one worker; main
	// On the worker. octets: those of struct message_key. An area that holds a key is cleared first by
	// the caller; one may be moved, by copying it. false: it cannot take one more; the area is as before.
	bool (*set_key)(void *worker, void *area, const struct crypto_key *key);
	// Wipes; never while a job of this area is under way.
	void (*clear_key)(void *worker, void *area);
	// Takes jobs; returns how many, in order.
	unsigned (*submit)(void *worker, struct crypto_job *const *jobs, unsigned count);
	// Runs what waits, however few, and returns what is done, in any order. Never waits for hardware.
	unsigned (*collect)(void *worker, struct crypto_job **out_jobs, unsigned max);
};

// The rows; crypto.c has the order in which they are tried.
extern const struct crypto_engine crypto_ipsec_mb;
extern const struct crypto_engine crypto_cryptodev_aesni_mb;
extern const struct crypto_engine crypto_cryptodev_qat;
extern const struct crypto_engine crypto_cryptodev_openssl;
extern const struct crypto_engine crypto_libsrtp;
