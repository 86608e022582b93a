// Decides by what this node remembers, or asks Redis for all nodes. Runs on the control thread; small
// allocations at a trunk's first calls, and one for each question.

#include "call/limit/limits.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/wheel.h"
#include "call/limit/gauge.h"
#include "call/limit/share.h"
#include "config/limits.h"
#include "store/limits/limits.h"

#define SECOND_MS 1000
#define CALL_KBPS 100 // G.711 with its headers, each way (LIMIT-014)

struct limits {
	struct limits_options options;
	struct gauges gauges;
	unsigned calls;
	struct limit_ask *asks; // under way
	unsigned joins;
	unsigned nodes; // that shared when it was last joined
	uint64_t careful_until_ms; // Redis does not know yet what other nodes let pass alone
};

struct limit_ask { // lives until Redis has answered, whatever becomes of the call meanwhile
	struct store_limits_ask ask;
	struct limits *limits; // NULL: they are gone
	struct limit_slot *slot; // NULL: decided without it, or the call has ended
	struct limit_rules rules;
	struct wheel_timer timer;
	char trunk_sid[DIRECTORY_SID_SIZE], account_sid[DIRECTORY_SID_SIZE];
	unsigned joins; // when it was asked
	bool is_waited_for; // a last time
	struct limit_ask *next, *previous;
};

static uint64_t now_ms(const struct limits *limits)
{
	return limits->options.clock->now_ms;
}

static bool is_shared(const struct limits *limits)
{
	return limits->options.shared != NULL && store_limits_has_joined(limits->options.shared);
}

// ---- what this node remembers

static bool is_rate_reached(const struct limits *limits, struct gauge *gauge, struct share share)
{
	return share.count != 0 &&
	       window_count(&gauge->window, share.span_ms, now_ms(limits)) >= share.count;
}

static bool are_calls_above(const struct gauge *gauge, uint32_t calls)
{
	return calls != 0 && gauge->calls > calls;
}

// The slot counts already.
static enum limit_cause decide(const struct limits *limits, const struct limit_slot *slot,
			       const struct limit_rules *rules, unsigned nodes)
{
	if (is_rate_reached(limits, slot->trunk, share_of_rate(rules->trunk_rate, nodes)))
		return LIMIT_TRUNK_RATE;
	if (is_rate_reached(limits, slot->account, share_of_rate(rules->account_rate, nodes)))
		return LIMIT_ACCOUNT_RATE;
	if (are_calls_above(slot->trunk, share_of_calls(rules->trunk_calls, nodes)))
		return LIMIT_TRUNK_CALLS;
	if (are_calls_above(slot->account, share_of_calls(rules->account_calls, nodes)))
		return LIMIT_ACCOUNT_CALLS;
	return LIMIT_NONE;
}

static bool has_bandwidth(const struct limits *limits, const struct limit_rules *rules)
{
	return rules->bandwidth_mbps == 0 ||
	       (uint64_t)limits->calls * CALL_KBPS <= (uint64_t)rules->bandwidth_mbps * 1000;
}

static void note_rate(const struct limits *limits, struct gauge *gauge, uint32_t rate)
{
	gauge->used_ms = now_ms(limits);
	if (rate != 0)
		window_add(&gauge->window, now_ms(limits));
}

static void note_rates(const struct limits *limits, const struct limit_slot *slot,
		       const struct limit_rules *rules)
{
	note_rate(limits, slot->trunk, rules->trunk_rate);
	note_rate(limits, slot->account, rules->account_rate);
}

