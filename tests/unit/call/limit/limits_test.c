// Calls per second and calls at a time, as one node remembers them. Runs on the thread of the test.

#include "call/limit/limits.h"

#include <stdio.h>

#include "base/clock.h"
#include "call/limit/share.h"
#include "tests/check.h"
#include "tests/fake/allocation.h"

struct world {
	struct clock clock;
	struct limits_counters counters;
	struct limits *limits;
};

static void start(struct world *world)
{
	*world = (struct world){ .clock = { .now_ms = 5000 } };
	struct limits_options options = { .clock = &world->clock, .counters = &world->counters };
	world->limits = limits_create(&options);
	CHECK_TRUE(world->limits != NULL);
}

static struct limit_rules rules_of(const char *trunk, uint32_t rate)
{
	return (struct limit_rules){ .trunk_sid = trunk, .account_sid = "AC1", .trunk_rate = rate };
}

// A call that comes to nothing at once.
static enum limit_cause attempt(struct world *world, struct limit_rules *rules)
{
	struct limit_slot slot = { 0 };
	enum limit_cause cause = limits_take(world->limits, &slot, rules);
	limits_give(world->limits, &slot);
	return cause;
}

static unsigned attempt_all(struct world *world, struct limit_rules *rules)
{
	unsigned passed = 0;
	while (passed < 100000 && attempt(world, rules) == LIMIT_NONE)
		passed++;
	return passed;
}

// LIMIT-001, D-15
static void one_call_a_second_is_one_call_a_second(void **state)
{
	(void)state;
	static const struct {
		uint64_t at_ms;
		enum limit_cause cause;
	} rows[] = {
		{ 5000, LIMIT_NONE },        { 5000, LIMIT_TRUNK_RATE }, { 5999, LIMIT_TRUNK_RATE },
		{ 6000, LIMIT_NONE },        { 6500, LIMIT_TRUNK_RATE }, { 6999, LIMIT_TRUNK_RATE },
		{ 7000, LIMIT_NONE },        { 7001, LIMIT_TRUNK_RATE }, { 9999, LIMIT_NONE },
		{ 10998, LIMIT_TRUNK_RATE }, { 10999, LIMIT_NONE },
	};
	struct world world;
	struct limit_rules rules = rules_of("TK1", 1);
	start(&world);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.clock.now_ms = rows[i].at_ms;
		CHECK_NUMBER(attempt(&world, &rules), rows[i].cause);
	}
	limits_destroy(world.limits);
}

// LIMIT-003: set 10, ten pass, the eleventh does not, and no idle time saves more.
static void an_idle_trunk_saves_no_more_than_one_second(void **state)
{
	(void)state;
	struct world world;
	struct limit_rules rules = rules_of("TK1", 10);
	start(&world);
	CHECK_NUMBER(attempt_all(&world, &rules), 10);
	world.clock.now_ms += 86400000;
	CHECK_NUMBER(attempt_all(&world, &rules), 10);
	CHECK_NUMBER(attempt_all(&world, &rules), 0);
	limits_destroy(world.limits);
}

// Whatever second one looks at: attempts at odd moments, all that pass written down.
static void no_second_holds_more_than_the_limit(void **state)
{
	(void)state;
	struct world world;
	struct limit_rules rules = rules_of("TK1", 7);
	static uint64_t passed[4096];
	unsigned count = 0;
	start(&world);
	for (unsigned i = 0; i < 20000; i++) {
		world.clock.now_ms += (i * i) % 7 * ((i / 500) % 4);
		if (attempt(&world, &rules) == LIMIT_NONE && count < 4096)
			passed[count++] = world.clock.now_ms;
	}
	CHECK_TRUE(count > 300 && count < 4096);
	for (unsigned i = 7; i < count; i++)
		CHECK_TRUE(passed[i] - passed[i - 7] >= 1000);
	limits_destroy(world.limits);
}

static void refused_attempts_cost_nothing(void **state)
{
	(void)state;
	struct world world;
	struct limit_rules rules = rules_of("TK1", 1);
	start(&world);
	CHECK_NUMBER(attempt(&world, &rules), LIMIT_NONE);
	for (unsigned i = 1; i < 1000; i++) {
		world.clock.now_ms++;
		CHECK_NUMBER(attempt(&world, &rules), LIMIT_TRUNK_RATE);
	}
	world.clock.now_ms++;
	CHECK_NUMBER(attempt(&world, &rules), LIMIT_NONE);
	limits_destroy(world.limits);
}

