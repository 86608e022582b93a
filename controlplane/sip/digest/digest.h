#pragma once

// Digest access authentication by RFC 7616 and 8760 as a proxy-style server: nonces are stateless,
// expiring and bound to realm and source; MD5 and SHA-256; every compare in constant time.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/text.h"
#include "sip/message.h"

#define SIP_HA1_MD5_SIZE 16
#define SIP_HA1_SHA256_SIZE 32

struct sip_digest; // nonce key, used-nonce table

struct sip_digest_secret { // H(user:realm:password), never the password itself
	uint8_t md5[SIP_HA1_MD5_SIZE];
	uint8_t sha256[SIP_HA1_SHA256_SIZE];
};

struct sip_digest *sip_digest_create(const struct clock *clock, struct text realm,
				     uint32_t lifetime_s);
void sip_digest_destroy(struct sip_digest *digest);

enum sip_digest_offer { SIP_DIGEST_OFFER_BOTH, SIP_DIGEST_OFFER_MD5, SIP_DIGEST_OFFER_SHA256 };
// Which algorithms are asked for and taken; both after creation. Many user agents give up when they
// see one they do not know, even beside one they do (libre 1.1, sipp 3.6), against RFC 8760 2.4.
void sip_digest_offer(struct sip_digest *digest, enum sip_digest_offer offer);

// A Proxy-Authenticate line for each algorithm offered, SHA-256 first, each with CRLF.
void sip_digest_challenge(struct sip_digest *digest, const struct address *source, bool is_stale,
			  struct writer *writer);

enum sip_digest_result {
	SIP_DIGEST_ABSENT, // no Proxy-Authorization for our realm: challenge
	SIP_DIGEST_STALE, // right form, nonce too old or used: challenge with stale=true
	SIP_DIGEST_WRONG, // refuse
	SIP_DIGEST_RIGHT,
};

struct sip_digest_claim { // what a request says
	struct text user; // unescaped, without quotes; borrowed
	bool is_sha256;
	bool is_present;
	struct text realm, nonce, uri, response, cnonce, nonce_count, qop;
};

// Reads Proxy-Authorization of our realm; ABSENT, or WRONG (malformed), or RIGHT meaning "well formed:
// see whether it is fresh".
enum sip_digest_result sip_digest_read(const struct sip_digest *digest,
				       const struct sip_message *request,
				       struct sip_digest_claim *out_claim);
// RIGHT meaning "the nonce is one we gave this source: look the user up and verify", or STALE.
enum sip_digest_result sip_digest_judge_nonce(struct sip_digest *digest,
					      const struct sip_message *request,
					      const struct sip_digest_claim *claim);
// ha1: H(user:realm:password) by the claim's algorithm, read last; NULL: the user is unknown, which costs
// the same and is WRONG. A right one uses its nonce up.
enum sip_digest_result sip_digest_verify(struct sip_digest *digest,
					 const struct sip_message *request,
					 const struct sip_digest_claim *claim, const uint8_t *ha1);
// The same, but nothing is used up: for those who only ask.
bool sip_digest_is_right(struct sip_digest *digest, const struct sip_message *request,
			 const struct sip_digest_claim *claim, const uint8_t *ha1);
// H(user:realm:password) for both algorithms.
void sip_digest_derive(struct text user, struct text realm, struct text password,
		       struct sip_digest_secret *out_secret);
