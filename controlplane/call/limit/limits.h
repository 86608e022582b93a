#pragma once

// How many calls a second, and how many at a time: by trunk, by account, and for the node's bandwidth
// (LIMIT-001 to -009, -014, D-13 to D-15). A call takes all it needs or nothing, and is refused at once
// when something lacks: nothing is queued. What it holds is in its slot, which call_end gives back.
// Nodes that share one Redis ask it; this node alone decides while it is away or slow, by its share.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"

struct clock;
struct gauge;
struct limit_ask;
struct limits;
struct limits_config;
struct store_limits;
struct wheel;

enum limit_cause {
	LIMIT_NONE, // admitted
	LIMIT_ASKED, // Redis is; `decided` is called from the loop
	LIMIT_TRUNK_RATE, // calls a second
	LIMIT_ACCOUNT_RATE,
	LIMIT_TRUNK_CALLS, // at a time
	LIMIT_ACCOUNT_CALLS,
	LIMIT_BANDWIDTH,
	LIMIT_MEMORY,
};

struct limit_rules { // what holds for one call; 0: no such limit
	const char *trunk_sid, *account_sid;
	uint32_t trunk_rate, account_rate; // calls a second, of terminations alone (LIMIT-004)
	uint32_t trunk_calls, account_calls;
	uint32_t bandwidth_mbps; // of the node, each way
	unsigned nodes; // filled in: above 1, this node decided by its share of so many
};

struct limit_slot { // of a call; all zero but the owner: holds nothing
	struct gauge *trunk, *account;
	struct limit_ask *ask; // NULL: decided
	void *owner;
};

// Never LIMIT_ASKED. The rules' SIDs are gone when it returns.
typedef void (*limit_fn)(void *owner, enum limit_cause cause, const struct limit_rules *rules);

struct limits_counters {
	struct counter asked; // of Redis
	struct counter late; // of these, not answered in time: decided here
	struct counter alone; // decided here although the limits are shared
	struct counter is_shared; // 1: Redis is asked now
	struct counter nodes; // that share
};

struct limits_options {
	const struct clock *clock;
	struct wheel *wheel;
	const struct limits_config *config;
	struct store_limits *shared; // NULL: this node's alone
	struct limits_counters *counters;
	limit_fn decided;
};

struct limit_usage { // of a trunk or an account, on this node
	unsigned calls;
	unsigned rate; // admitted in the last second
};

struct limits *limits_create(const struct limits_options *options);
void limits_destroy(struct limits *limits); // no slot may be given back after this
enum limit_cause limits_take(struct limits *limits, struct limit_slot *slot,
			     struct limit_rules *rules);
void limits_give(struct limits *limits, struct limit_slot *slot); // harmless when it holds nothing
struct limit_usage limits_usage(struct limits *limits, const char *sid);
// What limits_take would decide now; nothing is taken. The rates and calls that other nodes count too are
// in `shared`, of the trunk and the account; NULL: not known, so this node's own count, or its share.
enum limit_cause limits_look(struct limits *limits, struct limit_rules *rules,
			     const struct limit_usage *shared);
bool limits_is_shared(const struct limits *limits); // Redis is asked now
unsigned limits_calls(const struct limits *limits); // that hold a slot, of all trunks
// For what is no call: at most so many a second of what has that name.
bool limits_pass(struct limits *limits, const char *name, uint32_t rate);
unsigned limits_gauges(const struct limits *limits); // remembered now: those in use, and a few more
