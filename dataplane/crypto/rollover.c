// Index, replay window and the memory of SSRCs, by RFC 3711 3.3.1 and 3.3.2. Runs on: worker; pure.
// Nothing an unauthenticated packet says is ever stored here: callers commit after the tag matched.

#include "dataplane/crypto/rollover.h"

#include <string.h>

// How far a sequence number lies beyond the highest, by the rule of RFC 3711 3.3.1.
static int32_t ahead_of(uint16_t s_l, uint16_t sequence)
{
	int32_t ahead = sequence - s_l;
	if (s_l < 32768)
		return ahead > 32768 ? ahead - 65536 : ahead;
	return ahead < -32768 ? ahead + 65536 : ahead;
}

uint64_t crypto_rollover_guess(const struct crypto_rollover *state, uint16_t sequence)
{
	if (!state->is_used)
		return sequence;
	int64_t index = (int64_t)crypto_rollover_highest(state) + ahead_of(state->s_l, sequence);
	return index < 0 ? sequence : (uint64_t)index;
}

bool crypto_rollover_is_new(const struct crypto_rollover *state, uint64_t index)
{
	uint64_t highest = crypto_rollover_highest(state);
	if (!state->is_used || index > highest)
		return index <= CRYPTO_INDEX_MAX;
	uint64_t behind = highest - index;
	return behind < CRYPTO_REPLAY_WINDOW && !(state->window[behind / 64] >> behind % 64 & 1);
}

static void shift(struct crypto_rollover *state, uint64_t by)
{
	if (by < 64) {
		state->window[1] = state->window[1] << by | state->window[0] >> 1 >> (63 - by);
		state->window[0] <<= by;
	} else {
		state->window[1] = by < CRYPTO_REPLAY_WINDOW ? state->window[0] << (by - 64) : 0;
		state->window[0] = 0;
	}
}

void crypto_rollover_commit(struct crypto_rollover *state, uint64_t index)
{
	uint64_t highest = crypto_rollover_highest(state);
	if (!state->is_used || index > highest) {
		shift(state, state->is_used ? index - highest : CRYPTO_REPLAY_WINDOW);
		state->roc = (uint32_t)(index >> 16);
		state->s_l = (uint16_t)index;
		state->window[0] |= 1;
		state->is_used = true;
	} else if (highest - index < CRYPTO_REPLAY_WINDOW) {
		state->window[(highest - index) / 64] |= 1ull << (highest - index) % 64;
	}
}

// Two packets in a row far behind what left are a sender that began anew (RFC 3550 A.1). It goes on
// where it was: the receiver keeps its ROC, and no index is used twice.
static bool follow_restart(struct crypto_rollover *state, uint16_t sequence, uint64_t *out_index)
{
	uint64_t next = crypto_rollover_highest(state) + 1;
	bool is_restart = state->has_candidate && sequence == state->candidate;
	state->has_candidate = !is_restart;
	state->candidate = (uint16_t)(sequence + 1);
	if (!is_restart || next > CRYPTO_INDEX_MAX)
		return false;
	state->offset = (uint16_t)(next - sequence);
	*out_index = next;
	return true;
}

bool crypto_rollover_leave(struct crypto_rollover *state, uint16_t sequence, uint64_t *out_index)
{
	uint16_t moved = (uint16_t)(sequence + state->offset);
	uint64_t index = crypto_rollover_guess(state, moved);
	if (state->is_used) {
		int64_t ahead = ahead_of(state->s_l, moved);
		int64_t highest = (int64_t)crypto_rollover_highest(state);
		// Before the beginning: what a receiver makes of it depends on the receiver.
		bool is_behind = ahead <= -CRYPTO_REPLAY_WINDOW || highest + ahead < 0;
		if (is_behind && !follow_restart(state, sequence, &index))
			return false;
		if (!is_behind)
			state->has_candidate = false;
	}
	if (!crypto_rollover_is_new(state, index))
		return false;
	crypto_rollover_commit(state, index);
	*out_index = index;
	return true;
}

const struct crypto_rollover *crypto_rollover_find(const struct crypto_rollover *states,
						   uint32_t ssrc)
{
	for (unsigned i = 0; i < CRYPTO_SOURCES; i++)
		if (states[i].is_used && states[i].ssrc == ssrc)
			return &states[i];
	return NULL;
}

struct crypto_rollover *crypto_rollover_use(struct crypto_rollover *states, uint32_t ssrc,
					    struct crypto_rollover *out_forgotten)
{
	if (out_forgotten)
		out_forgotten->is_used = false;
	if (states[0].is_used && states[0].ssrc == ssrc)
		return &states[0];
	unsigned from = 1;
	while (from < CRYPTO_SOURCES - 1 && !(states[from].is_used && states[from].ssrc == ssrc))
		from++;
	struct crypto_rollover used = states[from];
	if (!used.is_used || used.ssrc != ssrc) {
		if (out_forgotten)
			*out_forgotten = used;
		used = (struct crypto_rollover){ .ssrc = ssrc };
	}
	memmove(&states[1], &states[0], from * sizeof(states[0]));
	states[0] = used;
	return &states[0];
}
