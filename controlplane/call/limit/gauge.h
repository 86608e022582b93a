#pragma once

// What one trunk, or one account, uses of its limits on this node: calls now, calls in the last second.
// Runs on: control thread.

#include "base/map.h"
#include "call/limit/window.h"
#include "directory/directory.h"

struct gauge {
	struct map_node node;
	char sid[DIRECTORY_SID_SIZE];
	struct window window;
	unsigned calls; // that hold a slot, those being decided too
	uint64_t used_ms; // when something passed last
};

struct gauges {
	struct map by_sid;
	size_t sweep_at; // that many: time to look for ones nobody uses
};

bool gauges_init(struct gauges *gauges);
void gauges_clear(struct gauges *gauges);
// Made when there is none; NULL: no memory. It stays while it has calls, and a while after the last.
struct gauge *gauges_get(struct gauges *gauges, const char *sid, uint64_t now_ms);
struct gauge *gauges_find(const struct gauges *gauges, const char *sid); // NULL: nothing is used
