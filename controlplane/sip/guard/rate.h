#pragma once

// A rate with a burst in eight octets: the time at which the next message would be due if all came
// evenly (the generic cell rate algorithm of ITU-T I.371).
// Runs on: its owner's thread; pure.

#include <stdbool.h>
#include <stdint.h>

struct sip_guard_rate {
	uint64_t due_us; // 0: never used
};

// Takes one of `burst` that come back at one each interval_us; false: none is left.
static inline bool sip_guard_rate_take(struct sip_guard_rate *rate, uint64_t now_us,
				       uint64_t interval_us, uint64_t burst)
{
	uint64_t due_us = rate->due_us > now_us ? rate->due_us : now_us;
	if (due_us - now_us > interval_us * (burst > 0 ? burst - 1 : 0))
		return false;
	rate->due_us = due_us + interval_us;
	return true;
}

// How many of the burst are left; none is taken.
static inline unsigned sip_guard_rate_left(const struct sip_guard_rate *rate, uint64_t now_us,
					   uint64_t interval_us, unsigned burst)
{
	uint64_t ahead_us = rate->due_us > now_us ? rate->due_us - now_us : 0;
	uint64_t used = (ahead_us + interval_us - 1) / interval_us;
	return used < burst ? burst - (unsigned)used : 0;
}

static inline uint64_t sip_guard_rate_interval(unsigned per_s)
{
	return per_s > 0 ? 1000000 / per_s : 1000000;
}
