#pragma once

// One crypto line of a session description (RFC 4568): what a side protects what it sends with. Text
// from strangers: every size is bounded here, once. A line we may not take is skipped, not an error.
// Runs on: any thread; pure. Nothing here ever shows a key but media_sdes_write.

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "dataplane/suite.h"

#define MEDIA_SDES_SIZE_MAX 512 // of a line's value
#define MEDIA_KEY_SIZE (SUITE_KEY_MAX + SUITE_SALT_MAX)

struct media_key { // a master key; no padding, so it may be compared and wiped as a whole
	uint8_t suite; // enum suite; SUITE_NONE: no key
	uint8_t octets[MEDIA_KEY_SIZE]; // key, salt, without a gap; the rest is zero
};

struct media_sdes {
	uint32_t tag; // RFC 4568 9.1: up to nine digits
	bool has_lifetime; // it states one; tolerated, and no call is long enough to reach it
	struct media_key key;
};

// clang-format off
// Why a line is taken or skipped; the texts may be shown to its sender.
#define MEDIA_SDES_FATE_LIST(ROW)                                                                  \
	ROW(TAKEN, "taken")                                                                        \
	ROW(MALFORMED, "a crypto line that cannot be read")                                        \
	ROW(SUITE, "another crypto suite")                                                         \
	ROW(KEY, "a key of the wrong length for its suite, or not base64")                         \
	ROW(SEVERAL_KEYS, "several keys in one crypto line")                                       \
	ROW(MKI, "a key with an MKI")                                                              \
	ROW(PARAMETER, "a crypto line with session parameters")
// clang-format on

#define MEDIA_SDES_ENUMERATOR(name, text) MEDIA_SDES_##name,
enum media_sdes_fate { MEDIA_SDES_FATE_LIST(MEDIA_SDES_ENUMERATOR) MEDIA_SDES_FATES };
#undef MEDIA_SDES_ENUMERATOR

// `value` is what follows "a=crypto:"; `suites` are bits of those that may be taken (SRTP-003). Lines
// with an MKI are skipped (SRTP-006, D-33). Untouched unless TAKEN.
enum media_sdes_fate media_sdes_parse(struct text value, unsigned suites,
				      struct media_sdes *out_line);
const char *media_sdes_fate_text(enum media_sdes_fate fate);
bool media_key_is_equal(const struct media_key *a, const struct media_key *b); // constant time
// "1 AES_CM_128_HMAC_SHA1_80 inline:…", what follows "a=crypto:". The line must have a suite.
void media_sdes_write(const struct media_sdes *line, struct writer *writer);
