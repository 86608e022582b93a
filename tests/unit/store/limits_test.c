// The limits that nodes share, against a real Redis: two nodes count as one, a dead one holds nothing for
// long, and a Redis that went away or forgot is told again what is held.

#include "store/limits/limits.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/check.h"
#include "tests/unit/store/bench.h"

#define TIMEOUT_S 2
#define ASKS_MAX 64

struct node {
	struct bench_node bench;
	struct store_limits *limits;
	unsigned joined, left;
	unsigned held; // of TK1: what it tells when it joins
};

struct asked {
	struct store_limits_ask ask;
	bool is_answered;
	enum store_limits_cause cause;
	uint64_t at_ns;
};

struct world {
	struct event_base *loop;
	struct bench_redis redis;
	struct node a, b;
	struct asked asks[ASKS_MAX];
	unsigned count;
};

static void on_joined(void *context)
{
	struct node *node = context;
	node->joined++;
	if (node->held > 0)
		store_limits_hold(node->limits, "TK1", node->held);
}

static void on_left(void *context, const char *why)
{
	(void)why;
	((struct node *)context)->left++;
}

static bool has_joined(void *context)
{
	return store_limits_has_joined(((struct node *)context)->limits);
}

static void open_node(struct world *world, struct node *node, const char *name)
{
	struct store_limits_options limits = { .node_timeout_s = TIMEOUT_S, .wait_ms = 100 };
	struct store_options options = { .url = world->redis.url, .limits = &limits };
	struct store_limits_events events = { on_joined, on_left, node };
	*node = (struct node){ 0 };
	(void)snprintf(limits.name, sizeof(limits.name), "%s", name);
	bench_node_open(&node->bench, world->loop);
	CHECK_OK(bench_node_start(&node->bench, &options));
	node->limits = store_limits(node->bench.store);
	store_limits_attach(node->limits, &events);
	CHECK_TRUE(bench_turn(world->loop, has_joined, node, 5000));
}

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	world->loop = event_base_new();
	bench_redis_start(&world->redis, NULL);
	open_node(world, &world->a, "a");
	open_node(world, &world->b, "b");
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	if (world->a.bench.store)
		bench_node_close(&world->a.bench);
	bench_node_close(&world->b.bench);
	bench_redis_stop(&world->redis);
	event_base_free(world->loop);
	test_free(world);
	return 0;
}

static void on_done(struct store_limits_ask *ask, enum store_limits_cause cause)
{
	struct asked *asked = (struct asked *)ask;
	asked->is_answered = true;
	asked->cause = cause;
	asked->at_ns = clock_monotonic_ns();
}

static struct store_limits_ask question(uint32_t rate, uint32_t calls)
{
	return (struct store_limits_ask){ .trunk_sid = "TK1",
					  .account_sid = "AC1",
					  .trunk_rate = rate,
					  .trunk_calls = calls,
					  .done = on_done };
}

static bool ask(struct world *world, struct node *node, struct store_limits_ask what)
{
	struct asked *asked = &world->asks[world->count];
	*asked = (struct asked){ .ask = what };
	bool is_asked = store_limits_take(node->limits, &asked->ask);
	world->count += is_asked;
	return is_asked;
}

static bool are_answered(void *context)
{
	const struct world *world = context;
	for (unsigned i = 0; i < world->count; i++)
		if (!world->asks[i].is_answered)
			return false;
	return true;
}

// How many of the questions so far had that answer; none is left.
static unsigned answers(struct world *world, enum store_limits_cause cause)
{
	unsigned count = 0;
	CHECK_TRUE(bench_turn(world->loop, are_answered, world, 5000));
	for (unsigned i = 0; i < world->count; i++)
		count += world->asks[i].cause == cause;
	world->count = 0;
	return count;
}

static enum store_limits_cause answer(struct world *world, struct node *node,
				      struct store_limits_ask what)
{
	CHECK_TRUE(ask(world, node, what));
	CHECK_TRUE(bench_turn(world->loop, are_answered, world, 5000));
	world->count = 0;
	return world->asks[0].cause;
}