// D-14: what one limit refuses takes nothing of another.
static void a_call_takes_all_or_nothing(void **state)
{
	(void)state;
	struct world world;
	struct limit_rules first = rules_of("TK1", 5), second = rules_of("TK2", 5);
	first.account_rate = second.account_rate = 3;
	start(&world);
	CHECK_NUMBER(attempt_all(&world, &first), 3);
	CHECK_NUMBER(attempt(&world, &first), LIMIT_ACCOUNT_RATE);
	CHECK_NUMBER(attempt(&world, &second), LIMIT_ACCOUNT_RATE);
	CHECK_NUMBER(limits_usage(world.limits, "TK1").rate, 3);
	CHECK_NUMBER(limits_usage(world.limits, "TK2").rate, 0);
	CHECK_NUMBER(limits_usage(world.limits, "AC1").rate, 3);
	CHECK_NUMBER(limits_usage(world.limits, "AC2").rate, 0);
	second.account_rate = 0;
	CHECK_NUMBER(attempt_all(&world, &second), 5);
	limits_destroy(world.limits);
}

// LIMIT-004: what has no rate takes no token, and is refused for none.
static void a_call_without_a_rate_takes_no_token(void **state)
{
	(void)state;
	struct world world;
	struct limit_rules origination = rules_of("TK1", 0), termination = rules_of("TK1", 1);
	start(&world);
	for (unsigned i = 0; i < 20; i++)
		CHECK_NUMBER(attempt(&world, &origination), LIMIT_NONE);
	CHECK_NUMBER(attempt(&world, &termination), LIMIT_NONE);
	CHECK_NUMBER(attempt(&world, &origination), LIMIT_NONE);
	limits_destroy(world.limits);
}

static void a_changed_limit_counts_at_once(void **state)
{
	(void)state;
	struct world world;
	struct limit_rules ten = rules_of("TK1", 10), two = rules_of("TK1", 2),
			   fifty = rules_of("TK1", 50);
	start(&world);
	CHECK_NUMBER(attempt_all(&world, &ten), 10);
	CHECK_NUMBER(attempt_all(&world, &fifty), 40); // raised
	CHECK_NUMBER(attempt_all(&world, &two), 0); // lowered
	world.clock.now_ms += 1000;
	CHECK_NUMBER(attempt_all(&world, &two), 2);
	limits_destroy(world.limits);
}

// LIMIT-007: the trunk's, the account's and the node's limit of calls at a time.
static void slots_are_held_until_they_are_given_back(void **state)
{
	(void)state;
	struct world world;
	struct limit_slot slots[5] = { 0 };
	struct limit_rules first = rules_of("TK1", 0), second = rules_of("TK2", 0);
	first.trunk_calls = 2;
	first.account_calls = second.account_calls = 3;
	start(&world);
	CHECK_NUMBER(limits_take(world.limits, &slots[0], &first), LIMIT_NONE);
	CHECK_NUMBER(limits_take(world.limits, &slots[1], &first), LIMIT_NONE);
	CHECK_NUMBER(limits_take(world.limits, &slots[2], &first), LIMIT_TRUNK_CALLS);
	CHECK_NUMBER(limits_take(world.limits, &slots[2], &second), LIMIT_NONE);
	CHECK_NUMBER(limits_take(world.limits, &slots[3], &second), LIMIT_ACCOUNT_CALLS);
	CHECK_NUMBER(limits_usage(world.limits, "TK1").calls, 2);
	CHECK_NUMBER(limits_usage(world.limits, "AC1").calls, 3);
	CHECK_NUMBER(limits_calls(world.limits), 3);
	limits_give(world.limits, &slots[0]);
	limits_give(world.limits, &slots[0]); // twice is once
	limits_give(world.limits, &slots[3]); // it held nothing
	CHECK_NUMBER(limits_calls(world.limits), 2);
	CHECK_NUMBER(limits_take(world.limits, &slots[0], &first), LIMIT_NONE);
	for (unsigned i = 0; i < 5; i++)
		limits_give(world.limits, &slots[i]);
	CHECK_NUMBER(limits_usage(world.limits, "TK1").calls, 0);
	CHECK_NUMBER(limits_usage(world.limits, "AC1").calls, 0);
	CHECK_NUMBER(limits_calls(world.limits), 0);
	limits_destroy(world.limits);
}

