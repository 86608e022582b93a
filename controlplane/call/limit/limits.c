// Decides by what this node remembers. Runs on the control thread; small allocations at a trunk's first
// calls, none after.

#include "call/limit/limits.h"

#include <stdlib.h>

#include "base/clock.h"
#include "call/limit/gauge.h"

#define SECOND_MS 1000
#define CALL_KBPS 100 // G.711 with its headers, each way (LIMIT-014)

struct limits {
	const struct clock *clock;
	struct gauges gauges;
	unsigned calls;
};

struct limits *limits_create(const struct clock *clock)
{
	struct limits *limits = calloc(1, sizeof *limits);
	if (limits != NULL && !gauges_init(&limits->gauges)) {
		free(limits);
		return NULL;
	}
	if (limits == NULL)
		return NULL;
	limits->clock = clock;
	return limits;
}

void limits_destroy(struct limits *limits)
{
	if (limits == NULL)
		return;
	gauges_clear(&limits->gauges);
	free(limits);
}

static bool is_rate_reached(struct limits *limits, struct gauge *gauge, uint32_t rate)
{
	return rate != 0 && window_count(&gauge->window, SECOND_MS, limits->clock->now_ms) >= rate;
}

static enum limit_cause decide(struct limits *limits, const struct limit_slot *slot,
			       const struct limit_rules *rules)
{
	uint64_t bandwidth_kbps = (uint64_t)rules->bandwidth_mbps * 1000;
	if (is_rate_reached(limits, slot->trunk, rules->trunk_rate))
		return LIMIT_TRUNK_RATE;
	if (is_rate_reached(limits, slot->account, rules->account_rate))
		return LIMIT_ACCOUNT_RATE;
	if (rules->trunk_calls != 0 && slot->trunk->calls >= rules->trunk_calls)
		return LIMIT_TRUNK_CALLS;
	if (rules->account_calls != 0 && slot->account->calls >= rules->account_calls)
		return LIMIT_ACCOUNT_CALLS;
	if (bandwidth_kbps != 0 && (limits->calls + 1ull) * CALL_KBPS > bandwidth_kbps)
		return LIMIT_BANDWIDTH;
	return LIMIT_NONE;
}

// A call without a rate of its own takes no token either: a trunk's rate is of its terminations.
static bool note_rate(struct limits *limits, struct gauge *gauge, uint32_t rate)
{
	gauge->used_ms = limits->clock->now_ms;
	if (rate == 0)
		return true;
	if (!window_make_room(&gauge->window))
		return false;
	window_add(&gauge->window, limits->clock->now_ms);
	return true;
}

enum limit_cause limits_take(struct limits *limits, struct limit_slot *slot,
			     const struct limit_rules *rules)
{
	uint64_t now_ms = limits->clock->now_ms;
	struct limit_slot wanted = { .trunk = gauges_get(&limits->gauges, rules->trunk_sid, now_ms),
				     .account = gauges_get(&limits->gauges, rules->account_sid,
							   now_ms) };
	if (wanted.trunk == NULL || wanted.account == NULL)
		return LIMIT_MEMORY;
	enum limit_cause cause = decide(limits, &wanted, rules);
	if (cause != LIMIT_NONE)
		return cause;
	if (!note_rate(limits, wanted.trunk, rules->trunk_rate) ||
	    !note_rate(limits, wanted.account, rules->account_rate))
		return LIMIT_MEMORY;
	wanted.trunk->calls++;
	wanted.account->calls++;
	limits->calls++;
	*slot = wanted;
	return LIMIT_NONE;
}

void limits_give(struct limits *limits, struct limit_slot *slot)
{
	if (slot->trunk == NULL)
		return;
	slot->trunk->calls--;
	slot->account->calls--;
	limits->calls--;
	*slot = (struct limit_slot){ 0 };
}

struct limit_usage limits_usage(struct limits *limits, const char *sid)
{
	struct gauge *gauge = gauges_find(&limits->gauges, sid);
	if (gauge == NULL)
		return (struct limit_usage){ 0 };
	return (struct limit_usage){ .calls = gauge->calls,
				     .rate = window_count(&gauge->window, SECOND_MS,
							  limits->clock->now_ms) };
}

unsigned limits_calls(const struct limits *limits)
{
	return limits->calls;
}

bool limits_pass(struct limits *limits, const char *name, uint32_t rate)
{
	struct gauge *gauge = gauges_get(&limits->gauges, name, limits->clock->now_ms);
	return gauge != NULL && !is_rate_reached(limits, gauge, rate) &&
	       note_rate(limits, gauge, rate);
}

unsigned limits_gauges(const struct limits *limits)
{
	return (unsigned)limits->gauges.by_sid.count;
}