// LIMIT-001: whichever node a call comes to, and whichever second one looks at.
static void no_second_of_all_nodes_holds_more_than_the_limit(void **state)
{
	struct world *world = *state;
	static uint64_t moments[4096];
	unsigned count = 0, refused = 0;
	uint64_t end_ns = clock_monotonic_ns() + 3000000000;
	while (clock_monotonic_ns() < end_ns) {
		for (unsigned i = 0; i < 8; i++)
			CHECK_TRUE(ask(world, i % 2 ? &world->a : &world->b, question(20, 0)));
		CHECK_TRUE(bench_turn(world->loop, are_answered, world, 5000));
		for (unsigned i = 0; i < world->count; i++) {
			if (world->asks[i].cause == STORE_LIMITS_ADMITTED)
				moments[count++] = world->asks[i].at_ns;
			else
				refused += world->asks[i].cause == STORE_LIMITS_TRUNK_RATE;
		}
		world->count = 0;
	}
	CHECK_TRUE(refused > 0);
	assert_in_range(count, 40, 80);
	for (unsigned i = 20; i < count;
	     i++) // heard of later than admitted, on a busy machine much
		CHECK_TRUE(moments[i] - moments[i - 20] > 800000000);
}

// D-14
static void a_call_takes_all_or_nothing(void **state)
{
	struct world *world = *state;
	struct store_limits_ask pool = question(10, 0);
	pool.account_rate = 2;
	for (unsigned i = 0; i < 5; i++)
		CHECK_TRUE(ask(world, i % 2 ? &world->a : &world->b, pool));
	CHECK_TRUE(bench_turn(world->loop, are_answered, world, 5000));
	CHECK_NUMBER(answers(world, STORE_LIMITS_ACCOUNT_RATE), 3);
	for (unsigned i = 0; i < 10; i++) // what the pool refused took nothing of the trunk's
		CHECK_TRUE(ask(world, &world->a, question(10, 0)));
	CHECK_NUMBER(answers(world, STORE_LIMITS_ADMITTED), 8);
}

static void a_lowered_limit_counts_at_once(void **state)
{
	struct world *world = *state;
	for (unsigned i = 0; i < 10; i++)
		CHECK_TRUE(ask(world, &world->a, question(10, 0)));
	CHECK_NUMBER(answers(world, STORE_LIMITS_ADMITTED), 10);
	CHECK_NUMBER(answer(world, &world->b, question(2, 0)), STORE_LIMITS_TRUNK_RATE);
	CHECK_NUMBER(answer(world, &world->b, question(11, 0)), STORE_LIMITS_ADMITTED);
	CHECK_NUMBER(answer(world, &world->b, question(0, 0)), STORE_LIMITS_ADMITTED); // LIMIT-004
}

// LIMIT-007, LIMIT-009
static void calls_at_a_time_are_those_of_all_nodes(void **state)
{
	struct world *world = *state;
	CHECK_NUMBER(answer(world, &world->a, question(0, 5)), STORE_LIMITS_ADMITTED);
	for (unsigned i = 0; i < 16; i++)
		CHECK_TRUE(ask(world, i % 2 ? &world->a : &world->b, question(0, 5)));
	CHECK_NUMBER(answers(world, STORE_LIMITS_ADMITTED), 4);
	store_limits_give(world->a.limits, "TK1", "AC1");
	CHECK_NUMBER(answer(world, &world->a, question(0, 5)), STORE_LIMITS_ADMITTED);
	CHECK_NUMBER(answer(world, &world->b, question(0, 5)), STORE_LIMITS_TRUNK_CALLS);
	struct store_limits_ask account = question(0, 0);
	account.account_calls = 5;
	CHECK_NUMBER(answer(world, &world->b, account), STORE_LIMITS_ACCOUNT_CALLS);
}

static void close_node(struct world *world, struct node *node)
{
	(void)world;
	bench_node_close(&node->bench); // says nothing to Redis, like one that was killed
}

struct attempt {
	struct world *world;
	struct node *node;
};

static bool is_admitted(void *context)
{
	struct attempt *attempt = context;
	struct world *world = attempt->world;
	struct asked *asked = &world->asks[0];
	if (world->count > 0 && !asked->is_answered)
		return false;
	if (world->count > 0 && asked->cause == STORE_LIMITS_ADMITTED)
		return true;
	world->count = 0;
	(void)ask(world, attempt->node, question(0, 3));
	return false;
}

