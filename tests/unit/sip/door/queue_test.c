// The queue behind the door: order, bounds, and when its descriptor is readable.

#include "tests/check.h"

#include <poll.h>
#include <stdio.h>

#include "sip/door/queue.h"

static bool put(struct sip_door_queue *queue, unsigned n)
{
	char room[32];
	struct text octets = { room, (size_t)snprintf(room, sizeof(room), "message %u", n) };
	return sip_door_queue_put(queue,
				  &(struct sip_door_datagram){ .octets = octets, .queued_us = n });
}

static bool is_readable(const struct sip_door_queue *queue)
{
	struct pollfd polled = { .fd = sip_door_queue_fd(queue), .events = POLLIN };
	return poll(&polled, 1, 0) == 1;
}

static void expect(struct sip_door_queue *queue, unsigned n)
{
	char room[32];
	struct sip_door_datagram datagram;
	int size = snprintf(room, sizeof(room), "message %u", n);
	assert_true(sip_door_queue_take(queue, &datagram));
	CHECK_NUMBER(datagram.queued_us, n);
	CHECK_TRUE(text_is_equal(datagram.octets, (struct text){ room, (size_t)size }));
}

static void what_is_put_is_taken_in_order_and_whole(void **state)
{
	(void)state;
	struct sip_door_queue *queue = sip_door_queue_create();
	assert_non_null(queue);
	for (unsigned n = 0; n < 5 * SIP_GUARD_WAITING_MAX; n += 3) {
		CHECK_TRUE(put(queue, n) && put(queue, n + 1) && put(queue, n + 2));
		for (unsigned i = 0; i < 3; i++)
			expect(queue, n + i);
	}
	CHECK_NUMBER(sip_door_queue_length(queue), 0);
	sip_door_queue_destroy(queue);
}

// The one that was taken last is still in use.
static void a_full_queue_takes_no_more_and_spoils_nothing(void **state)
{
	(void)state;
	struct sip_door_queue *queue = sip_door_queue_create();
	struct sip_door_datagram held;
	assert_non_null(queue);
	CHECK_TRUE(put(queue, 0));
	assert_true(sip_door_queue_take(queue, &held));
	for (unsigned n = 1; n <= SIP_GUARD_WAITING_MAX; n++)
		CHECK_TRUE(put(queue, n));
	CHECK_TRUE(!put(queue, 7777));
	CHECK_NUMBER(sip_door_queue_length(queue), SIP_GUARD_WAITING_MAX);
	CHECK_TRUE(text_is_equal(held.octets, TEXT("message 0")));
	for (unsigned n = 1; n <= SIP_GUARD_WAITING_MAX; n++)
		expect(queue, n);
	CHECK_TRUE(!sip_door_queue_take(queue, &held));
	sip_door_queue_destroy(queue);
}

static void what_is_too_large_has_no_room(void **state)
{
	(void)state;
	static char octets[SIP_DOOR_ROOM + 1];
	struct sip_door_queue *queue = sip_door_queue_create();
	assert_non_null(queue);
	struct sip_door_datagram datagram = { .octets = { octets, SIP_DOOR_ROOM + 1 } };
	CHECK_TRUE(!sip_door_queue_put(queue, &datagram));
	datagram.octets.size--;
	CHECK_TRUE(sip_door_queue_put(queue, &datagram));
	sip_door_queue_destroy(queue);
}

static void who_sleeps_is_woken(void **state)
{
	(void)state;
	struct sip_door_queue *queue = sip_door_queue_create();
	assert_non_null(queue);
	CHECK_TRUE(!is_readable(queue));
	CHECK_TRUE(put(queue, 1) && put(queue, 2));
	CHECK_TRUE(is_readable(queue));
	expect(queue, 1);
	CHECK_TRUE(is_readable(queue));
	sip_door_queue_quiet(queue); // came between the last look and this
	CHECK_TRUE(is_readable(queue));
	expect(queue, 2);
	sip_door_queue_quiet(queue);
	CHECK_TRUE(!is_readable(queue));
	CHECK_TRUE(put(queue, 3));
	CHECK_TRUE(is_readable(queue));
	sip_door_queue_destroy(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_put_is_taken_in_order_and_whole),
		TEST(a_full_queue_takes_no_more_and_spoils_nothing),
		TEST(what_is_too_large_has_no_room),
		TEST(who_sleeps_is_woken),
	};
	return RUN_TESTS(tests);
}
