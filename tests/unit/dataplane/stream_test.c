// Streams: which messages are believed, what a change keeps, which events are told, and once each.

#include "tests/check.h"

#include <string.h>

#include "tests/unit/dataplane/fixture.h"

#define A "203.0.113.10:4000"
#define B "192.0.2.20:6000"

static int set_up(void **state)
{
	*state = fixture_create();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static void a_taken_slot_is_not_opened_by_another_generation(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	open.generation = 8;
	CHECK_FALSE(fixture_open(fixture, &open));
	CHECK_NUMBER(fixture->table.views[0].generation, 7);
	CHECK_NUMBER(fixture->table.open_count, 1);
}

static void a_closed_slot_is_not_opened_by_its_last_generation(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_TRUE(fixture_close(fixture, 0, 7));
	CHECK_FALSE(fixture_open(fixture, &open));
	open.generation = 8;
	CHECK_TRUE(fixture_open(fixture, &open));
}

static void a_late_close_closes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_FALSE(fixture_close(fixture, 0, 6));
	CHECK_FALSE(fixture_close(fixture, 2, 7));
	CHECK_FALSE(fixture_close(fixture, UINT32_MAX, 7));
	CHECK_NUMBER(fixture->table.views[0].is_open, 1);
	CHECK_TRUE(fixture_close(fixture, 0, 7));
	CHECK_FALSE(fixture_close(fixture, 0, 7));
}

static void fields_that_cannot_be_are_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct fixture_open good = { FIXTURE_OPEN };
	struct fixture_open bad[7];
	for (unsigned i = 0; i < 7; i++)
		bad[i] = good;
	bad[0].generation = 0;
	bad[1].index = fixture->table.count;
	bad[2].out_index = UINT32_MAX;
	bad[3].flags = STREAM_IS_RTCP; // on an RTP port
	bad[4].payload_in = 128;
	bad[5].destination = "[2001:db8::9]:5000"; // leaves from an IPv4 address
	bad[6].index = 1; // RTP on an RTCP port
	for (unsigned i = 0; i < 7; i++)
		if (fixture_open(fixture, &bad[i]))
			fail_msg("number %u was believed", i);
	struct message message = fixture_message(&good);
	message.open.source.family = 5;
	CHECK_FALSE(stream_open(&fixture->table, &message));
	CHECK_NUMBER(fixture->table.open_count, 0);
}

static void another_workers_ports_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	fixture->table.worker_count = 2;
	CHECK_TRUE(fixture_open(fixture, &open));
	open.index = 4;
	open.out_index = 9000;
	CHECK_FALSE(fixture_open(fixture, &open));
	open.index = 9000;
	open.out_index = 4;
	CHECK_FALSE(fixture_open(fixture, &open));
}

static void each_event_is_told_once_and_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_TRUE(fixture_is_silent(fixture));
	for (uint16_t i = 0; i < 5; i++)
		CHECK_NUMBER(fixture_rtp(fixture, 0, A, i), VERDICT_FORWARDED);
	CHECK_TRUE(fixture_tells(fixture, MESSAGE_STREAM_STARTED, 0, 7));
	CHECK_TRUE(fixture_is_silent(fixture));
	CHECK_TRUE(fixture_close(fixture, 0, 7));
	CHECK_TRUE(fixture_tells(fixture, MESSAGE_STREAM_CLOSED, 0, 7));
	CHECK_TRUE(fixture_is_silent(fixture));
}

static void a_close_that_waits_outlives_the_slots_next_stream(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_TRUE(fixture_close(fixture, 0, 7));
	open.generation = 8;
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_NUMBER(fixture_rtp(fixture, 0, A, 1), VERDICT_FORWARDED);
	CHECK_TRUE(fixture_tells(fixture, MESSAGE_STREAM_CLOSED, 0, 7));
	CHECK_TRUE(fixture_tells(fixture, MESSAGE_STREAM_STARTED, 0, 8));
	CHECK_TRUE(fixture_is_silent(fixture));
}

static void every_slot_may_have_an_event_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	unsigned told = 0;
	struct message message;
	for (unsigned round = 1; round <= 3; round++) { // the queue's start moves round
		open.generation = round;
		for (open.index = 0; open.index < MEDIA_PORT_COUNT; open.index += 2) {
			CHECK_TRUE(fixture_open(fixture, &open));
			CHECK_TRUE(fixture_close(fixture, open.index, round));
		}
		for (; stream_next_event(&fixture->table, &message); told++) {
			CHECK_NUMBER(message.stream.generation, round);
			stream_event_told(&fixture->table);
		}
	}
	CHECK_NUMBER(told, 3 * (MEDIA_PORT_COUNT + 1) / 2);
}

static void a_change_keeps_figures_and_sequence(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	for (uint16_t i = 0; i < 5; i++)
		CHECK_NUMBER(fixture_rtp(fixture, 0, A, i), VERDICT_FORWARDED);
	open.source = "203.0.113.11:4000";
	open.next_hop = 0x1b;
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_NUMBER(fixture_rtp(fixture, 0, A, 5), VERDICT_DROP_WRONG_SOURCE);
	CHECK_NUMBER(fixture_rtp(fixture, 0, open.source, 7), VERDICT_FORWARDED);
	CHECK_NUMBER(fixture->table.views[0].packets, 6);
	CHECK_NUMBER(fixture->table.views[0].expected, 8);
	CHECK_NUMBER(fixture->table.streams[0].next_hop[5], 0x1b);
}

static void times_are_those_of_the_bursts(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_NUMBER(fixture_rtp(fixture, 0, A, 0), VERDICT_FORWARDED);
	fixture->table.now_ns += 20000000;
	CHECK_NUMBER(fixture_rtp(fixture, 0, A, 1), VERDICT_FORWARDED);
	CHECK_NUMBER(fixture->table.views[0].first_ns, 1000000000);
	CHECK_NUMBER(fixture->table.views[0].last_ns, 1020000000);
	CHECK_NUMBER(fixture->table.views[0].jitter, 0); // 160 units of timestamp, 160 of time
}

static void a_hold_silences_a_stream_until_it_ends(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	open.flags = STREAM_NO_NEXT_HOP;
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_TRUE(fixture->table.streams[0].flags & STREAM_NO_NEXT_HOP);
	open.flags = 0;
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_FALSE(fixture->table.streams[0].flags & STREAM_NO_NEXT_HOP);
}

#define WITH_FIXTURE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(a_taken_slot_is_not_opened_by_another_generation),
		WITH_FIXTURE(a_closed_slot_is_not_opened_by_its_last_generation),
		WITH_FIXTURE(a_late_close_closes_nothing),
		WITH_FIXTURE(fields_that_cannot_be_are_refused),
		WITH_FIXTURE(another_workers_ports_are_refused),
		WITH_FIXTURE(each_event_is_told_once_and_in_order),
		WITH_FIXTURE(a_close_that_waits_outlives_the_slots_next_stream),
		WITH_FIXTURE(every_slot_may_have_an_event_at_once),
		WITH_FIXTURE(a_change_keeps_figures_and_sequence),
		WITH_FIXTURE(times_are_those_of_the_bursts),
		WITH_FIXTURE(a_hold_silences_a_stream_until_it_ends),
	};
	return RUN_TESTS(tests);
}
