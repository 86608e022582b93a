// Which of many alerts are written. Runs on the thread of the test.

#include "call/watch/damper.h"

#include <stdlib.h>

#include "tests/check.h"

#define SET (DAMPERS_REMEMBERED / DAMPER_PLACES) // keys so far apart have the same places

static struct damper dampers[DAMPERS_REMEMBERED];

static bool pass(uint64_t key, uint64_t now_ms, unsigned per_s, unsigned expected)
{
	unsigned held_back = 99;
	bool is_written = damper_pass(dampers, key, now_ms, per_s, &held_back);
	CHECK_NUMBER(held_back, is_written ? expected : 0);
	return is_written;
}

static void forget(void)
{
	for (unsigned i = 0; i < DAMPERS_REMEMBERED; i++)
		dampers[i] = (struct damper){ 0 };
}

static void so_many_a_second_are_written_and_the_next_one_tells_of_the_rest(void **state)
{
	(void)state;
	forget();
	for (unsigned i = 0; i < 3; i++)
		assert_true(pass(7, 1000 + i, 3, 0));
	for (unsigned i = 0; i < 5; i++)
		assert_false(pass(7, 1500 + i, 3, 0));
	assert_false(pass(7, 1999, 3, 0));
	assert_true(pass(7, 2000, 3, 6));
	assert_true(pass(7, 2001, 3, 0)); // told once
	assert_true(pass(7, 86400000, 3, 0));
}

static void one_trunk_does_not_hold_back_another(void **state)
{
	(void)state;
	forget();
	assert_true(pass(1, 1000, 1, 0));
	assert_false(pass(1, 1000, 1, 0));
	assert_true(pass(2, 1000, 1, 0));
	assert_true(pass(1 + SET, 1000, 1, 0)); // of the same places
	assert_false(pass(1, 1999, 1, 0));
}

static void without_a_bound_all_are_written(void **state)
{
	(void)state;
	forget();
	for (unsigned i = 0; i < 10000; i++)
		assert_true(pass(7, 1000, 0, 0));
}

// More than there are places for: who came first keeps its place, whatever comes; later there is room.
static void many_at_once_do_not_undo_the_bound(void **state)
{
	(void)state;
	forget();
	unsigned written = 0;
	for (unsigned round = 0; round < 100; round++)
		for (uint64_t key = 1; key <= 1000; key++)
			written += pass(key * SET, 1000, 1, 0);
	CHECK_NUMBER(written, DAMPER_PLACES);
	assert_true(pass(2000 * SET, 2000, 1, 0));
	assert_true(pass(0, 2000, 1, 0)); // a hash may be 0
	assert_false(pass(0, 2000, 1, 0));
}

// Whatever comes: no more than the bound a second for each, and none is lost from sight.
static void what_is_written_and_what_is_held_back_is_all_there_was(void **state)
{
	(void)state;
	forget();
	unsigned written[20] = { 0 }, told[20] = { 0 }, asked[20] = { 0 };
	for (unsigned i = 0; i < 100000; i++) {
		unsigned key = (i * 2654435761u >> 16) % 20, held_back = 0;
		asked[key]++;
		if (!damper_pass(dampers, key + 1, 1000 + i / 10, 2, &held_back))
			continue;
		written[key]++;
		told[key] += held_back;
	}
	for (unsigned key = 0; key < 20; key++) {
		assert_in_range(written[key], 1, 2 * 11);
		unsigned held_back = 0;
		assert_true(damper_pass(dampers, key + 1, 1000000, 2, &held_back));
		CHECK_NUMBER(written[key] + told[key] + held_back, asked[key]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(so_many_a_second_are_written_and_the_next_one_tells_of_the_rest),
		TEST(one_trunk_does_not_hold_back_another),
		TEST(without_a_bound_all_are_written),
		TEST(many_at_once_do_not_undo_the_bound),
		TEST(what_is_written_and_what_is_held_back_is_all_there_was),
	};
	return RUN_TESTS(tests);
}
