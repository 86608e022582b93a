// How long a loop gathers before its next turn.

#include "tests/check.h"

#include "base/gather.h"

#define MS UINT64_C(1000000)

static void the_first_turn_after_a_rest_waits_for_nothing(void **state)
{
	struct gather gather = { 0 };
	(void)state;
	assert_int_equal(gather_until(&gather, 100 * MS, 1), 100 * MS);
	assert_int_equal(gather_until(&gather, 107 * MS, 2), 107 * MS);
}

static void what_comes_next_is_gathered_for_a_millisecond(void **state)
{
	struct gather gather = { 0 };
	(void)state;
	(void)gather_until(&gather, 100 * MS, 1);
	assert_int_equal(gather_until(&gather, 100 * MS + MS / 10, 2), 101 * MS);
	assert_int_equal(gather_until(&gather, 101 * MS + MS / 10, 3), 102 * MS);
}

static void many_messages_wait_for_less(void **state)
{
	struct gather gather = { 0 };
	(void)state;
	(void)gather_until(&gather, 100 * MS, 0);
	(void)gather_until(&gather, 100 * MS + MS / 10, 1);
	// Twice as many as are enough came in that millisecond: the next turn begins after half of one.
	assert_int_equal(gather_until(&gather, 101 * MS + MS / 10, 1 + 2 * GATHER_ENOUGH),
			 101 * MS + MS / (2 * GATHER_ENOUGH) * GATHER_ENOUGH);
}

static void a_turn_that_took_long_is_followed_at_once(void **state)
{
	struct gather gather = { 0 };
	(void)state;
	(void)gather_until(&gather, 100 * MS, 0);
	assert_int_equal(gather_until(&gather, 103 * MS, 500), 103 * MS);
	assert_int_equal(gather_until(&gather, 105 * MS, 1000), 105 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_turn_after_a_rest_waits_for_nothing),
		cmocka_unit_test(what_comes_next_is_gathered_for_a_millisecond),
		cmocka_unit_test(many_messages_wait_for_less),
		cmocka_unit_test(a_turn_that_took_long_is_followed_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