// LIMIT-009: what a dead node held is free again after its time, not before.
static void a_dead_node_holds_nothing_for_long(void **state)
{
	struct world *world = *state;
	struct attempt attempt = { world, &world->b };
	for (unsigned i = 0; i < 3; i++)
		CHECK_NUMBER(answer(world, &world->a, question(0, 3)), STORE_LIMITS_ADMITTED);
	CHECK_NUMBER(store_limits_nodes(world->b.limits), 2);
	uint64_t dead_ns = clock_monotonic_ns();
	close_node(world, &world->a);
	CHECK_NUMBER(answer(world, &world->b, question(0, 3)), STORE_LIMITS_TRUNK_CALLS);
	CHECK_TRUE(bench_turn(world->loop, is_admitted, &attempt, 5000));
	assert_in_range((clock_monotonic_ns() - dead_ns) / 1000000, TIMEOUT_S * 1000 * 3 / 4,
			TIMEOUT_S * 1000 + 1500);
}

static void a_restarted_node_clears_its_former_life(void **state)
{
	struct world *world = *state;
	for (unsigned i = 0; i < 3; i++)
		CHECK_NUMBER(answer(world, &world->a, question(0, 3)), STORE_LIMITS_ADMITTED);
	close_node(world, &world->a);
	open_node(world, &world->a, "a");
	for (unsigned i = 0; i < 3; i++)
		CHECK_NUMBER(answer(world, &world->b, question(0, 3)), STORE_LIMITS_ADMITTED);
	CHECK_NUMBER(answer(world, &world->a, question(0, 3)), STORE_LIMITS_TRUNK_CALLS);
	CHECK_NUMBER(store_limits_nodes(world->a.limits), 2);
}

struct expected {
	struct node *node;
	unsigned joined;
};

static bool has_joined_again(void *context)
{
	const struct expected *expected = context;
	return expected->node->joined >= expected->joined &&
	       store_limits_has_joined(expected->node->limits);
}

static void wait_joined(struct world *world, struct node *node, unsigned joined)
{
	struct expected expected = { node, joined };
	CHECK_TRUE(bench_turn(world->loop, has_joined_again, &expected, 8000));
}

static void redis_is_told_again_what_is_held(void **state)
{
	struct world *world = *state;
	world->a.held = 2;
	bench_redis_kill(&world->redis);
	bench_redis_launch(&world->redis, NULL);
	wait_joined(world, &world->a, 2);
	wait_joined(world, &world->b, 2);
	CHECK_NUMBER(world->a.left, 1);
	CHECK_NUMBER(answer(world, &world->b, question(0, 3)), STORE_LIMITS_ADMITTED);
	CHECK_NUMBER(answer(world, &world->b, question(0, 3)), STORE_LIMITS_TRUNK_CALLS);
}

static bool are_two(void *context)
{
	return store_limits_nodes(((const struct node *)context)->limits) == 2;
}

static void while_it_is_away_nobody_is_asked(void **state)
{
	struct world *world = *state;
	CHECK_TRUE(ask(world, &world->a, question(0, 3)));
	bench_redis_kill(&world->redis);
	CHECK_TRUE(bench_wait_state(&world->a.bench, STORE_AWAY, 5000));
	(void)answers(world,
		      STORE_LIMITS_UNKNOWN); // answered before it died, or told that nobody knows
	CHECK_FALSE(ask(world, &world->a, question(0, 3)));
	store_limits_give(world->a.limits, "TK1", "AC1");
	CHECK_NUMBER(world->a.left, 1);
	CHECK_TRUE(store_limits_why(world->a.limits)[0] != '\0');
	CHECK_NUMBER(store_limits_nodes(world->b.limits), 2); // the share stays
	bench_redis_launch(&world->redis, NULL);
	wait_joined(world, &world->a, 2);
	CHECK_TRUE(
		bench_turn(world->loop, are_two, &world->a, 5000)); // by a beat, when it was first
}

static void a_redis_that_forgot_is_told_again(void **state)
{
	struct world *world = *state;
	static const char *const losses[] = { "flushall", "script flush" };
	for (unsigned i = 0; i < 2; i++) {
		world->a.held = 3;
		bench_redis_do(&world->redis, losses[i]);
		if (!ask(world, &world->a, question(0, 9)))
			fail_msg("it has not noticed yet");
		CHECK_NUMBER(answers(world, STORE_LIMITS_UNKNOWN), 1);
		wait_joined(world, &world->a, 2 + i);
		wait_joined(world, &world->b, 1);
		CHECK_NUMBER(answer(world, &world->a, question(0, 3)), STORE_LIMITS_TRUNK_CALLS);
	}
}

