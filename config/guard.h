#pragma once

// The section guard: what a source may send before it is limited or banned, and what is overload. All
// of it is live. Its rows stand in config/schema.c.
// Runs on: the control thread.

#include <stdbool.h>

struct guard_config {
	bool enabled;
	unsigned stranger_rate; // messages a second of one
	unsigned strangers_rate; // of all of them
	unsigned peer_rate; // of one known peer
	unsigned known_minutes;
	unsigned offences; // in a minute, that ban
	unsigned ban_s, ban_max_s;
	unsigned options_interval_s, options_burst; // LIMIT-012
	unsigned queue_ms, stale_ms; // overload
};
