// A counter read by one thread while another adds.

#include "tests/check.h"

#include <pthread.h>

#include "base/counter.h"

#define ADDITIONS 200000

static void *add_many(void *argument)
{
	struct counter *counter = argument;
	for (int i = 0; i < ADDITIONS; i++)
		counter_add(counter, 2);
	return NULL;
}

static void a_reader_sees_it_only_grow_and_nothing_is_lost(void **state)
{
	(void)state;
	struct counter counter = { 0 };
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, add_many, &counter), 0);
	uint64_t last = 0;
	while (last < ADDITIONS) {
		uint64_t now = counter_get(&counter);
		assert_true(now >= last && now % 2 == 0);
		last = now;
	}
	pthread_join(thread, NULL);
	CHECK_NUMBER(counter_get(&counter), 2 * ADDITIONS);
	counter_set(&counter, 5);
	CHECK_NUMBER(counter_get(&counter), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(a_reader_sees_it_only_grow_and_nothing_is_lost) };
	return RUN_TESTS(tests);
}
