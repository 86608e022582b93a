#pragma once

// Calls per second and calls at a time of trunks and accounts, counted in Redis for all nodes together: one
// question for each call, answered through the loop. A node has to join first, and says at each beat that
// it lives; what a dead one held is free again after node_timeout_s. Redis away or slow: the node
// has left, and whoever asks decides alone until it has joined again.
// Runs on: control thread; no call waits.

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct store_limits;
struct store_redis;

struct store_limits_options {
	char name[192]; // of this node, like no other's
	unsigned node_timeout_s;
	unsigned wait_ms; // a Redis that takes longer to answer is slow
};

enum store_limits_cause {
	STORE_LIMITS_ADMITTED,
	STORE_LIMITS_TRUNK_RATE,
	STORE_LIMITS_ACCOUNT_RATE,
	STORE_LIMITS_TRUNK_CALLS,
	STORE_LIMITS_ACCOUNT_CALLS,
	STORE_LIMITS_UNKNOWN, // it left before the answer came
};

struct store_limits_ask { // the asker's memory, until done has been called
	const char *trunk_sid, *account_sid;
	uint32_t trunk_rate, account_rate; // 0: no such limit
	uint32_t trunk_calls, account_calls;
	void (*done)(struct store_limits_ask *ask, enum store_limits_cause cause);
	struct store_limits *limits; // its own
};

struct store_limits_events {
	// From now on Redis counts for this node, which has to tell what it holds (store_limits_hold).
	void (*joined)(void *context);
	void (*left)(void *context,
		     const char *why); // answers that are under way count for nothing
	void *context;
};

struct store_limits_usage {
	unsigned calls, rate; // now, and in the last second, of all nodes
};

// usages: as many as SIDs were asked for; NULL: it left.
typedef void (*store_limits_read_fn)(void *context, const struct store_limits_usage *usages);
#define STORE_LIMITS_READ_MAX 16 // SIDs in one question

struct store_limits *store_limits_create(struct event_base *loop,
					 const struct store_limits_options *options);
void store_limits_destroy(struct store_limits *limits);
// By the store: a connection is up; it is about to go. Commands on it are answered in order.
void store_limits_connect(struct store_limits *limits, struct store_redis *redis);
void store_limits_disconnect(struct store_limits *limits, const char *why);

// Whoever asks. When it has joined already, `joined` is called at once.
void store_limits_attach(struct store_limits *limits, const struct store_limits_events *events);
bool store_limits_has_joined(const struct store_limits *limits);
unsigned
store_limits_nodes(const struct store_limits *limits); // that share, by the last beat; at least 1
const char *store_limits_why(const struct store_limits *limits); // it is not joined
// False: it has left, done is never called.
bool store_limits_take(struct store_limits *limits, struct store_limits_ask *ask);
void store_limits_give(struct store_limits *limits, const char *trunk_sid, const char *account_sid);
void store_limits_hold(struct store_limits *limits, const char *sid, unsigned calls);
// An answer did not come in wait_ms: it leaves, and joins again once Redis answers in time.
void store_limits_slow(struct store_limits *limits);
// False: it has left. The reply of fewer than count SIDs is none.
bool store_limits_read(struct store_limits *limits, const char *const *sids, unsigned count,
		       store_limits_read_fn done, void *context);
