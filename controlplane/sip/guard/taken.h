#pragma once

// INVITEs that were let in lately, as marks of their transactions: a repeat of one must not hear from anybody
// else that it is refused, while somebody works on it.
// Runs on: one thread notes, any thread asks.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"

#define SIP_GUARD_TAKEN 262144 // 8,000 a second for half a minute, for which one is repeated
#define SIP_GUARD_TAKEN_WAYS 8 // in a line of the cache; the oldest goes

struct sip_guard_taken {
	_Alignas(64) _Atomic uint64_t marks[SIP_GUARD_TAKEN]; // 0: none
};

// source: whose host counts alone, as in sip/server.c: behind NATs many have one sent-by, and some count.
// via: the topmost value.
void sip_guard_taken_note(struct sip_guard_taken *taken, const struct address *source,
			  struct text via, struct text call_id);
bool sip_guard_taken_has(const struct sip_guard_taken *taken, const struct address *source,
			 struct text via, struct text call_id);