// LIMIT-014: 100 kbit/s a call.
static void bandwidth_has_room_for_ten_calls_a_megabit(void **state)
{
	(void)state;
	struct world world;
	struct limit_slot slots[11] = { 0 };
	struct limit_rules rules = rules_of("TK1", 0);
	rules.bandwidth_mbps = 1;
	start(&world);
	for (unsigned i = 0; i < 10; i++)
		CHECK_NUMBER(limits_take(world.limits, &slots[i], &rules), LIMIT_NONE);
	CHECK_NUMBER(limits_take(world.limits, &slots[10], &rules), LIMIT_BANDWIDTH);
	rules.bandwidth_mbps = 0;
	CHECK_NUMBER(limits_take(world.limits, &slots[10], &rules), LIMIT_NONE);
	limits_destroy(world.limits);
}

// While Redis is away: never more than the limit together, and nobody is shut out for good.
static void shares_of_all_nodes_are_no_more_than_the_limit(void **state)
{
	(void)state;
	CHECK_NUMBER(share_of_rate(0, 3).count, 0); // no limit, no share
	CHECK_NUMBER(share_of_calls(0, 3), 0);
	for (uint32_t limit = 1; limit <= 100; limit++) {
		for (unsigned nodes = 1; nodes <= 16; nodes++) {
			struct share share = share_of_rate(limit, nodes);
			CHECK_TRUE(share.count >= 1 && share.span_ms >= 1000);
			CHECK_TRUE(share.count * nodes * 1000 <= limit * share.span_ms);
			CHECK_TRUE(share_of_calls(limit, nodes) >= 1);
			CHECK_TRUE(limit < nodes || share_of_calls(limit, nodes) * nodes <= limit);
		}
	}
	CHECK_NUMBER(share_of_rate(1, 2).span_ms, 2000);
}

static void gauges_of_trunks_that_are_no_more_go(void **state)
{
	(void)state;
	struct world world;
	struct limit_slot held = { 0 };
	struct limit_rules long_call = rules_of("TKlong", 1);
	start(&world);
	CHECK_NUMBER(limits_take(world.limits, &held, &long_call), LIMIT_NONE);
	for (unsigned minute = 0; minute < 100; minute++) {
		for (unsigned i = 0; i < 100; i++) {
			char trunk[32];
			(void)snprintf(trunk, sizeof(trunk), "TK%u.%u", minute, i);
			struct limit_rules rules = rules_of(trunk, 1);
			CHECK_NUMBER(attempt(&world, &rules), LIMIT_NONE);
		}
		world.clock.now_ms += 60000;
	}
	CHECK_TRUE(limits_gauges(world.limits) < 1000);
	CHECK_NUMBER(limits_usage(world.limits, "TKlong").calls, 1);
	limits_give(world.limits, &held);
	limits_destroy(world.limits);
}

static void without_memory_nothing_passes_and_nothing_breaks(void **state)
{
	(void)state;
	for (unsigned number = 1; number <= 32; number++) {
		struct clock clock = { .now_ms = 5000 };
		struct limits_counters counters = { 0 };
		struct limit_rules rules = rules_of("TK1", 1);
		struct limit_slot slot = { 0 };
		rules.account_rate = 1;
		allocation_fail_at(number);
		struct limits_options options = { .clock = &clock, .counters = &counters };
		struct limits *limits = limits_create(&options);
		enum limit_cause cause =
			limits != NULL ? limits_take(limits, &slot, &rules) : LIMIT_MEMORY;
		bool has_failed = allocation_has_failed();
		allocation_fail_at(0);
		CHECK_NUMBER(cause, has_failed ? LIMIT_MEMORY : LIMIT_NONE);
		if (limits != NULL)
			CHECK_NUMBER(limits_calls(limits), has_failed ? 0 : 1);
		limits_destroy(limits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_call_a_second_is_one_call_a_second),
		TEST(an_idle_trunk_saves_no_more_than_one_second),
		TEST(no_second_holds_more_than_the_limit),
		TEST(refused_attempts_cost_nothing),
		TEST(a_call_takes_all_or_nothing),
		TEST(a_call_without_a_rate_takes_no_token),
		TEST(a_changed_limit_counts_at_once),
		TEST(slots_are_held_until_they_are_given_back),
		TEST(bandwidth_has_room_for_ten_calls_a_megabit),
		TEST(shares_of_all_nodes_are_no_more_than_the_limit),
		TEST(gauges_of_trunks_that_are_no_more_go),
		TEST(without_memory_nothing_passes_and_nothing_breaks),
	};
	return RUN_TESTS(tests);
}
