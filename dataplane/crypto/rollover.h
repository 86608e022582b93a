#pragma once

// What a packet's sequence number means: its index, of which SRTP sends only the low 16 bits, whether
// that index was there before, and what the next one that leaves may be. One state per SSRC.
// Runs on: worker; pure.

#include <stdbool.h>
#include <stdint.h>

#define CRYPTO_REPLAY_WINDOW 128 // indexes below the highest; RFC 3711 3.3.2 asks for 64
#define CRYPTO_SOURCES 3 // SSRCs a key remembers, the latest first
#define CRYPTO_INDEX_MAX ((1ull << 48) - 1)
#define CRYPTO_RTCP_INDEX_MAX ((1ull << 31) - 1)

struct crypto_rollover {
	uint64_t window[2]; // bit 0 of [0]: highest; bit n: n below it; set: was there
	uint32_t ssrc;
	uint32_t roc; // RFC 3711 3.2.1; highest index / 65536
	uint16_t s_l; // highest index % 65536
	// Of what leaves: added to the sequence numbers of a sender that restarted; what comes after a
	// packet that looked like a restart.
	uint16_t offset, candidate;
	bool is_used : 1, has_candidate : 1;
	uint8_t left; // of what leaves: when the last one did, in 2^27 ns (134 ms)
};

_Static_assert(sizeof(struct crypto_rollover) == 32, "half a cache line");

static inline uint64_t crypto_rollover_highest(const struct crypto_rollover *state)
{
	return (uint64_t)state->roc << 16 | state->s_l;
}

// What nearly every packet is: the one after the highest, on the same turn of the ROC. All the rules below
// come to this then; they are for the others.
static inline bool crypto_rollover_is_next(const struct crypto_rollover *state, uint16_t sequence)
{
	return state->is_used && state->s_l != UINT16_MAX && sequence == state->s_l + 1;
}

static inline void crypto_rollover_commit_next(struct crypto_rollover *state)
{
	state->window[1] = state->window[1] << 1 | state->window[0] >> 63;
	state->window[0] = state->window[0] << 1 | 1;
	state->s_l++;
}

// RFC 3711 3.3.1. Of a state not used yet: ROC 0. Where the ROC would be -1 it is 0.
uint64_t crypto_rollover_guess(const struct crypto_rollover *state, uint16_t sequence);
// false: it was there before, or lies below the window.
bool crypto_rollover_is_new(const struct crypto_rollover *state, uint64_t index);
void crypto_rollover_commit(struct crypto_rollover *state, uint64_t index);

// What leaves. The index of a plain packet and, where its sender restarted its sequence numbers, its
// new number. false: it would use an index twice; nothing leaves.
bool crypto_rollover_leave(struct crypto_rollover *state, uint16_t sequence, uint64_t *out_index);

// NULL: not remembered.
const struct crypto_rollover *crypto_rollover_find(const struct crypto_rollover *states,
						   uint32_t ssrc);
// Makes it the first of CRYPTO_SOURCES states, a new one in place of the last when it is not
// remembered. out_forgotten, when not NULL: the one that went, is_used false when none did.
struct crypto_rollover *crypto_rollover_use(struct crypto_rollover *states, uint32_t ssrc,
					    struct crypto_rollover *out_forgotten);
