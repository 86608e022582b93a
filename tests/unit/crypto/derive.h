#pragma once

// Session keys from a master key, by RFC 3711 4.3.1 over OpenSSL: the tests' own, so that neither the
// dataplane nor control's derivation is checked against itself.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/message.h"
#include "dataplane/suite.h"

#define DERIVE_MASTER_MAX (SUITE_KEY_MAX + SUITE_SALT_MAX)

// Key and salt of `suite` in `master`; the octets of a KEY message in `form`.
void derive_octets(enum suite suite, enum key_form form, bool is_rtcp, const uint8_t *master,
		   uint8_t out_octets[static 50]);
// Blocks of an AES-CM key stream whose first counter block is `iv` (RFC 3711 4.1.1, B.2).
void derive_key_stream(const uint8_t *key, unsigned key_size, const uint8_t iv[static 16],
		       uint8_t *out, unsigned size);
