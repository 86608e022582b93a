#pragma once

// Calls per second by trunk: a token bucket each, that holds one second's worth (LIMIT-001 to -006,
// D-15). Nothing is queued: no token, no call.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

struct limits;

struct limits *limits_create(void);
void limits_destroy(struct limits *limits);
unsigned limits_count(const struct limits *limits); // buckets now: those in use, and a few more
// Takes one token of the trunk's bucket; false when it is empty. `cps` is the trunk's limit now.
bool limits_take(struct limits *limits, const char *trunk_sid, uint32_t cps, uint64_t now_ms);
