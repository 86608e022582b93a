#pragma once

// SRTP's cryptographic suites, as session descriptions name them: sizes of keys, salts and tags.
// Runs on: any thread; constant. Control and the dataplane read the same table.

#include <stdint.h>

#include "base/text.h"

// clang-format off
// enumerator, name in SDP, octets of: key, salt, tag of SRTP, tag of SRTCP
// RFC 4568 6.2 (the tag of SRTCP is the long one in both: SRTP-010); RFC 7714 12, 13
#define SUITE_LIST(ROW)                                                                            \
	ROW(AES_CM_80, "AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10)                                  \
	ROW(AES_CM_32, "AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10)                                   \
	ROW(AES_GCM_128, "AEAD_AES_128_GCM", 16, 12, 16, 16)                                       \
	ROW(AES_GCM_256, "AEAD_AES_256_GCM", 32, 12, 16, 16)
// clang-format on

#define SUITE_ENUMERATOR(name, text, key, salt, tag, rtcp_tag) SUITE_##name,
enum suite { SUITE_NONE, SUITE_LIST(SUITE_ENUMERATOR) SUITE_COUNT };
#undef SUITE_ENUMERATOR

#define SUITE_BIT(suite) (1u << (suite))
// What every secure leg takes (SRTP-003), and what an AEAD one takes besides.
#define SUITE_BITS_AES_CM (SUITE_BIT(SUITE_AES_CM_80) | SUITE_BIT(SUITE_AES_CM_32))
#define SUITE_BITS_AEAD (SUITE_BIT(SUITE_AES_GCM_128) | SUITE_BIT(SUITE_AES_GCM_256))

#define SUITE_KEY_MAX 32
#define SUITE_SALT_MAX 14
#define SUITE_TAG_MAX 16
#define SUITE_AUTH_SIZE 20 // of the HMAC key of AES-CM suites

struct suite_facts {
	const char *name; // in SDP; "none" for SUITE_NONE
	uint8_t key_size, salt_size;
	uint8_t tag_size, rtcp_tag_size;
};

const struct suite_facts *suite_facts(enum suite suite); // of what is out of range: SUITE_NONE's
enum suite suite_of_name(struct text name); // SUITE_NONE: unknown (RFC 4568 9.1: case matters)
static inline int suite_is_aead(enum suite suite)
{
	return suite == SUITE_AES_GCM_128 || suite == SUITE_AES_GCM_256;
}
