// The window of new calls that are read in overload. Runs on the control thread; pure.

#include "sip/guard/window.h"

// Of those that are read some are refused, so that the rate is always used.
#define READ_FOR_ONE 1.15
#define READ_CLOSE 1.02 // where the window follows closely
#define READ_EARLY 1.7 // repeats of all that was left unanswered are among them
#define SHRINK_BELOW 0.85
#define GROW_ABOVE 1.1
#define LATE_ABOVE 1.5
#define CLOSE_PART 0.5 // of what is wrong by little is put right in one step: as much is chance
#define GROW_MAX 2.0 // times, in one step
#define GROW_PART 0.25 // or, when far fewer come than could be read, this part of what is missing
#define LEAST_RATIO 0.125 // in one step, and of the first guess
#define SHARE_MIN (SIP_GUARD_SHARE_ALL / 1024)
#define TURN_PART 4 // a step onwards takes this part of the window
#define EARLY_US 2000000 // after the beginning
#define MEASURE_US 80000 // at least: nearly all of a tenth of a second
#define MEASURE_CLOSE_US 180000
#define MEASURE_LONG_US 500000 // before it grows
#define UNREAD_US 50000 // no longer than the shortest wait and this anything waits, mostly
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

static void grow(struct sip_guard_window *window, double ratio, uint64_t now_us)
{
	put_on_trial(window, growth(window, ratio), false, now_us);
	end_trial(window, now_us); // before it began
}

// Nobody outside waits: it grows and shrinks alike, and moves on at once. That far fewer are read than could
// be may mean that the thread had no time to read.
static void follow_closely(struct sip_guard_window *window, double ratio, uint64_t took_us,
			   uint64_t now_us)
{
	if (ratio >= 1 / SHRINK_BELOW && took_us < MEASURE_LONG_US)
		return;
	if (ratio > SHRINK_BELOW && ratio < 1 / SHRINK_BELOW)
		ratio = 1 + CLOSE_PART * (ratio - 1);
	if (ratio < 1)
		shrink(window, ratio, now_us);
	else
		grow(window, ratio, now_us);
	if (now_us - window->turned_us < SIP_GUARD_TURN_US)
		return;
	window->turned_us = now_us;
	window->sieve.start =
		(window->sieve.start + window->sieve.share / TURN_PART) % SIP_GUARD_SHARE_ALL;
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
	if (arrived_us > window->last_us)
		window->last_us = arrived_us;
	if (place >= settled(window))
		return true;
	window->read += arrived_us >= window->since_us;
	return false;
}

static void follow_loosely(struct sip_guard_window *window, double ratio, uint64_t took_us,
			   uint64_t now_us)
{
	bool is_hasty = is_early(window, now_us);
	bool is_whole = sip_guard_window_is_whole(window);
	uint64_t enough_us = is_hasty ? MEASURE_US : MEASURE_LONG_US;
	if (ratio < SHRINK_BELOW)
		shrink(window, ratio, now_us);
	else if (window->trial > 0 && (is_hasty || now_us - window->trial_us >= SIP_GUARD_TRIAL_US))
		end_trial(window, now_us);
	else if (window->trial == 0 && !is_whole && ratio > GROW_ABOVE && took_us >= enough_us)
		put_on_trial(window, growth(window, ratio), false, now_us);
	else if (window->trial == 0 && !is_whole && now_us - window->turned_us >= SIP_GUARD_TURN_US)
		put_on_trial(window, window->sieve.share / TURN_PART, true, now_us);
	if (took_us >= MEASURE_AGAIN_US)
		measure_anew(window, now_us);
}

// For how long: what came later than the one read last may still wait, or there was nothing.
static uint64_t counted_us(const struct sip_guard_window *window, uint64_t wait_us, uint64_t now_us)
{
	uint64_t end_us = window->last_us, unread_us = wait_us + UNREAD_US;
	if (now_us > unread_us && end_us < now_us - unread_us)
		end_us = now_us - unread_us;
	return end_us > window->since_us ? end_us - window->since_us : 0;
}

void sip_guard_window_follow(struct sip_guard_window *window, double rate, uint64_t wait_us,
			     uint64_t now_us)
{
	bool is_close = window->are_others_told;
	uint64_t took_us = counted_us(window, wait_us, now_us);
	if (took_us < (is_close ? MEASURE_CLOSE_US : MEASURE_US) ||
	    (took_us < MEASURE_LONG_US && window->read < MEASURE_READ))
		return;
	double wanted = is_close                   ? READ_CLOSE
			: is_early(window, now_us) ? READ_EARLY
						   : READ_FOR_ONE;
	double ratio = wanted * rate * (double)took_us / ((window->read + 1) * 1e6);
	window->takes_late = ratio > LATE_ABOVE;
	if (is_close)
		follow_closely(window, ratio, took_us, now_us);
	else
		follow_loosely(window, ratio, took_us, now_us);
}
