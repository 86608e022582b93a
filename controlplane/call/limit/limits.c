// Decides by what this node remembers. Runs on the control thread; small allocations at a trunk's first
// calls.

#include "call/limit/limits.h"

#include <stdlib.h>

#include "call/limit/ask.h"
#include "call/limit/inside.h"
#include "call/limit/share.h"
#include "store/limits/limits.h"

#define SECOND_MS 1000
#define CALL_KBPS 100 // G.711 with its headers, each way (LIMIT-014)

bool limits_is_shared(const struct limits *limits)
{
	return limits->options.shared != NULL && store_limits_has_joined(limits->options.shared);
}

// ---- what this node remembers

static bool is_rate_reached(const struct limits *limits, struct gauge *gauge, struct share share)
{
	return share.count != 0 &&
	       window_count(&gauge->window, share.span_ms, limits_now_ms(limits)) >= share.count;
}

static bool are_calls_above(const struct gauge *gauge, uint32_t calls)
{
	return calls != 0 && gauge->calls > calls;
}

enum limit_cause limits_rate_reached(const struct limits *limits, const struct limit_slot *slot,
				     const struct limit_rules *rules, unsigned nodes)
{
	if (is_rate_reached(limits, slot->trunk, share_of_rate(rules->trunk_rate, nodes)))
		return LIMIT_TRUNK_RATE;
	if (is_rate_reached(limits, slot->account, share_of_rate(rules->account_rate, nodes)))
		return LIMIT_ACCOUNT_RATE;
	return LIMIT_NONE;
}

// The slot counts already.
static enum limit_cause decide(const struct limits *limits, const struct limit_slot *slot,
			       const struct limit_rules *rules, unsigned nodes)
{
	enum limit_cause rate = limits_rate_reached(limits, slot, rules, nodes);
	if (rate != LIMIT_NONE)
		return rate;
	if (are_calls_above(slot->trunk, share_of_calls(rules->trunk_calls, nodes)))
		return LIMIT_TRUNK_CALLS;
	if (are_calls_above(slot->account, share_of_calls(rules->account_calls, nodes)))
		return LIMIT_ACCOUNT_CALLS;
	return LIMIT_NONE;
}

bool limits_has_bandwidth(const struct limit_rules *rules, unsigned calls)
{
	return rules->bandwidth_mbps == 0 ||
	       (uint64_t)calls * CALL_KBPS <= (uint64_t)rules->bandwidth_mbps * 1000;
}

static void note_rate(const struct limits *limits, struct gauge *gauge, uint32_t rate)
{
	gauge->used_ms = limits_now_ms(limits);
	if (rate != 0)
		window_add(&gauge->window, limits_now_ms(limits));
}

void limits_note_rates(const struct limits *limits, const struct limit_slot *slot,
		       const struct limit_rules *rules)
{
	note_rate(limits, slot->trunk, rules->trunk_rate);
	note_rate(limits, slot->account, rules->account_rate);
}

static bool hold(struct limits *limits, struct limit_slot *slot, const struct limit_rules *rules)
{
	struct gauge *trunk = gauges_get(&limits->gauges, rules->trunk_sid, limits_now_ms(limits));
	if (trunk == NULL || !window_make_room(&trunk->window))
		return false;
	trunk->calls++; // so that it stays while room is made for the other
	struct gauge *account =
		gauges_get(&limits->gauges, rules->account_sid, limits_now_ms(limits));
	if (account == NULL || !window_make_room(&account->window)) {
		trunk->calls--;
		return false;
	}
	account->calls++;
	limits->calls++;
	slot->trunk = trunk;
	slot->account = account;
	return true;
}

void limits_let_go(struct limits *limits, struct limit_slot *slot)
{
	slot->trunk->calls--;
	slot->account->calls--;
	limits->calls--;
	slot->trunk = slot->account = NULL;
}

// ---- by this node alone

