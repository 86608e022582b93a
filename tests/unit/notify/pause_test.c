// Who may tell something again, and what is remembered of that (DEBUG-003, DEBUG-005).

#include "notify/pause.h"

#include <stdio.h>
#include <string.h>

#include "tests/check.h"

static void one_keeps_its_place_and_its_count(void **state)
{
	(void)state;
	static struct notify_pauses pauses;
	struct notify_pause *first = notify_pause_find(&pauses, "TR1", 5000);
	assert_non_null(first);
	assert_int_equal(first->until_ms, 0);
	first->until_ms = 6000;
	first->held = 2;
	struct notify_pause *second = notify_pause_find(&pauses, "TR2", 5999);
	assert_non_null(second);
	assert_true(second != first && second->until_ms == 0 && second->held == 0);
	assert_true(notify_pause_find(&pauses, "TR1", 5999) == first);
	assert_true(notify_pause_find(&pauses, "TR1", 7000) == first && first->held == 2);
}

static void what_is_remembered_is_bounded_and_no_pause_is_cut_short(void **state)
{
	(void)state;
	static struct notify_pauses pauses;
	char sid[16];
	unsigned taken = 0, waiting = 0;
	for (unsigned i = 0; i < 2 * NOTIFY_PAUSES_MAX; i++) {
		(void)snprintf(sid, sizeof(sid), "TR%u", i);
		struct notify_pause *pause = notify_pause_find(&pauses, sid, 5000);
		if (pause)
			pause->until_ms = 6000;
		*(pause ? &taken : &waiting) += 1;
	}
	assert_true(taken > NOTIFY_PAUSES_MAX * 3 / 4 && taken <= NOTIFY_PAUSES_MAX && waiting > 0);
	for (unsigned i = 0; i < NOTIFY_PAUSES_MAX; i++)
		assert_true(pauses.places[i].until_ms == 0 || pauses.places[i].until_ms == 6000);
	// Once they are over, whoever waited has a place.
	assert_non_null(notify_pause_find(&pauses, sid, 6000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_keeps_its_place_and_its_count),
		TEST(what_is_remembered_is_bounded_and_no_pause_is_cut_short),
	};
	return RUN_TESTS(tests);
}
