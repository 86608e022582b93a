// A start, a call, an alert, a search and a stop with the n-th allocation of ours refused. What was
// accepted is written, by this process or the next.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "tests/fake/allocation.h"
#include "world.h"

#define ROUNDS_MAX 60 // more than there are allocations

static void count_end(void *context, const struct history_call *call)
{
	*(unsigned *)context += call == NULL;
}

// Whether the call was accepted.
static bool live_once(struct world *world, unsigned round)
{
	char sid[35];
	unsigned ends = 0;
	struct history_alert alert = { .code = 32000 };
	allocation_fail_at(round);
	if (world_start(world) != OK) {
		allocation_fail_at(0);
		return false;
	}
	snprintf(sid, sizeof(sid), "CA%u", round);
	struct history_call *call = world_fill(world, sid);
	assert_non_null(call);
	history_call_close(world->history, call);
	assert_true(history_alert_write(world->history, &alert));
	assert_int_equal(history_search(world->history, sid, 1, count_end, &ends), OK);
	world_stop(world);
	allocation_fail_at(0);
	assert_int_equal(ends, 1);
	return true;
}

static void nothing_accepted_is_lost_for_want_of_memory(void **state)
{
	(void)state;
	struct world world;
	unsigned accepted = 0;
	world_make(&world, 32);
	for (unsigned round = 1; round < ROUNDS_MAX; round++)
		accepted += live_once(&world, round);
	assert_int_equal(world_start(&world), OK);
	world_stop(&world);
	assert_true(accepted > 20);
	assert_int_equal(world_ask(&world, "SELECT count(*) FROM calls"), accepted);
	assert_int_equal(world_ask(&world, "SELECT count(*) FROM alerts"), accepted);
	world_remove(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_accepted_is_lost_for_want_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
