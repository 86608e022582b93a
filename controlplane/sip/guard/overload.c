// How many new calls may come in, in overload. Runs on the control thread; pure but for what it is given.

#include "sip/guard/overload.h"

#define RATE_MIN 10.0
#define RATE_MAX 1000000.0
// Tried on the model of overload_test.c.
#define REMEMBERED 0.975 // of what was counted, from one window to the next: four seconds
#define TRUSTED 0.3 // of what the last window says about the thread's part of a CPU
#define USED_UP 0.8 // of its part: more would be used, too
#define SPARE_STEP 0.01 // how much more is tried for each window in a row that has time to spare
#define SPARE_MAX 0.05
#define MORE_AT_REST 0.1 // than it can do by our reckoning, while nothing waits
#define REST_US 333000.0 // who waits for so long beyond what is aimed at: nobody new comes in
#define RATIO_MIN 0.05
#define BURSTS_PER_S 50.0
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

static void begin(struct sip_guard_overload *overload)
{
	overload->is_on = true;
	overload->calm_windows = 0;
	sip_guard_waiting_begin(&overload->waiting);
}

// What a call costs is the thread's time over the calls that were let in: all that it does is counted, and
// of calls that begin, most of the work is still to come, so both are remembered for a while.
static void note_cost(struct sip_guard_overload *overload, uint64_t used_us)
{
	overload->used_us = overload->used_us * REMEMBERED + (double)used_us;
	overload->begun = overload->begun * REMEMBERED + overload->admitted + overload->let_in;
}

// While the queue stands the thread never rests: what it gets of its CPU then, others having the rest, is
// what it can have. When it rests although some are refused, it can have more.
static void note_part(struct sip_guard_overload *overload, double part, bool is_busy)
{
	bool has_spare = !is_busy && overload->refused > 0 && part > USED_UP * overload->part;
	overload->spare_windows = has_spare ? overload->spare_windows + 1 : 0;
	if (is_busy && overload->part > 0)
		overload->part += TRUSTED * (part - overload->part);
	else if (is_busy)
		overload->part = part;
	double more = SPARE_STEP * overload->spare_windows;
	overload->part *= 1 + (more < SPARE_MAX ? more : SPARE_MAX);
	overload->part = overload->part < 1 ? overload->part : 1;
}

// A queue half as long as allowed is aimed at: then the thread has always something to do, and nobody
// waits long.
static double correction(const struct sip_guard_overload *overload, uint64_t longest_us)
{
	double aim_us = (double)longest_us / 2, wait_us = (double)overload->standing_us;
	double ratio = wait_us < aim_us ? 1 + MORE_AT_REST * (1 - wait_us / aim_us)
					: 1 - (wait_us - aim_us) / REST_US;
	return ratio > RATIO_MIN ? ratio : RATIO_MIN;
}

static double bounded(double rate)
{
	return rate < RATE_MIN ? RATE_MIN : rate > RATE_MAX ? RATE_MAX : rate;
}

// As large a part of who does not come by the door as of those who do; or what they leave.
static double rest(const struct sip_guard_overload *overload, uint64_t turned_away)
{
	double let_in = overload->let_in, others = overload->admitted + overload->refused;
	double part = let_in / (let_in + (double)turned_away);
	return bounded(turned_away > 0 ? part * others * WINDOWS_PER_S
				       : overload->rate - let_in * WINDOWS_PER_S);
}

static void follow(struct sip_guard_overload *overload, uint64_t longest_us, uint64_t turned_away)
{
	bool is_calm =
		overload->refused + turned_away == 0 && overload->standing_us < longest_us / 4;
	overload->calm_windows = is_calm ? overload->calm_windows + 1 : 0;
	sip_guard_waiting_follow(&overload->waiting, longest_us, turned_away);
	double can_do = overload->part * 1e6 * overload->begun / (overload->used_us + 1);
	overload->rate = bounded(is_calm ? overload->rate * 1.05
					 : can_do * correction(overload, longest_us));
	overload->rest = rest(overload, turned_away);
}

enum sip_guard_change sip_guard_overload_look(struct sip_guard_overload *overload,
					      uint64_t longest_us, struct sip_guard_time now)
{
	enum sip_guard_change change = SIP_GUARD_SAME;
	if (overload->now.at_us == 0)
		overload->now = now;
	uint64_t took_us = now.at_us - overload->now.at_us;
	if (took_us < SIP_GUARD_WINDOW_US)
		return SIP_GUARD_SAME;
	uint64_t used_us = now.used_us - overload->now.used_us;
	uint64_t turned_away = now.turned_away - overload->now.turned_away;
	overload->before_us = overload->standing_us;
	overload->standing_us = close_window(overload);
	note_cost(overload, used_us);
	note_part(overload, (double)used_us / (double)took_us,
		  overload->standing_us >= longest_us / 4 || turned_away > 0);
	if (!overload->is_on && overload->standing_us > longest_us &&
	    overload->before_us > longest_us) {
		begin(overload);
		change = SIP_GUARD_BEGAN;
	}
	if (overload->is_on)
		follow(overload, longest_us, turned_away);
	if (overload->is_on && overload->calm_windows >= SIP_GUARD_CALM_WINDOWS) {
		overload->is_on = false;
		change = SIP_GUARD_ENDED;
	}
	overload->now = now;
	overload->admitted = overload->refused = overload->let_in = 0;
	return change;
}

// As much as a turn of the loop may bring at once; who needs it less finds the bucket empty earlier.
bool sip_guard_overload_admit(struct sip_guard_overload *overload, enum sip_guard_need need,
			      uint64_t now_us)
{
	static const unsigned shares[] = { 4, 3, 2 }; // quarters of the burst
	bool is_admitted = true;
	if (overload->is_on) {
		uint64_t burst = (uint64_t)(overload->rest / BURSTS_PER_S) + 4;
		is_admitted = sip_guard_rate_take(&overload->calls, now_us,
						  (uint64_t)(1000000 / overload->rest),
						  burst * shares[need] / 4);
	}
	if (is_admitted)
		overload->admitted++;
	else
		overload->refused++;
	return is_admitted;
}

void sip_guard_overload_note_let_in(struct sip_guard_overload *overload)
{
	overload->let_in++;
}

// A second's worth at once: who is not answered comes back three times.
bool sip_guard_overload_may_answer(struct sip_guard_overload *overload, uint64_t now_us)
{
	return sip_guard_rate_take(&overload->answers, now_us, (uint64_t)(2000000 / overload->rest),
				   (uint64_t)(overload->rest / 2) + 4);
}
