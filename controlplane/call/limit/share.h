#pragma once

// The part of a limit that a node may use up by itself while Redis does not count for all of them.
// Runs on: control thread; pure.

#include <stdint.h>

struct share {
	uint32_t count;
	uint64_t span_ms; // of a rate: the time in which so many may pass
};

// 0: no limit, and no share. The shares of all nodes together are no more than the limit; where there are
// more nodes than it allows calls a second, each has one in a longer time.
struct share share_of_rate(uint32_t rate, unsigned nodes);
// Of calls at a time; at least one, even where there are more nodes than that.
uint32_t share_of_calls(uint32_t calls, unsigned nodes);
