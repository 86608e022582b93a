#pragma once

// The moments of the last admissions: at most so many in any span of time, wherever it begins. Exact,
// where a bucket that fills evenly lets twice its rate pass in one second (docs/decisions/call-limits.md).
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

struct window { // all zero: empty
	uint64_t *times_ms; // a ring, oldest first
	unsigned room, first, count;
};

void window_clear(struct window *window);
// Admissions in the last span_ms; look forgets nothing, as a longer span may still count it.
unsigned window_look(const struct window *window, uint64_t span_ms, uint64_t now_ms);
unsigned window_count(struct window *window, uint64_t span_ms, uint64_t now_ms);
bool window_make_room(struct window *window); // for one more; false: no memory
void window_add(struct window *window,
		uint64_t now_ms); // forgets the oldest where there is no room
