#pragma once

// The inside of the limits, for the sources of this folder alone.
// Runs on: control thread.

#include "base/clock.h"
#include "call/limit/gauge.h"
#include "call/limit/limits.h"

struct limits {
	struct limits_options options;
	struct gauges gauges;
	unsigned calls;
	struct limit_ask *asks; // under way
	unsigned joins;
	unsigned nodes; // that shared when it was last joined
	uint64_t careful_until_ms; // Redis does not know yet what other nodes let pass alone
};

bool limits_has_bandwidth(const struct limit_rules *rules, unsigned calls); // of the node

static inline uint64_t limits_now_ms(const struct limits *limits)
{
	return limits->options.clock->now_ms;
}

// By this node's share, of a slot that counts already; one that is refused is let go.
enum limit_cause limits_decide_alone(struct limits *limits, struct limit_slot *slot,
				     struct limit_rules *rules);
void limits_note_rates(const struct limits *limits, const struct limit_slot *slot,
		       const struct limit_rules *rules);
// By this node's memory alone, whatever Redis says: LIMIT_NONE, or the rate that this second has used up.
enum limit_cause limits_rate_reached(const struct limits *limits, const struct limit_slot *slot,
				     const struct limit_rules *rules, unsigned nodes);
void limits_let_go(struct limits *limits, struct limit_slot *slot);
unsigned limits_nodes(const struct limits *limits); // that share; 1: this one alone
