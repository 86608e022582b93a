#pragma once

// Nonces of digest authentication: stateless until used with success. Each says when it was made
// and proves that we made it, for this realm and this source; what was used is remembered while the
// nonce lives, in a table of fixed size.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"

#define SIP_NONCE_SIZE 32 // characters

struct sip_nonces;

struct sip_nonces *sip_nonces_create(struct text realm, uint32_t lifetime_s);
void sip_nonces_destroy(struct sip_nonces *nonces);

void sip_nonce_write(struct sip_nonces *nonces, const struct address *source, uint64_t now_ms,
		     struct writer *writer);
// Ours, for that source, within its lifetime, and this count not used yet?
bool sip_nonce_is_fresh(struct sip_nonces *nonces, struct text nonce, uint32_t count,
			const struct address *source, uint64_t now_ms);
// Remembers the count of a nonce that is_fresh and proved right.
void sip_nonce_use(struct sip_nonces *nonces, struct text nonce, uint32_t count, uint64_t now_ms);
