#pragma once

// SRTP of many streams in bursts, by intel-ipsec-mb and nothing else: what the benches send, what they
// check with, and the bare operation that the dataplane's cost is held against.
// Runs on: one thread per struct protector.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/suite.h"

struct gcm_key_data;
struct protector; // the library's manager and scratch

#define PROTECTOR_BURST 64
#define PROTECTOR_ROOM 20 // octets behind a packet that protecting may write
#define PROTECTOR_OCTETS_MAX 50 // of a session's or a master's key and salt

struct protector_key { // of one stream in one direction; as small as it can be, for the caches
	_Alignas(64) uint8_t cipher[176]; // AES-128's expanded
	_Alignas(16) uint8_t inner[20]; // HMAC's two pads, hashed
	uint8_t suite; // enum suite
	uint8_t tag_size;
	struct gcm_key_data *gcm; // of AEAD suites; owned
	_Alignas(16) uint8_t outer[20];
	_Alignas(16) uint8_t salt[16]; // rest zero
};

_Static_assert(sizeof(struct protector_key) == 256, "four cache lines");

struct protector_packet {
	const struct protector_key *key;
	uint8_t *media; // RTP without CSRCs and extension, changed in place
	uint16_t size; // as it is; afterwards as it then is
	uint32_t rollover;
	bool is_authentic; // of unprotected ones
};

struct protector *protector_create(void); // NULL: no memory
void protector_destroy(struct protector *protector); // NULL is harmless
// AES-CM by jobs of cipher and hash together, which the library checks, instead of two calls a burst.
void protector_use_jobs(struct protector *protector, bool is_wanted);

// Master key and salt, one behind the other, to a session's key, salt and, for AES-CM, authentication
// key, so too: of RTP or of RTCP (RFC 3711 4.3, RFC 7714 11).
void protector_derive(struct protector *protector, enum suite suite, const uint8_t *master,
		      bool is_rtcp, uint8_t out_session[static PROTECTOR_OCTETS_MAX]);
// false: no memory.
bool protector_set_key(struct protector *protector, enum suite suite, const uint8_t *session,
		       struct protector_key *out_key);
void protector_clear_key(struct protector_key *key);

// At most PROTECTOR_BURST packets.
void protector_protect(struct protector *protector, struct protector_packet *packets,
		       unsigned count);
void protector_unprotect(struct protector *protector, struct protector_packet *packets,
			 unsigned count);
