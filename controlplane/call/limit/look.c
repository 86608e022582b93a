// What would be decided about a call, by the same limits, windows and shares, without taking any of them.
// Runs on the control thread.

#include "call/limit/ask.h"
#include "call/limit/inside.h"
#include "call/limit/share.h"

static bool is_rate_used(const struct limits *limits, const struct gauge *gauge, uint32_t rate,
			 unsigned nodes)
{
	struct share share = share_of_rate(rate, nodes);
	return share.count != 0 && gauge != NULL &&
	       window_look(&gauge->window, share.span_ms, limits_now_ms(limits)) >= share.count;
}

static bool are_calls_used(const struct gauge *gauge, uint32_t calls, unsigned nodes)
{
	uint32_t share = share_of_calls(calls, nodes);
	return share != 0 && gauge != NULL && gauge->calls >= share;
}

static enum limit_cause look_here(const struct limits *limits, const struct limit_rules *rules)
{
	const struct gauge *trunk = gauges_find(&limits->gauges, rules->trunk_sid);
	const struct gauge *account = gauges_find(&limits->gauges, rules->account_sid);
	if (is_rate_used(limits, trunk, rules->trunk_rate, rules->nodes))
		return LIMIT_TRUNK_RATE;
	if (is_rate_used(limits, account, rules->account_rate, rules->nodes))
		return LIMIT_ACCOUNT_RATE;
	if (are_calls_used(trunk, rules->trunk_calls, rules->nodes))
		return LIMIT_TRUNK_CALLS;
	if (are_calls_used(account, rules->account_calls, rules->nodes))
		return LIMIT_ACCOUNT_CALLS;
	return LIMIT_NONE;
}

static enum limit_cause look_everywhere(const struct limit_rules *rules,
					const struct limit_usage *shared)
{
	const struct limit_usage *trunk = &shared[0], *account = &shared[1];
	if (rules->trunk_rate != 0 && trunk->rate >= rules->trunk_rate)
		return LIMIT_TRUNK_RATE;
	if (rules->account_rate != 0 && account->rate >= rules->account_rate)
		return LIMIT_ACCOUNT_RATE;
	if (rules->trunk_calls != 0 && trunk->calls >= rules->trunk_calls)
		return LIMIT_TRUNK_CALLS;
	if (rules->account_calls != 0 && account->calls >= rules->account_calls)
		return LIMIT_ACCOUNT_CALLS;
	return LIMIT_NONE;
}

enum limit_cause limits_look(struct limits *limits, struct limit_rules *rules,
			     const struct limit_usage *shared)
{
	if (!limits_has_bandwidth(rules, limits->calls + 1))
		return LIMIT_BANDWIDTH;
	bool is_alone = !limits_is_shared(limits) || ask_is_careful(limits);
	rules->nodes = is_alone ? limits_nodes(limits) : 1;
	enum limit_cause cause = look_here(limits, rules);
	return cause == LIMIT_NONE && shared != NULL ? look_everywhere(rules, shared) : cause;
}
