// Token buckets of calls per second. Runs on the thread of the test.

#include "call/limit.h"

#include <stdio.h>

#include "tests/check.h"
#include "tests/fake/allocation.h"

static unsigned take_all(struct limits *limits, const char *trunk, uint32_t cps, uint64_t now_ms)
{
	unsigned taken = 0;
	while (taken < 100000 && limits_take(limits, trunk, cps, now_ms))
		taken++;
	return taken;
}

static void one_call_a_second_is_one_call_a_second(void **state)
{
	(void)state;
	struct limits *limits = limits_create();
	static const struct {
		uint64_t at_ms;
		bool passes;
	} rows[] = {
		{ 5000, true },  { 5000, false }, { 5999, false }, { 6000, true },
		{ 6500, false }, { 6999, false }, { 7000, true },  { 7001, false },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_NUMBER(limits_take(limits, "TK1", 1, rows[i].at_ms), rows[i].passes);
	limits_destroy(limits);
}

static void an_idle_trunk_saves_no_more_than_one_second(void **state)
{
	(void)state;
	struct limits *limits = limits_create();
	CHECK_NUMBER(take_all(limits, "TK1", 10, 1000), 10);
	CHECK_NUMBER(take_all(limits, "TK1", 10, 86400000), 10);
	CHECK_NUMBER(take_all(limits, "TK1", 10, 86400000), 0);
	limits_destroy(limits);
}

static void tokens_come_back_evenly(void **state)
{
	(void)state;
	struct limits *limits = limits_create();
	unsigned taken = take_all(limits, "TK1", 3, 0);
	for (uint64_t now_ms = 10; now_ms <= 10000; now_ms += 10)
		taken += take_all(limits, "TK1", 3, now_ms);
	CHECK_NUMBER(taken, 3 + 30); // the second's worth at the start, then 3 a second
	limits_destroy(limits);
}

static void refused_attempts_cost_nothing(void **state)
{
	(void)state;
	struct limits *limits = limits_create();
	CHECK_TRUE(limits_take(limits, "TK1", 1, 0));
	for (uint64_t now_ms = 1; now_ms < 1000; now_ms++)
		CHECK_FALSE(limits_take(limits, "TK1", 1, now_ms));
	CHECK_TRUE(limits_take(limits, "TK1", 1, 1000));
	limits_destroy(limits);
}

static void trunks_do_not_share_a_bucket(void **state)
{
	(void)state;
	struct limits *limits = limits_create();
	CHECK_TRUE(limits_take(limits, "TK1", 1, 0));
	CHECK_FALSE(limits_take(limits, "TK1", 1, 0));
	CHECK_TRUE(limits_take(limits, "TK2", 1, 0));
	limits_destroy(limits);
}

static void a_changed_limit_counts_at_once(void **state)
{
	(void)state;
	struct limits *limits = limits_create();
	CHECK_NUMBER(take_all(limits, "TK1", 10, 0), 10);
	CHECK_NUMBER(take_all(limits, "TK1", 10, 1000), 10);
	CHECK_NUMBER(take_all(limits, "TK1", 2, 10000), 2); // lowered
	CHECK_NUMBER(take_all(limits, "TK1", 50, 20000), 50); // raised
	limits_destroy(limits);
}

static void buckets_of_trunks_that_are_no_more_go(void **state)
{
	(void)state;
	struct limits *limits = limits_create();
	for (unsigned second = 0; second < 100; second++) {
		for (unsigned i = 0; i < 100; i++) {
			char trunk[32];
			(void)snprintf(trunk, sizeof(trunk), "TK%u.%u", second, i);
			CHECK_TRUE(limits_take(limits, trunk, 1, second * 1000));
		}
	}
	CHECK_TRUE(limits_count(limits) < 1000);
	limits_destroy(limits);
}

static void without_memory_nothing_passes_and_nothing_breaks(void **state)
{
	(void)state;
	for (unsigned number = 1; number <= 128; number++) {
		allocation_fail_at(number);
		struct limits *limits = limits_create();
		bool passes = limits != NULL && limits_take(limits, "TK1", 1, 0);
		bool has_failed = allocation_has_failed();
		allocation_fail_at(0);
		CHECK_NUMBER(passes, !has_failed);
		limits_destroy(limits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_call_a_second_is_one_call_a_second),
		TEST(an_idle_trunk_saves_no_more_than_one_second),
		TEST(tokens_come_back_evenly),
		TEST(refused_attempts_cost_nothing),
		TEST(trunks_do_not_share_a_bucket),
		TEST(a_changed_limit_counts_at_once),
		TEST(buckets_of_trunks_that_are_no_more_go),
		TEST(without_memory_nothing_passes_and_nothing_breaks),
	};
	return RUN_TESTS(tests);
}
