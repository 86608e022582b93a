#pragma once

// The INVITEs of the ring, asked again under another configuration and another directory, which is a copy
// of the node's own: nothing of the node is touched. Done in slices, a few in each turn of the loop.
// Runs on: control thread.

#include "call/explain/explain.h"
#include "call/replay/ring.h"

struct replay;

struct replay_change { // one that would end differently
	const struct replay_entry *entry;
	const struct explanation *explanation; // how it would end
	const char *was, *would; // "admitted", "403 Forbidden"
};

struct replay_sums {
	unsigned asked, changed;
	unsigned passed_over; // refused for load, or about a call (Replaces): a replay has neither
	uint64_t
		crowded; // pushed out of the ring early, since the start, because others were large
	bool is_complete; // false: no memory, or the directory never stood still
};

struct replay_user {
	void *context;
	// The copy is complete: the changes to be tried. False: they cannot be made, and `finished` is
	// not called.
	bool (*prepare)(void *context, struct directory *copy);
	void (*changed)(void *context, const struct replay_change *change);
	void (*finished)(void *context, const struct replay_sums *sums);
};

// config: NULL: the node's own; else it is owned and destroyed, also on failure. ERR_BUSY: one at a time.
enum status replay_start(struct calls *calls, struct config *config,
			 const struct replay_user *user);
void replay_stop(struct replay *replay); // finished with what it has; harmless on NULL
// The INVITE of a recent call, refused ones too; NULL: it is not kept. Valid until the loop turns.
const struct replay_entry *replay_find(const struct calls *calls, struct text sid);
// By Call-ID, as replay_ring_find_call_id.
unsigned replay_find_call_id(const struct calls *calls, struct text call_id,
			     const struct replay_entry **out_entries, unsigned max);
// Refused for what only the moment decided: room, ports, the record's.
bool replay_is_of_the_moment(enum refusal_cause cause);
