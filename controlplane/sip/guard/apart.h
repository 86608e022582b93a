#pragma once

// What the thread that refuses new calls apart (sip/refuser) may know of the guard: which calls are read by
// the control thread, and who may have an answer. Known peers may, of whom a call to the same host came in
// within the last minutes: others are left without, as the guard has no time to judge each.
// Runs on: control thread writes; the refuser's reads, at any time.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"
#include "sip/guard/sieve.h"

#define SIP_GUARD_APART_BITS                                                                       \
	131072 // a thousand callers: one stranger in 130 is taken for one of them
#define SIP_GUARD_APART_WORDS (SIP_GUARD_APART_BITS / 64)
#define SIP_GUARD_APART_TURN_MS 60000 // who was not seen for one to two of these is forgotten

struct sip_guard_apart {
	_Atomic uint64_t sieve; // salt, start, share, in one word; 0: all are read
	_Atomic bool is_served; // the refuser says so at its start
	_Atomic uint32_t peer_rate; // messages a second of one source
	_Atomic uint64_t callers[2][SIP_GUARD_APART_WORDS]; // of this turn and of the last
	unsigned turn; // control thread's alone, as the next
	uint64_t turned_ms;
};

// Each turn of the loop's timer.
void sip_guard_apart_follow(struct sip_guard_apart *apart, const struct sip_guard_sieve *sieve,
			    unsigned peer_rate, uint64_t now_ms);
void sip_guard_apart_note(struct sip_guard_apart *apart, const struct address *source,
			  struct text host);
void sip_guard_apart_forget(struct sip_guard_apart *apart); // everybody
bool sip_guard_apart_knows(const struct sip_guard_apart *apart, const struct address *source,
			   struct text host);
struct sip_guard_sieve sip_guard_apart_sieve(const struct sip_guard_apart *apart);
