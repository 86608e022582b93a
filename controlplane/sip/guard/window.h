#pragma once

// Which new calls by UDP are read at all in overload (sip/guard/sieve.h): as many as can be done, and a few
// more. What lies outside is never seen, so its callers repeat (RFC 3261 17.1.1.2), and wherever the window
// grows it meets callers who have waited for seconds: to let them in would take the time of those who call
// now. So a part that is new is on trial for as long as they repeat: there one is refused, with a 503 where
// that can be afforded, unless there is much time to spare; and the window grows rarely, but at
// the beginning, when nobody has waited for long yet. It shrinks at once, at
// its other end, and moves on slowly: nobody stays in for long, nor out. Where somebody else tells those
// outside that they are refused (sip/refuser) nobody repeats, and nothing is on trial.
// Runs on: control thread; pure. Time in microseconds of the loop's clock.

#include <stdbool.h>
#include <stdint.h>

#include "sip/guard/sieve.h"

#define SIP_GUARD_TRIAL_US 2000000 // T2 / 2: who gives up after four INVITEs has sent one meanwhile
#define SIP_GUARD_TURN_US 15000000 // between two steps onwards

struct sip_guard_window {
	struct sip_guard_sieve sieve; // what is read, the part on trial included
	uint32_t trial; // places, the last ones; 0: none
	bool are_others_told; // those outside; whoever owns the window says so
	bool takes_late; // there is much time to spare: who waits for long may come in too
	bool is_turn; // the trial is a step onwards: as many first places go when it is over
	uint64_t opened_us, trial_us,
		turned_us; // when it and the trial began; the last step onwards
	uint64_t since_us; // counted from then on, only what arrived later
	uint64_t last_us; // when the one read last arrived
	unsigned read; // in places not on trial
};

// Nothing is dropped yet; ratio: the part that can be done by a first guess, which is kept to until it is
// measured.
void sip_guard_window_open(struct sip_guard_window *window, double ratio, uint64_t now_us);
// Is an INVITE in this place on trial, or no longer in the window? Counts it.
bool sip_guard_window_is_late(struct sip_guard_window *window, uint32_t place, uint64_t arrived_us);
// Ten times a second: fits it to a rate of INVITEs. wait_us: for how long what is read now has waited.
void sip_guard_window_follow(struct sip_guard_window *window, double rate, uint64_t wait_us,
			     uint64_t now_us);
static inline bool sip_guard_window_is_whole(const struct sip_guard_window *window)
{
	return window->sieve.share >= SIP_GUARD_SHARE_ALL && window->trial == 0;
}
