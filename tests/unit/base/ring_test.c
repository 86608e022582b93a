// The ring between two threads: order, fullness, and no wake-up lost.

#include "tests/check.h"

#include <poll.h>
#include <pthread.h>

#include "base/ring.h"
#include "tests/fake/allocation.h"

#define MANY 100000

struct element {
	uint64_t number;
	uint32_t check;
};

static bool is_readable(const struct ring *ring, int timeout_ms)
{
	struct pollfd wait = { .fd = ring_fd(ring), .events = POLLIN };
	return poll(&wait, 1, timeout_ms) == 1;
}

static void elements_come_out_in_order_until_it_is_empty(void **state)
{
	(void)state;
	struct ring *ring = ring_create(sizeof(int), 4);
	assert_non_null(ring);
	int value = 0;
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 4; i++)
			CHECK_TRUE(ring_put(ring, &i));
		CHECK_FALSE(ring_put(ring, &value));
		for (int i = 0; i < 4; i++) {
			CHECK_TRUE(ring_take(ring, &value));
			assert_int_equal(value, i);
		}
		CHECK_FALSE(ring_take(ring, &value));
	}
	ring_destroy(ring);
}

static void its_fd_is_readable_from_the_put_to_the_quiet(void **state)
{
	(void)state;
	struct ring *ring = ring_create(sizeof(int), 4);
	int value = 1;
	CHECK_FALSE(is_readable(ring, 0));
	CHECK_TRUE(ring_put(ring, &value));
	CHECK_TRUE(ring_put(ring, &value));
	CHECK_TRUE(is_readable(ring, 0));
	ring_quiet(ring);
	CHECK_FALSE(is_readable(ring, 0));
	CHECK_TRUE(ring_take(ring, &value));
	CHECK_TRUE(ring_put(ring, &value));
	CHECK_TRUE(is_readable(ring, 0));
	ring_destroy(ring);
}

static void *produce(void *argument)
{
	struct ring *ring = argument;
	for (uint64_t i = 0; i < MANY;) {
		struct element element = { i, (uint32_t)(i * 7) };
		if (ring_put(ring, &element))
			i++;
	}
	return NULL;
}

static void two_threads_lose_nothing_and_the_sleeper_is_always_woken(void **state)
{
	(void)state;
	struct ring *ring = ring_create(sizeof(struct element), 64);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, produce, ring), 0);
	uint64_t expected = 0;
	while (expected < MANY) {
		struct element element;
		CHECK_TRUE(is_readable(ring, 10000));
		ring_quiet(ring);
		while (ring_take(ring, &element)) {
			CHECK_NUMBER(element.number, expected);
			CHECK_NUMBER(element.check, (uint32_t)(expected * 7));
			expected++;
		}
	}
	pthread_join(thread, NULL);
	ring_destroy(ring);
}

static void without_memory_there_is_no_ring(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		allocation_fail_at(i);
		assert_null(ring_create(8, 8));
		CHECK_TRUE(allocation_has_failed());
	}
	allocation_fail_at(0);
	ring_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(elements_come_out_in_order_until_it_is_empty),
		TEST(its_fd_is_readable_from_the_put_to_the_quiet),
		TEST(two_threads_lose_nothing_and_the_sleeper_is_always_woken),
		TEST(without_memory_there_is_no_ring),
	};
	return RUN_TESTS(tests);
}
