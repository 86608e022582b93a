#pragma once

// How many connections each source holds: a host, or a network of 64 bits of IPv6, of which whoever
// has one address has them all.
// Runs on: control thread. Inside sip/transport only.

#include <stdbool.h>

#include "base/address.h"
#include "base/map.h"

struct source {
	struct map_node node;
	struct address network;
	unsigned count; // of connections; the source goes with the last
};

// NULL: it holds `max` already, or there is no memory.
struct source *source_take(struct map *sources, const struct address *peer, unsigned max);
void source_give(struct map *sources, struct source *source); // NULL is harmless
