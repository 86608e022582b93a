// The timer wheel against a fake clock.

#include "tests/check.h"

#include <stdlib.h>

#include "base/wheel.h"
#include "tests/fake/allocation.h"

#define TURN_MS ((uint64_t)WHEEL_SLOTS * WHEEL_TICK_MS)

struct record {
	struct wheel *wheel;
	unsigned fired;
	int last;
	int order[8];
};

struct item {
	struct wheel_timer timer;
	int name;
};

static void note(struct wheel_timer *timer, void *context)
{
	struct record *record = context;
	const struct item *item = (const struct item *)timer;
	if (record->fired < 8)
		record->order[record->fired] = item->name;
	record->fired++;
	record->last = item->name;
}

static void a_timer_fires_once_at_its_deadline_and_never_before(void **state)
{
	(void)state;
	static const uint64_t deadlines[] = { 1000,           1001,
					      1009,           1010,
					      1015,           1000 + TURN_MS - 1,
					      1000 + TURN_MS, 1000 + 3 * TURN_MS + 7 };
	for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++) {
		struct wheel *wheel = wheel_create(995);
		struct record record = { 0 };
		struct item item = { .name = 1 };
		wheel_timer_init(&item.timer, note, &record);
		CHECK_FALSE(wheel_is_running(&item.timer));
		wheel_start(wheel, &item.timer, deadlines[i]);
		CHECK_TRUE(wheel_is_running(&item.timer));
		wheel_run(wheel, deadlines[i] - 1);
		CHECK_NUMBER(record.fired, 0);
		wheel_run(wheel, deadlines[i]);
		CHECK_NUMBER(record.fired, 1);
		CHECK_FALSE(wheel_is_running(&item.timer));
		wheel_run(wheel, deadlines[i] + 2 * TURN_MS);
		CHECK_NUMBER(record.fired, 1);
		wheel_destroy(wheel);
	}
}

static void timers_fire_in_the_order_of_their_ticks(void **state)
{
	(void)state;
	struct wheel *wheel = wheel_create(0);
	struct record record = { 0 };
	struct item items[4] = { { .name = 1 }, { .name = 2 }, { .name = 3 }, { .name = 4 } };
	static const uint64_t deadlines[4] = { TURN_MS + 20, 500, 20, 510 };
	for (size_t i = 0; i < 4; i++) {
		wheel_timer_init(&items[i].timer, note, &record);
		wheel_start(wheel, &items[i].timer, deadlines[i]);
	}
	wheel_run(wheel, 3 * TURN_MS); // a stall longer than a turn of the wheel
	CHECK_NUMBER(record.fired, 4);
	static const int expected[4] = { 3, 2, 4, 1 };
	assert_memory_equal(record.order, expected, sizeof(expected));
	wheel_destroy(wheel);
}

static void a_stopped_or_moved_timer_does_not_fire_at_its_old_deadline(void **state)
{
	(void)state;
	struct wheel *wheel = wheel_create(0);
	struct record record = { 0 };
	struct item item = { .name = 1 };
	wheel_timer_init(&item.timer, note, &record);
	wheel_stop(&item.timer); // harmless
	wheel_start(wheel, &item.timer, 100);
	wheel_stop(&item.timer);
	wheel_run(wheel, 200);
	CHECK_NUMBER(record.fired, 0);
	wheel_start(wheel, &item.timer, 300);
	wheel_start(wheel, &item.timer, 500);
	wheel_run(wheel, 499);
	CHECK_NUMBER(record.fired, 0);
	wheel_run(wheel, 500);
	CHECK_NUMBER(record.fired, 1);
	wheel_destroy(wheel);
}

static void restart(struct wheel_timer *timer, void *context)
{
	struct record *record = context;
	record->fired++;
	wheel_start(record->wheel, timer, 0); // long past
}

static void a_timer_restarted_in_the_past_waits_for_the_next_run(void **state)
{
	(void)state;
	struct record record = { .wheel = wheel_create(0) };
	struct item item = { .name = 1 };
	wheel_timer_init(&item.timer, restart, &record);
	wheel_start(record.wheel, &item.timer, 5);
	wheel_run(record.wheel, 5);
	CHECK_NUMBER(record.fired, 1);
	wheel_run(record.wheel, 6);
	CHECK_NUMBER(record.fired, 2);
	wheel_run(record.wheel, 3); // a clock that goes back is taken for one that stands
	CHECK_NUMBER(record.fired, 3);
	wheel_destroy(record.wheel);
	CHECK_FALSE(wheel_is_running(&item.timer));
	wheel_stop(&item.timer); // harmless without its wheel
}

struct pair {
	struct wheel_timer timer;
	struct pair *other;
	unsigned *freed;
};

static void free_both(struct wheel_timer *timer, void *context)
{
	struct pair *pair = context;
	(void)timer;
	(*pair->freed)++;
	wheel_stop(&pair->other->timer);
	free(pair->other);
	free(pair);
}

static void firing_may_free_itself_and_a_neighbour_due_at_once(void **state)
{
	(void)state;
	struct wheel *wheel = wheel_create(0);
	unsigned freed = 0;
	struct pair *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	assert_true(a && b);
	a->other = b;
	b->other = a;
	a->freed = b->freed = &freed;
	wheel_timer_init(&a->timer, free_both, a);
	wheel_timer_init(&b->timer, free_both, b);
	wheel_start(wheel, &a->timer, 50);
	wheel_start(wheel, &b->timer, 50);
	wheel_run(wheel, 60);
	CHECK_NUMBER(freed, 1);
	wheel_destroy(wheel);
}

static void without_memory_there_is_no_wheel(void **state)
{
	(void)state;
	allocation_fail_at(1);
	assert_null(wheel_create(0));
	wheel_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_timer_fires_once_at_its_deadline_and_never_before),
		TEST(timers_fire_in_the_order_of_their_ticks),
		TEST(a_stopped_or_moved_timer_does_not_fire_at_its_old_deadline),
		TEST(a_timer_restarted_in_the_past_waits_for_the_next_run),
		TEST(firing_may_free_itself_and_a_neighbour_due_at_once),
		TEST(without_memory_there_is_no_wheel),
	};
	return RUN_TESTS(tests);
}
