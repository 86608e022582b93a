#pragma once

// The last INVITEs that were decided on, as they came, to ask later what would have become of them. What
// is secret in them is struck out as they are kept: answers to challenges, keys of SRTP.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "call/refusal.h"
#include "sip/message.h"

#define REPLAY_MESSAGE_ROOM 4096 // octets for each; larger ones take the room of several

struct replay_entry {
	uint64_t now_ms, wall_ms; // when it came
	struct sip_flow flow;
	char sid[RANDOM_SID_SIZE]; // as in the history; "": it has no record
	enum refusal_cause cause; // REFUSED_NOT: it was admitted
	bool has_digest; // right as it was sent
	uint32_t size; // at most SIP_MESSAGE_MAX
	char *octets;
	struct text call_id; // within the octets
};

struct replay_fate {
	uint64_t now_ms, wall_ms;
	const char *sid;
	enum refusal_cause cause;
	bool is_stranger; // they have a quarter of the room, and push nobody else out
};

struct replay_ring;

struct replay_ring *replay_ring_create(unsigned count); // NULL: 0, or no memory
void replay_ring_destroy(struct replay_ring *ring);
// One copy; nothing happens without a ring.
void replay_ring_add(struct replay_ring *ring, const struct sip_message *invite,
		     const struct replay_fate *fate);
// Of one that was kept as admitted: refused after all. It is among the last.
void replay_ring_settle(struct replay_ring *ring, struct text sid, enum refusal_cause cause);
unsigned replay_ring_count(const struct replay_ring *ring); // kept now
// In the order in which they came, strangers' first; NULL past the last. Valid until the loop turns.
const struct replay_entry *replay_ring_at(const struct replay_ring *ring, unsigned nth);
const struct replay_entry *replay_ring_find(const struct replay_ring *ring, struct text sid);
// Those of a dialog, which several INVITEs may name: fills in as many as there is room for, returns how many
// there are.
unsigned replay_ring_find_call_id(const struct replay_ring *ring, struct text call_id,
				  const struct replay_entry **out_entries, unsigned max);
// Pushed out before there were as many as asked for, because others were large.
uint64_t replay_ring_crowded(const struct replay_ring *ring);
