#pragma once

// Time as one thread sees it: read once per turn of its loop, so that everything in a turn agrees,
// and set by hand in scenario tests.
// Runs on: the thread that owns the object.

#include <stdint.h>

struct clock {
	uint64_t now_ms; // CLOCK_MONOTONIC
	uint64_t wall_ms; // milliseconds since 1970-01-01 UTC
};

void clock_update(struct clock *clock);
uint64_t clock_monotonic_ns(void); // for measuring, not for timers
// "2026-11-21T20:47:38.123Z" and a terminating zero; room for 25.
void clock_write_iso(uint64_t wall_ms, char room[static 25]);