static bool hold(struct limits *limits, struct limit_slot *slot, const struct limit_rules *rules)
{
	struct gauge *trunk = gauges_get(&limits->gauges, rules->trunk_sid, now_ms(limits));
	if (trunk == NULL || !window_make_room(&trunk->window))
		return false;
	trunk->calls++; // so that it stays while room is made for the other
	struct gauge *account = gauges_get(&limits->gauges, rules->account_sid, now_ms(limits));
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

static void let_go(struct limits *limits, struct limit_slot *slot)
{
	slot->trunk->calls--;
	slot->account->calls--;
	limits->calls--;
	slot->trunk = slot->account = NULL;
}

// ---- by this node alone

static unsigned nodes_of(const struct limits *limits)
{
	unsigned nodes = 1;
	if (limits->options.shared != NULL)
		nodes = store_limits_nodes(limits->options.shared);
	return nodes > limits->nodes ? nodes : limits->nodes;
}

// While Redis is away the limits of all nodes are met by each one's share.
static enum limit_cause decide_alone(struct limits *limits, struct limit_slot *slot,
				     struct limit_rules *rules)
{
	rules->nodes = nodes_of(limits);
	enum limit_cause cause = decide(limits, slot, rules, rules->nodes);
	if (cause == LIMIT_NONE)
		note_rates(limits, slot, rules);
	else
		let_go(limits, slot);
	counter_add(&limits->options.counters->alone, limits->options.shared != NULL);
	return cause;
}

// ---- by Redis, for all nodes

static void unlink_ask(struct limit_ask *ask)
{
	struct limits *limits = ask->limits;
	if (ask->previous != NULL)
		ask->previous->next = ask->next;
	else
		limits->asks = ask->next;
	if (ask->next != NULL)
		ask->next->previous = ask->previous;
}

static void detach(struct limit_ask *ask)
{
	wheel_stop(&ask->timer);
	ask->slot->ask = NULL;
	ask->slot = NULL;
}

static void settle_alone(struct limit_ask *ask)
{
	struct limits *limits = ask->limits;
	struct limit_slot *slot = ask->slot;
	detach(ask);
	struct limit_rules rules = ask->rules;
	enum limit_cause cause = decide_alone(limits, slot, &rules);
	limits->options.decided(slot->owner, cause, &rules);
}

static uint64_t last_wait_ms(const struct limits *limits)
{
	return limits->options.config->redis_wait_ms / 4;
}

static void too_late(struct wheel_timer *timer, void *context)
{
	struct limit_ask *ask = context;
	if (!ask->is_waited_for) { // a loop that stood still has not looked at what came meanwhile
		ask->is_waited_for = true;
		wheel_start(ask->limits->options.wheel, timer,
			    now_ms(ask->limits) + last_wait_ms(ask->limits));
		return;
	}
	counter_add(&ask->limits->options.counters->late, 1);
	store_limits_slow(ask->limits->options.shared); // settles this one too, as all that wait
	if (ask->slot != NULL)
		settle_alone(ask);
}

static enum limit_cause cause_of(enum store_limits_cause cause)
{
	static const enum limit_cause causes[] = {
		[STORE_LIMITS_ADMITTED] = LIMIT_NONE,
		[STORE_LIMITS_TRUNK_RATE] = LIMIT_TRUNK_RATE,
		[STORE_LIMITS_ACCOUNT_RATE] = LIMIT_ACCOUNT_RATE,
		[STORE_LIMITS_TRUNK_CALLS] = LIMIT_TRUNK_CALLS,
		[STORE_LIMITS_ACCOUNT_CALLS] = LIMIT_ACCOUNT_CALLS,
	};
	return causes[cause];
}

static void settle(struct limit_ask *ask, enum limit_cause cause)
{
	struct limits *limits = ask->limits;
	struct limit_slot *slot = ask->slot;
	detach(ask);
	ask->rules.nodes = 1; // for all of them
	if (cause == LIMIT_NONE)
		note_rates(limits, slot, &ask->rules);
	else
		let_go(limits, slot);
	limits->options.decided(slot->owner, cause, &ask->rules);
}

// An answer for a call that has ended meanwhile gives back what it brings. What was asked in a former
// life of this node counts nowhere any more.
static void answered(struct store_limits_ask *store_ask, enum store_limits_cause cause)
{
	struct limit_ask *ask = (struct limit_ask *)store_ask;
	struct limits *limits = ask->limits;
	if (limits == NULL) {
		free(ask);
		return;
	}
	unlink_ask(ask);
	bool is_granted = cause == STORE_LIMITS_ADMITTED && ask->joins == limits->joins;
	if (ask->slot == NULL && is_granted)
		store_limits_give(limits->options.shared, ask->trunk_sid, ask->account_sid);
	else if (ask->slot != NULL && cause == STORE_LIMITS_UNKNOWN)
		settle_alone(ask);
	else if (ask->slot != NULL)
		settle(ask, cause_of(cause));
	free(ask);
}

// Without memory for the question Redis would not know of the call, and count its end all the same.
static enum limit_cause ask_redis(struct limits *limits, struct limit_slot *slot,
				  struct limit_rules *rules)
{
	struct limit_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL) {
		let_go(limits, slot);
		return LIMIT_MEMORY;
	}
	*ask = (struct limit_ask){ .limits = limits,
				   .slot = slot,
				   .rules = *rules,
				   .joins = limits->joins,
				   .next = limits->asks };
	text_copy_cut(text_of(rules->trunk_sid), ask->trunk_sid, sizeof ask->trunk_sid);
	text_copy_cut(text_of(rules->account_sid), ask->account_sid, sizeof ask->account_sid);
	ask->rules.trunk_sid = ask->trunk_sid;
	ask->rules.account_sid = ask->account_sid;
	ask->ask = (struct store_limits_ask){ .trunk_sid = ask->trunk_sid,
					      .account_sid = ask->account_sid,
					      .trunk_rate = rules->trunk_rate,
					      .account_rate = rules->account_rate,
					      .trunk_calls = rules->trunk_calls,
					      .account_calls = rules->account_calls,
					      .done = answered };
	if (!store_limits_take(limits->options.shared, &ask->ask)) {
		free(ask);
		return decide_alone(limits, slot, rules);
	}
	wheel_timer_init(&ask->timer, too_late, ask);
	wheel_start(limits->options.wheel, &ask->timer,
		    now_ms(limits) + limits->options.config->redis_wait_ms - last_wait_ms(limits));
	if (ask->next != NULL)
		ask->next->previous = ask;
	limits->asks = ask;
	slot->ask = ask;
	counter_add(&limits->options.counters->asked, 1);
	return LIMIT_ASKED;
}

