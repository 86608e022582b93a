#pragma once

// How long a loop waits before its next turn, so that a burst costs one turn and not many: what a turn costs
// by itself (falling asleep, a record and a waking of each peer) is shared by all that came meanwhile.
// Runs on: any thread; pure.

#include <stdint.h>

#define GATHER_NS 1000000 // at most
#define GATHER_ENOUGH 24 // pieces of work, at the rate of the last turn: then it waits no longer

struct gather {
	uint64_t begun_ns, ended_ns; // the last turn
	uint64_t done; // until its end
};

// A turn has ended, and so much is done since the start. When the next may begin: `now_ns` when at once.
uint64_t gather_until(struct gather *gather, uint64_t now_ns, uint64_t done);
