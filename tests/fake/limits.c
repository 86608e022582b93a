// Shared limits in memory. Runs on the thread of the test.

#include "fake/limits.h"

#include <stdlib.h>
#include <string.h>

#define QUESTIONS_MAX 64

struct store_limits {
	struct store_limits_events events;
	struct store_limits_ask *asks[QUESTIONS_MAX]; // oldest first
	unsigned count, nodes, held;
	bool has_joined;
};

struct store_limits *fake_limits_create(void)
{
	struct store_limits *limits = calloc(1, sizeof(*limits));
	if (limits != NULL)
		limits->nodes = 1;
	return limits;
}

static void answer(struct store_limits *limits, enum store_limits_cause cause)
{
	struct store_limits_ask *ask = limits->asks[0];
	limits->count--;
	memmove(limits->asks, limits->asks + 1, limits->count * sizeof(struct store_limits_ask *));
	if (cause == STORE_LIMITS_ADMITTED)
		limits->held++;
	ask->done(ask, limits->has_joined ? cause : STORE_LIMITS_UNKNOWN);
}

void fake_limits_destroy(struct store_limits *limits)
{
	while (limits != NULL && limits->count > 0)
		answer(limits, STORE_LIMITS_UNKNOWN);
	free(limits);
}

void fake_limits_join(struct store_limits *limits, unsigned nodes)
{
	limits->nodes = nodes;
	if (limits->has_joined)
		return; // a beat tells how many there are
	limits->has_joined = true;
	limits->held = 0; // a new life
	if (limits->events.joined)
		limits->events.joined(limits->events.context);
}

void store_limits_slow(struct store_limits *limits)
{
	if (!limits->has_joined)
		return;
	limits->has_joined = false;
	if (limits->events.left)
		limits->events.left(limits->events.context, "Redis is slow");
}

void fake_limits_leave(struct store_limits *limits)
{
	store_limits_slow(limits);
	while (limits->count > 0)
		answer(limits, STORE_LIMITS_UNKNOWN);
}

bool fake_limits_answer(struct store_limits *limits, const char *cause)
{
	static const char *const words[] = { "ok", "trunk_rate", "account_rate", "trunk_calls",
					     "account_calls" };
	bool are_all = cause != NULL && strcmp(cause, "all") == 0;
	if (limits->count == 0)
		return false;
	do {
		unsigned row = 0;
		while (!are_all && cause != NULL && row < 5 && strcmp(words[row], cause) != 0)
			row++;
		if (row == 5)
			return false;
		answer(limits, (enum store_limits_cause)row);
	} while (are_all && limits->count > 0);
	return true;
}

unsigned fake_limits_questions(const struct store_limits *limits)
{
	return limits->count;
}

unsigned fake_limits_held(const struct store_limits *limits)
{
	return limits->held;
}

void store_limits_attach(struct store_limits *limits, const struct store_limits_events *events)
{
	limits->events = *events;
}

bool store_limits_has_joined(const struct store_limits *limits)
{
	return limits->has_joined;
}

unsigned store_limits_nodes(const struct store_limits *limits)
{
	return limits->nodes;
}

const char *store_limits_why(const struct store_limits *limits)
{
	return limits->has_joined ? "" : "not yet joined";
}

bool store_limits_take(struct store_limits *limits, struct store_limits_ask *ask)
{
	if (!limits->has_joined || limits->count == QUESTIONS_MAX)
		return false;
	limits->asks[limits->count++] = ask;
	return true;
}

void store_limits_give(struct store_limits *limits, const char *trunk_sid, const char *account_sid)
{
	(void)trunk_sid, (void)account_sid;
	if (limits->has_joined)
		limits->held--;
}

void store_limits_hold(struct store_limits *limits, const char *sid, unsigned calls)
{
	if (strncmp(sid, "TK", 2) == 0)
		limits->held += calls;
}

bool store_limits_read(struct store_limits *limits, const char *const *sids, unsigned count,
		       store_limits_read_fn done, void *context)
{
	(void)limits, (void)sids, (void)count, (void)done, (void)context;
	return false;
}