unsigned limits_nodes(const struct limits *limits)
{
	unsigned nodes = 1;
	if (limits->options.shared != NULL)
		nodes = store_limits_nodes(limits->options.shared);
	return nodes > limits->nodes ? nodes : limits->nodes;
}

// While Redis is away the limits of all nodes are met by each one's share.
enum limit_cause limits_decide_alone(struct limits *limits, struct limit_slot *slot,
				     struct limit_rules *rules)
{
	rules->nodes = limits_nodes(limits);
	enum limit_cause cause = decide(limits, slot, rules, rules->nodes);
	if (cause == LIMIT_NONE)
		limits_note_rates(limits, slot, rules);
	else
		limits_let_go(limits, slot);
	counter_add(&limits->options.counters->alone, limits->options.shared != NULL);
	return cause;
}

// ---- the door

struct limits *limits_create(const struct limits_options *options)
{
	struct limits *limits = calloc(1, sizeof *limits);
	if (limits != NULL && !gauges_init(&limits->gauges)) {
		free(limits);
		return NULL;
	}
	if (limits == NULL)
		return NULL;
	limits->options = *options;
	if (options->shared != NULL)
		ask_open(limits);
	return limits;
}

void limits_destroy(struct limits *limits)
{
	if (limits == NULL)
		return;
	if (limits->options.shared != NULL)
		ask_close(limits);
	gauges_clear(&limits->gauges);
	free(limits);
}

// What this node alone has used up need not be asked for: a flood above a limit costs Redis nothing.
static enum limit_cause decide_or_ask(struct limits *limits, struct limit_slot *slot,
				      struct limit_rules *rules)
{
	rules->nodes = ask_is_careful(limits) ? limits_nodes(limits) : 1;
	enum limit_cause cause = decide(limits, slot, rules, rules->nodes);
	if (cause == LIMIT_NONE)
		return ask_start(limits, slot, rules);
	limits_let_go(limits, slot);
	return cause;
}

enum limit_cause limits_take(struct limits *limits, struct limit_slot *slot,
			     struct limit_rules *rules)
{
	if (!hold(limits, slot, rules))
		return LIMIT_MEMORY;
	if (!limits_has_bandwidth(rules, limits->calls)) {
		limits_let_go(limits, slot);
		return LIMIT_BANDWIDTH;
	}
	if (!limits_is_shared(limits))
		return limits_decide_alone(limits, slot, rules);
	counter_set(&limits->options.counters->nodes, store_limits_nodes(limits->options.shared));
	return decide_or_ask(limits, slot, rules);
}

void limits_give(struct limits *limits, struct limit_slot *slot)
{
	if (slot->trunk == NULL)
		return;
	if (slot->ask != NULL)
		ask_drop(slot->ask);
	else if (limits->options.shared != NULL)
		store_limits_give(limits->options.shared, slot->trunk->sid, slot->account->sid);
	limits_let_go(limits, slot);
}

struct limit_usage limits_usage(struct limits *limits, const char *sid)
{
	struct gauge *gauge = gauges_find(&limits->gauges, sid);
	if (gauge == NULL)
		return (struct limit_usage){ 0 };
	return (struct limit_usage){ .calls = gauge->calls,
				     .rate = window_look(&gauge->window, SECOND_MS,
							 limits_now_ms(limits)) };
}

unsigned limits_calls(const struct limits *limits)
{
	return limits->calls;
}

bool limits_pass(struct limits *limits, const char *name, uint32_t rate)
{
	struct gauge *gauge = gauges_get(&limits->gauges, name, limits_now_ms(limits));
	if (gauge == NULL || !window_make_room(&gauge->window) ||
	    is_rate_reached(limits, gauge, (struct share){ rate, SECOND_MS }))
		return false;
	note_rate(limits, gauge, rate);
	return true;
}

unsigned limits_gauges(const struct limits *limits)
{
	return (unsigned)limits->gauges.by_sid.count;
}