// After Redis was away it does not know what nodes that are not back yet let pass in this second. Until
// they all are, and a second more, or are taken for dead, the share holds besides.
static bool is_careful(struct limits *limits)
{
	uint64_t now = now_ms(limits);
	if (limits->careful_until_ms == 0)
		return false;
	bool are_all_back = store_limits_nodes(limits->options.shared) >= limits->nodes;
	if (are_all_back && limits->careful_until_ms > now + SECOND_MS)
		limits->careful_until_ms = now + SECOND_MS;
	if (now >= limits->careful_until_ms) {
		limits->careful_until_ms = 0;
		limits->nodes = 0; // those that beat are all there are
	}
	return limits->careful_until_ms != 0;
}

static void joined(void *context)
{
	struct limits *limits = context;
	const struct limits_config *config = limits->options.config;
	size_t cursor = 0;
	struct map_node *node = NULL;
	if (limits->joins++ > 0)
		limits->careful_until_ms =
			now_ms(limits) + (config->node_timeout_s + 1) * (uint64_t)SECOND_MS;
	counter_set(&limits->options.counters->is_shared, 1);
	while ((node = map_next(&limits->gauges.by_sid, &cursor, node)) != NULL) {
		const struct gauge *gauge = map_entry(node, struct gauge, node);
		if (gauge->calls > 0)
			store_limits_hold(limits->options.shared, gauge->sid, gauge->calls);
	}
}

static void left(void *context, const char *why)
{
	(void)why; // told by who left
	struct limits *limits = context;
	limits->nodes = nodes_of(limits);
	limits->careful_until_ms = 0;
	limits->joins++; // what is under way is answered by nobody
	counter_set(&limits->options.counters->is_shared, 0);
	for (struct limit_ask *ask = limits->asks; ask != NULL; ask = ask->next)
		if (ask->slot != NULL)
			settle_alone(ask);
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
	struct store_limits_events events = { joined, left, limits };
	if (options->shared != NULL)
		store_limits_attach(options->shared, &events);
	return limits;
}

void limits_destroy(struct limits *limits)
{
	if (limits == NULL)
		return;
	if (limits->options.shared != NULL)
		store_limits_attach(limits->options.shared, &(struct store_limits_events){ 0 });
	for (struct limit_ask *ask = limits->asks; ask != NULL; ask = ask->next) {
		wheel_stop(&ask->timer);
		ask->limits = NULL;
	}
	gauges_clear(&limits->gauges);
	free(limits);
}

// What this node alone has used up need not be asked for: a flood above a limit costs Redis nothing.
static enum limit_cause decide_or_ask(struct limits *limits, struct limit_slot *slot,
				      struct limit_rules *rules)
{
	rules->nodes = is_careful(limits) ? nodes_of(limits) : 1;
	enum limit_cause cause = decide(limits, slot, rules, rules->nodes);
	if (cause == LIMIT_NONE)
		return ask_redis(limits, slot, rules);
	let_go(limits, slot);
	return cause;
}

enum limit_cause limits_take(struct limits *limits, struct limit_slot *slot,
			     struct limit_rules *rules)
{
	if (!hold(limits, slot, rules))
		return LIMIT_MEMORY;
	if (!has_bandwidth(limits, rules)) {
		let_go(limits, slot);
		return LIMIT_BANDWIDTH;
	}
	if (!is_shared(limits))
		return decide_alone(limits, slot, rules);
	counter_set(&limits->options.counters->nodes, store_limits_nodes(limits->options.shared));
	return decide_or_ask(limits, slot, rules);
}

void limits_give(struct limits *limits, struct limit_slot *slot)
{
	if (slot->trunk == NULL)
		return;
	if (slot->ask != NULL)
		detach(slot->ask);
	else if (limits->options.shared != NULL)
		store_limits_give(limits->options.shared, slot->trunk->sid, slot->account->sid);
	let_go(limits, slot);
}

struct limit_usage limits_usage(struct limits *limits, const char *sid)
{
	struct gauge *gauge = gauges_find(&limits->gauges, sid);
	if (gauge == NULL)
		return (struct limit_usage){ 0 };
	return (struct limit_usage){ .calls = gauge->calls,
				     .rate = window_count(&gauge->window, SECOND_MS,
							  now_ms(limits)) };
}

unsigned limits_calls(const struct limits *limits)
{
	return limits->calls;
}

bool limits_pass(struct limits *limits, const char *name, uint32_t rate)
{
	struct gauge *gauge = gauges_get(&limits->gauges, name, now_ms(limits));
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
