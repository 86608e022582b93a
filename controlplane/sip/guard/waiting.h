#pragma once

// How many messages of new calls may wait for the control thread in overload: so many that it always has
// something to do, and nobody waits for long. As many as wait for the time that is aimed at (Little's law):
// who waits longer makes the number smaller.
// Runs on: control thread; pure.

#include <stdint.h>

#define SIP_GUARD_WAITING_MAX 1024
#define SIP_GUARD_WAITING_MIN 8

struct sip_guard_waiting {
	double most; // that may wait
	uint64_t waited_us; // in this window, all together
	unsigned count;
	uint64_t mean_us; // in the last window
};

void sip_guard_waiting_begin(struct sip_guard_waiting *waiting);
void sip_guard_waiting_note(struct sip_guard_waiting *waiting, uint64_t wait_us);
// Ten times a second. refused: so many heard in this window that there is no room.
void sip_guard_waiting_follow(struct sip_guard_waiting *waiting, uint64_t aim_us, uint64_t refused);
