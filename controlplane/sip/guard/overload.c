// The rate of new calls in overload. Runs on the control thread; pure but for what it is given.

#include "sip/guard/overload.h"

#define RATE_MIN 10.0
#define RATE_MAX 1000000.0
// Tried on the model of overload_test.c at 1.5 and 10 times 300, 1,000 and 8,000 calls a second: the
// thread rests for 2 % of the time at most.
#define BY_ERROR 0.06
#define BY_GROWTH 0.3
#define SLOWER (-0.5) // at most, in one window
#define FASTER 0.02 // at least, while nothing waits and some are refused
#define BURSTS_PER_S 50.0
// Of those that are read some are refused, so that somebody hears 503 and the rate is always used.
#define READ_FOR_ONE 1.25
#define SHARE_MIN (1.0 / 256)
#define SHARE_LESS 0.25 // at most, in one window
#define SHARE_STEP 0.2
#define WINDOWS_PER_S (1000000.0 / SIP_GUARD_WINDOW_US)

void sip_guard_overload_note(struct sip_guard_overload *overload, enum sip_guard_queue queue,
			     uint64_t wait_us)
{
	struct sip_guard_wait *wait = &overload->waits[queue];
	if (!wait->is_measured || wait_us < wait->shortest_us)
		wait->shortest_us = wait_us;
	wait->is_measured = true;
}

// Of the queue that is worse: datagrams may wait long although each turn of the loop is short.
static uint64_t close_window(struct sip_guard_overload *overload)
{
	uint64_t standing_us = 0;
	for (unsigned queue = 0; queue < SIP_GUARD_QUEUES; queue++) {
		struct sip_guard_wait *wait = &overload->waits[queue];
		if (wait->is_measured && wait->shortest_us > standing_us)
			standing_us = wait->shortest_us;
		wait->is_measured = false;
	}
	return standing_us;
}

// While the queue stands the thread never rests, so what it let in then is what it can do; or twice that:
// of calls that begin, most of the work is still to come.
static void begin(struct sip_guard_overload *overload)
{
	overload->is_on = true;
	overload->share = 1;
	overload->calm_windows = 0;
	overload->rate = overload->admitted * WINDOWS_PER_S / 2;
}

// To read a datagram and to throw it away takes a twentieth of a call's work: at ten times what can be
// done, with repeats, that would be most of it. So the kernel throws away most of them, unread.
static void follow_share(struct sip_guard_overload *overload)
{
	double seen = overload->admitted + overload->refused + overload->stale + 1;
	double ratio = (READ_FOR_ONE * overload->rate / WINDOWS_PER_S + 2) / seen;
	if (ratio > 0.5) // no leap: who was left out comes again, and would be let in too late
		ratio = 1 + SHARE_STEP * (ratio - 1);
	overload->share *= ratio < SHARE_LESS ? SHARE_LESS : ratio;
	overload->share = overload->share < SHARE_MIN ? SHARE_MIN
			  : overload->share > 1       ? 1
						      : overload->share;
}

// A queue half as long as allowed is aimed at: then the thread has always something to do, and nobody
// waits long. By how far it is from there, and by how fast it grows (as RFC 8033 does), of which the
// part is taken that is work: who is refused costs next to nothing. Fast up once nobody is.
static void follow(struct sip_guard_overload *overload, uint64_t longest_us)
{
	double asked = overload->admitted + overload->refused + 1;
	double work = (overload->admitted + 1) / asked;
	double standing_us = (double)overload->standing_us;
	double error_us = (double)longest_us / 2 - standing_us;
	double growth_us = standing_us - (double)overload->before_us;
	bool is_calm = overload->refused == 0 && overload->share >= 1 &&
		       standing_us < (double)longest_us / 4;
	double step = (BY_ERROR * error_us - BY_GROWTH * work * growth_us) / SIP_GUARD_WINDOW_US;
	if (standing_us < (double)longest_us / 8 && overload->refused > 0 && step < FASTER)
		step = FASTER;
	overload->calm_windows = is_calm ? overload->calm_windows + 1 : 0;
	overload->rate *= is_calm ? 1.05 : 1 + (step < SLOWER ? SLOWER : step);
}

enum sip_guard_change sip_guard_overload_look(struct sip_guard_overload *overload,
					      uint64_t longest_us, uint64_t now_us)
{
	enum sip_guard_change change = SIP_GUARD_SAME;
	if (overload->window_us == 0)
		overload->window_us = now_us;
	if (now_us - overload->window_us < SIP_GUARD_WINDOW_US)
		return SIP_GUARD_SAME;
	overload->before_us = overload->standing_us;
	overload->standing_us = close_window(overload);
	if (overload->is_on) {
		follow(overload, longest_us);
	} else if (overload->standing_us > longest_us && overload->before_us > longest_us) {
		begin(overload);
		change = SIP_GUARD_BEGAN;
	}
	overload->rate = overload->rate < RATE_MIN   ? RATE_MIN
			 : overload->rate > RATE_MAX ? RATE_MAX
						     : overload->rate;
	if (overload->is_on)
		follow_share(overload);
	if (overload->is_on && overload->calm_windows >= SIP_GUARD_CALM_WINDOWS) {
		overload->is_on = false;
		change = SIP_GUARD_ENDED;
	}
	overload->window_us = now_us;
	overload->admitted = overload->refused = overload->stale = 0;
	return change;
}

// As much as a turn of the loop may bring at once; who needs it less finds the bucket empty earlier.
bool sip_guard_overload_admit(struct sip_guard_overload *overload, enum sip_guard_need need,
			      uint64_t now_us)
{
	static const unsigned shares[] = { 4, 3, 2 }; // quarters of the burst
	bool is_admitted = true;
	if (overload->is_on) {
		uint64_t burst = (uint64_t)(overload->rate / BURSTS_PER_S) + 4;
		is_admitted = sip_guard_rate_take(&overload->calls, now_us,
						  (uint64_t)(1000000 / overload->rate),
						  burst * shares[need] / 4);
	}
	if (is_admitted)
		overload->admitted++;
	else
		overload->refused++;
	return is_admitted;
}

void sip_guard_overload_note_stale(struct sip_guard_overload *overload)
{
	overload->stale++;
}

bool sip_guard_overload_may_answer(struct sip_guard_overload *overload, uint64_t now_us)
{
	return sip_guard_rate_take(&overload->answers, now_us, (uint64_t)(4000000 / overload->rate),
				   (uint64_t)(overload->rate / 4 / BURSTS_PER_S) + 4);
}
