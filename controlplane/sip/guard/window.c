// The window of new calls that are read in overload. Runs on the control thread; pure.

#include "sip/guard/window.h"

// Of those that are read some are refused, so that the rate is always used.
#define READ_FOR_ONE 1.15
#define READ_EARLY 1.7 // repeats of all that was left unanswered are among them
#define SHRINK_BELOW 0.85
#define GROW_ABOVE 1.1
#define LATE_ABOVE 1.5
#define GROW_MAX 2.0 // times, in one step
#define GROW_PART 0.25 // or, when far fewer come than could be read, this part of what is missing
#define LEAST_RATIO 0.125 // in one step, and of the first guess
#define SHARE_MIN (SIP_GUARD_SHARE_ALL / 1024)
#define TURN_PART 4 // a step onwards takes this part of the window
#define EARLY_US 2000000 // after the beginning
#define MEASURE_US 100000 // at least
#define MEASURE_LONG_US 500000 // before it grows
#define MEASURE_AGAIN_US 2000000
#define MEASURE_READ 50 // INVITEs, at least, or all of MEASURE_LONG_US

static uint32_t settled(const struct sip_guard_window *window)
{
	return window->sieve.share - window->trial;
}

static bool is_early(const struct sip_guard_window *window, uint64_t now_us)
{
	return now_us - window->opened_us < EARLY_US;
}

static void measure_anew(struct sip_guard_window *window, uint64_t now_us)
{
	window->since_us = now_us;
	window->read = 0;
}

// What is on trial goes too: there is too much already.
static void shrink(struct sip_guard_window *window, double ratio, uint64_t now_us)
{
	uint32_t before = settled(window);
	uint32_t share = (uint32_t)(before * (ratio < LEAST_RATIO ? LEAST_RATIO : ratio));
	window->sieve.share = share < SHARE_MIN ? SHARE_MIN : share;
	if (window->sieve.share < before)
		window->sieve.start += before - window->sieve.share;
	window->sieve.start %= SIP_GUARD_SHARE_ALL;
	window->trial = 0;
	measure_anew(window, now_us);
}

static void put_on_trial(struct sip_guard_window *window, uint32_t places, bool is_turn,
			 uint64_t now_us)
{
	uint32_t left = SIP_GUARD_SHARE_ALL - window->sieve.share;
	window->trial = places < left ? places : left;
	window->sieve.share += window->trial;
	window->is_turn = is_turn;
	window->trial_us = now_us;
	if (is_turn)
		window->turned_us = now_us;
}

// The load may be over: then nobody waits for a window that doubles every few seconds.
static uint32_t growth(const struct sip_guard_window *window, double ratio)
{
	double times = ratio < GROW_MAX ? ratio : GROW_MAX;
	if (ratio * GROW_PART > times)
		times = ratio * GROW_PART;
	double places = (times - 1) * window->sieve.share;
	return places < SIP_GUARD_SHARE_ALL ? (uint32_t)places : SIP_GUARD_SHARE_ALL;
}

static void end_trial(struct sip_guard_window *window, uint64_t now_us)
{
	if (window->is_turn) {
		window->sieve.start = (window->sieve.start + window->trial) % SIP_GUARD_SHARE_ALL;
		window->sieve.share -= window->trial;
	}
	window->trial = 0;
	measure_anew(window, now_us);
}

static bool is_trial_over(const struct sip_guard_window *window, uint64_t now_us)
{
	return window->are_others_told || is_early(window, now_us) ||
	       now_us - window->trial_us >= SIP_GUARD_TRIAL_US;
}

void sip_guard_window_open(struct sip_guard_window *window, double ratio, uint64_t now_us)
{
	window->sieve.share = SIP_GUARD_SHARE_ALL;
	window->trial = 0;
	window->opened_us = window->turned_us = now_us;
	shrink(window, ratio, now_us);
}

bool sip_guard_window_is_late(struct sip_guard_window *window, uint32_t place, uint64_t arrived_us)
{
	if (place >= settled(window))
		return true;
	window->read += arrived_us >= window->since_us;
	return false;
}

void sip_guard_window_follow(struct sip_guard_window *window, double rate, uint64_t wait_us,
			     uint64_t now_us)
{
	uint64_t end_us = now_us > wait_us ? now_us - wait_us : 0;
	uint64_t took_us = end_us > window->since_us ? end_us - window->since_us : 0;
	if (took_us < MEASURE_US || (took_us < MEASURE_LONG_US && window->read < MEASURE_READ))
		return;
	double read_per_s = (window->read + 1) * 1e6 / (double)took_us;
	bool is_hasty = is_early(window, now_us);
	bool has_repeats = is_hasty && !window->are_others_told;
	double ratio = (has_repeats ? READ_EARLY : READ_FOR_ONE) * rate / read_per_s;
	window->takes_late = ratio > LATE_ABOVE;
	bool is_whole = sip_guard_window_is_whole(window);
	uint64_t enough_us = is_hasty ? MEASURE_US : MEASURE_LONG_US;
	if (ratio < SHRINK_BELOW)
		shrink(window, ratio, now_us);
	else if (window->trial > 0 && is_trial_over(window, now_us))
		end_trial(window, now_us);
	else if (window->trial == 0 && !is_whole && ratio > GROW_ABOVE && took_us >= enough_us)
		put_on_trial(window, growth(window, ratio), false, now_us);
	else if (window->trial == 0 && !is_whole && now_us - window->turned_us >= SIP_GUARD_TURN_US)
		put_on_trial(window, window->sieve.share / TURN_PART, true, now_us);
	if (window->trial > 0 && window->are_others_told)
		end_trial(window, now_us); // before it began
	if (took_us >= MEASURE_AGAIN_US)
		measure_anew(window, now_us);
}
