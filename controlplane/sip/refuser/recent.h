#pragma once

// The parts of all new calls that the control thread has read lately. A copy of an INVITE that it may have
// read, and may be working on, must not hear from anybody else that it is refused.
// Runs on: the refuser's thread; pure.

#include <stdbool.h>
#include <stdint.h>

#include "sip/guard/sieve.h"

#define SIP_REFUSER_RECENT 32 // of the window's moves, ten a second at most
#define SIP_REFUSER_QUIET_MS 1000 // T1 and what a datagram may wait: by then it was heard of

struct sip_refuser_recent {
	struct sip_guard_sieve windows[SIP_REFUSER_RECENT]; // the newest at `newest`
	uint64_t until_ms[SIP_REFUSER_RECENT]; // of those that are over
	unsigned newest;
};

void sip_refuser_recent_init(struct sip_refuser_recent *recent); // all was read
void sip_refuser_recent_follow(struct sip_refuser_recent *recent,
			       const struct sip_guard_sieve *sieve, uint64_t now_ms);
// Might a call in this place, counted from 0, have been read by the control thread?
bool sip_refuser_recent_has(const struct sip_refuser_recent *recent, uint32_t place,
			    uint64_t now_ms);