static void a_slow_redis_is_left_until_it_is_quick(void **state)
{
	struct world *world = *state;
	world->a.held = 1;
	bench_redis_do(&world->redis, "client pause 700 all");
	CHECK_TRUE(ask(world, &world->a, question(0, 3)));
	store_limits_slow(world->a.limits); // by the asker's clock
	CHECK_NUMBER(world->a.left, 1);
	CHECK_FALSE(ask(world, &world->a, question(0, 3)));
	wait_joined(world, &world->a, 2);
	CHECK_NUMBER(world->a.joined, 2);
	CHECK_NUMBER(answers(world, STORE_LIMITS_UNKNOWN),
		     1); // what was asked before counts nowhere
	wait_joined(world, &world->b, 1); // its beat was not answered in time either
	CHECK_NUMBER(answer(world, &world->b, question(0, 2)), STORE_LIMITS_ADMITTED);
	CHECK_NUMBER(answer(world, &world->b, question(0, 2)), STORE_LIMITS_TRUNK_CALLS);
}

static void on_read(void *context, const struct store_limits_usage *usages)
{
	struct store_limits_usage *room = context;
	CHECK_TRUE(usages != NULL);
	memcpy(room, usages, 2 * sizeof(*usages));
}

static bool is_read(void *context)
{
	return ((const struct store_limits_usage *)context)->calls != 99;
}

static void usage_is_that_of_all_nodes(void **state)
{
	struct world *world = *state;
	struct store_limits_usage usages[2] = { { 99, 99 }, { 99, 99 } };
	static const char *const sids[] = { "TK1", "AC1" };
	CHECK_NUMBER(answer(world, &world->a, question(9, 0)), STORE_LIMITS_ADMITTED);
	CHECK_NUMBER(answer(world, &world->b, question(9, 0)), STORE_LIMITS_ADMITTED);
	CHECK_TRUE(store_limits_read(world->a.limits, sids, 2, on_read, usages));
	CHECK_TRUE(bench_turn(world->loop, is_read, usages, 5000));
	CHECK_NUMBER(usages[0].calls, 2);
	CHECK_NUMBER(usages[0].rate, 2);
	CHECK_NUMBER(usages[1].calls, 2);
	CHECK_NUMBER(usages[1].rate, 0); // no pool
}

// Not a test: what one question costs, alone and in a row. For docs/decisions/call-limits.md.
static void measure(void **state)
{
	struct world *world = *state;
	bench_redis_do(&world->redis, "config set appendfsync everysec"); // as the embedded one
	uint64_t start_ns = clock_monotonic_ns();
	for (unsigned i = 0; i < 2000; i++)
		(void)answer(world, &world->a, question(10000, 10000));
	uint64_t alone_ns = (clock_monotonic_ns() - start_ns) / 2000;
	start_ns = clock_monotonic_ns();
	for (unsigned i = 0; i < 200; i++) {
		for (unsigned j = 0; j < ASKS_MAX; j++)
			CHECK_TRUE(ask(world, &world->a, question(0, 100000)));
		(void)answers(world, STORE_LIMITS_ADMITTED);
	}
	uint64_t row_ns = (clock_monotonic_ns() - start_ns) / (200 * ASKS_MAX);
	print_message("one question: %llu us alone, %llu us each of 64 in a row\n",
		      (unsigned long long)alone_ns / 1000, (unsigned long long)row_ns / 1000);
}

#define IN_WORLD(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(no_second_of_all_nodes_holds_more_than_the_limit),
		IN_WORLD(a_call_takes_all_or_nothing),
		IN_WORLD(a_lowered_limit_counts_at_once),
		IN_WORLD(calls_at_a_time_are_those_of_all_nodes),
		IN_WORLD(a_dead_node_holds_nothing_for_long),
		IN_WORLD(a_restarted_node_clears_its_former_life),
		IN_WORLD(redis_is_told_again_what_is_held),
		IN_WORLD(while_it_is_away_nobody_is_asked),
		IN_WORLD(a_redis_that_forgot_is_told_again),
		IN_WORLD(a_slow_redis_is_left_until_it_is_quick),
		IN_WORLD(usage_is_that_of_all_nodes),
	};
	const struct CMUnitTest measurements[] = { IN_WORLD(measure) };
	log_set_level(getenv("STORE_LOG") ? LOG_DEBUG : LOG_ERROR);
	if (count == 2 && strcmp(arguments[1], "--measure") == 0)
		return RUN_TESTS(measurements);
	return RUN_TESTS(tests);
}
