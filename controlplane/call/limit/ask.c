// One question for each call, answered through the loop or not at all. Runs on the control thread; one
// allocation for each.

#include "call/limit/ask.h"

#include <stdlib.h>

#include "base/wheel.h"
#include "call/limit/inside.h"
#include "config/limits.h"
#include "store/limits/limits.h"

#define SECOND_MS 1000

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

void ask_drop(struct limit_ask *ask)
{
	wheel_stop(&ask->timer);
	ask->slot->ask = NULL;
	ask->slot = NULL;
}

static void settle_alone(struct limit_ask *ask)
{
	struct limits *limits = ask->limits;
	struct limit_slot *slot = ask->slot;
	ask_drop(ask);
	struct limit_rules rules = ask->rules;
	enum limit_cause cause = limits_decide_alone(limits, slot, &rules);
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
			    limits_now_ms(ask->limits) + last_wait_ms(ask->limits));
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

// Answers that were late come in a heap: what Redis let pass over more than a second must not pass here
// within one.
static enum limit_cause recheck(struct limit_ask *ask, const struct limit_slot *slot)
{
	struct limits *limits = ask->limits;
	enum limit_cause cause = limits_rate_reached(limits, slot, &ask->rules, 1);
	if (cause != LIMIT_NONE)
		store_limits_give(limits->options.shared, ask->trunk_sid, ask->account_sid);
	return cause;
}

static void settle(struct limit_ask *ask, enum limit_cause cause)
{
	struct limits *limits = ask->limits;
	struct limit_slot *slot = ask->slot;
	ask_drop(ask);
	ask->rules.nodes = 1; // for all of them
	if (cause == LIMIT_NONE)
		cause = recheck(ask, slot);
	if (cause == LIMIT_NONE)
		limits_note_rates(limits, slot, &ask->rules);
	else
		limits_let_go(limits, slot);
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
enum limit_cause ask_start(struct limits *limits, struct limit_slot *slot,
			   struct limit_rules *rules)
{
	struct limit_ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL) {
		limits_let_go(limits, slot);
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
		return limits_decide_alone(limits, slot, rules);
	}
	wheel_timer_init(&ask->timer, too_late, ask);
	wheel_start(limits->options.wheel, &ask->timer,
		    limits_now_ms(limits) + limits->options.config->redis_wait_ms -
			    last_wait_ms(limits));
	if (ask->next != NULL)
		ask->next->previous = ask;
	limits->asks = ask;
	slot->ask = ask;
	counter_add(&limits->options.counters->asked, 1);
	return LIMIT_ASKED;
}

bool ask_is_careful(struct limits *limits)
{
	uint64_t now = limits_now_ms(limits);
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
			limits_now_ms(limits) + (config->node_timeout_s + 1) * (uint64_t)SECOND_MS;
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
	limits->nodes = limits_nodes(limits);
	limits->careful_until_ms = 0;
	limits->joins++; // what is under way is answered by nobody
	counter_set(&limits->options.counters->is_shared, 0);
	for (struct limit_ask *ask = limits->asks; ask != NULL; ask = ask->next)
		if (ask->slot != NULL)
			settle_alone(ask);
}

void ask_open(struct limits *limits)
{
	struct store_limits_events events = { joined, left, limits };
	store_limits_attach(limits->options.shared, &events);
}

void ask_close(struct limits *limits)
{
	store_limits_attach(limits->options.shared, &(struct store_limits_events){ 0 });
	for (struct limit_ask *ask = limits->asks; ask != NULL; ask = ask->next) {
		wheel_stop(&ask->timer);
		ask->limits = NULL;
	}
}
