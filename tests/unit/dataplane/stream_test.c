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

static void keys_are_taken_for_the_open_stream_and_for_the_next_one(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	struct message key = { .kind = MESSAGE_STREAM_KEY, .stream = { 0, 7 } };
	CHECK_TRUE(stream_takes_key(&fixture->table, &key)); // before its open
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_TRUE(stream_takes_key(&fixture->table, &key));
	key.stream.generation = 8;
	CHECK_FALSE(stream_takes_key(&fixture->table, &key)); // the slot is taken
	CHECK_TRUE(fixture_close(fixture, 0, 7));
	CHECK_TRUE(stream_takes_key(&fixture->table, &key));
	key.stream.generation = 7;
	CHECK_FALSE(stream_takes_key(&fixture->table, &key)); // that one is over
	key.stream.generation = 0;
	CHECK_FALSE(stream_takes_key(&fixture->table, &key));
	key.stream = (struct stream_id){ UINT32_MAX, 7 };
	CHECK_FALSE(stream_takes_key(&fixture->table, &key));
	key.stream = (struct stream_id){ 9000, 7 };
	fixture->table.worker_count = 2;
	CHECK_FALSE(stream_takes_key(&fixture->table, &key)); // another worker's
}

static void muxed_rtcp_leaves_from_the_rtp_port(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	open.index = 1;
	open.out_index = 3;
	open.flags = STREAM_IS_RTCP | STREAM_MUXED;
	CHECK_TRUE(fixture_open(fixture, &open));
	CHECK_NUMBER(fixture->table.streams[1].out_port, MEDIA_PORT_FIRST + 2);
	CHECK_NUMBER(fixture->table.views[1].out_index, 3);
	open.out_index = 2; // no RTCP port: nothing is below it
	CHECK_FALSE(fixture_open(fixture, &open));
	open.index = 0;
	open.out_index = 3;
	open.flags = STREAM_MUXED; // RTP is not muxed into anything
	CHECK_FALSE(fixture_open(fixture, &open));
}

static void a_refused_source_is_told_at_once_and_then_once_a_second(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	for (uint16_t i = 0; i < 5; i++)
		CHECK_NUMBER(fixture_rtp(fixture, 0, B, i), VERDICT_DROP_WRONG_SOURCE);
	CHECK_TRUE(fixture_names(fixture, MESSAGE_STREAM_REFUSED, B));
	CHECK_TRUE(fixture_is_silent(fixture));
	fixture->table.now_ns += 1000000000;
	for (uint16_t i = 0; i < 5; i++)
		CHECK_NUMBER(fixture_rtp(fixture, 0, "192.0.2.20:6001", i),
			     VERDICT_DROP_WRONG_SOURCE);
	CHECK_TRUE(fixture_names(fixture, MESSAGE_STREAM_REFUSED, "192.0.2.20:6001"));
	CHECK_TRUE(fixture_is_silent(fixture));
	CHECK_NUMBER(fixture->table.views[0].drops[STREAM_DROP_SOURCE], 10);
}

static void the_first_second_since_the_machine_started_is_one_too(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	CHECK_TRUE(fixture_open(fixture, &open));
	fixture->table.now_ns = 65536ull * 1000000000; // its low half is 0
	for (uint16_t i = 0; i < 3; i++)
		CHECK_NUMBER(fixture_rtp(fixture, 0, B, i), VERDICT_DROP_WRONG_SOURCE);
	CHECK_TRUE(fixture_names(fixture, MESSAGE_STREAM_REFUSED, B));
	CHECK_TRUE(fixture_is_silent(fixture));
}

static void a_forger_hides_no_stranger(void **state)
{
	struct fixture *fixture = *state;
	struct address forger, stranger;
	assert_true(address_parse(text_of("203.0.113.10:4000"), &forger));
	assert_true(address_parse(text_of("192.0.2.66:9000"), &stranger));
	struct stream *stream = &fixture->table.streams[0];
	fixture_open(fixture, &(struct fixture_open){ FIXTURE_OPEN });
	for (unsigned i = 0; i < 2; i++) { // of one second: the first of each kind is told
		stream_tell_refusal(&fixture->table, stream, MESSAGE_STREAM_UNAUTHENTIC, &forger);
		stream_tell_refusal(&fixture->table, stream, MESSAGE_STREAM_REFUSED, &stranger);
	}
	assert_true(fixture_names(fixture, MESSAGE_STREAM_UNAUTHENTIC, "203.0.113.10:4000"));
	assert_true(fixture_names(fixture, MESSAGE_STREAM_REFUSED, "192.0.2.66:9000"));
	assert_true(fixture_is_silent(fixture));
}

static void more_refusals_than_can_wait_are_counted_and_not_told(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	struct message message;
	unsigned told = 0;
	for (open.index = 0; open.index < 400; open.index += 2) {
		CHECK_TRUE(fixture_open(fixture, &open));
		CHECK_NUMBER(fixture_rtp(fixture, open.index, B, 1), VERDICT_DROP_WRONG_SOURCE);
	}
	for (; stream_next_event(&fixture->table, &message); told++) {
		CHECK_NUMBER(message.kind, MESSAGE_STREAM_REFUSED);
		CHECK_NUMBER(message.stream.index, told * 2);
		stream_event_told(&fixture->table);
	}
	CHECK_NUMBER(told, STREAM_REFUSALS_MAX);
	CHECK_NUMBER(fixture->table.views[398].drops[STREAM_DROP_SOURCE], 1);
	CHECK_NUMBER(fixture_rtp(fixture, 398, B, 2), VERDICT_DROP_WRONG_SOURCE);
	CHECK_TRUE(fixture_tells(fixture, MESSAGE_STREAM_REFUSED, 398, 7)); // room again
}

static void what_leaves_and_arrives_under_srtp_is_noted(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN, .flags = STREAM_SECURE_ARRIVES };
	CHECK_TRUE(fixture_open(fixture, &open));
	const struct stream *stream = &fixture->table.streams[0];
	const struct stream_view *view = &fixture->table.views[0];
	CHECK_NUMBER(fixture_sealed(fixture, 0, A, 65535), VERDICT_FORWARDED);
	stream_note_index(&fixture->table, stream, KEY_ARRIVES, 4, 65535);
	CHECK_NUMBER(fixture_sealed(fixture, 0, A, 1), VERDICT_FORWARDED);
	stream_note_index(&fixture->table, stream, KEY_ARRIVES, 5, 1);
	CHECK_NUMBER(fixture_sealed(fixture, 0, A, 65534), VERDICT_FORWARDED);
	stream_note_index(&fixture->table, stream, KEY_ARRIVES, 4, 65534); // late
	CHECK_NUMBER(view->arrives_rollover, 5);
	CHECK_NUMBER(view->sequence, 1);
	stream_note_index(&fixture->table, stream, KEY_LEAVES, 1, 3);
	stream_note_index(&fixture->table, stream, KEY_LEAVES, 0, 65535); // late
	CHECK_NUMBER(view->leaves_rollover, 1);
	CHECK_NUMBER(view->leaves_sequence, 3);
	stream_note_index(&fixture->table, stream, KEY_LEAVES, 0, 4); // a new key: from 0 again
	CHECK_NUMBER(view->leaves_rollover, 0);
	CHECK_NUMBER(view->leaves_sequence, 4);
}

static void the_indexes_of_srtcp_are_noted_beside(void **state)
{
	struct fixture *fixture = *state;
	struct fixture_open open = { FIXTURE_OPEN };
	open.index = 1;
	open.flags = STREAM_IS_RTCP | STREAM_SECURE_ARRIVES | STREAM_SECURE_LEAVES;
	CHECK_TRUE(fixture_open(fixture, &open));
	stream_note_index(&fixture->table, &fixture->table.streams[1], KEY_ARRIVES, 70000, 0);
	stream_note_index(&fixture->table, &fixture->table.streams[1], KEY_LEAVES, 9, 0);
	CHECK_NUMBER(fixture->table.views[1].arrives_index, 70000);
	CHECK_NUMBER(fixture->table.views[1].leaves_index, 9);
}

static void a_plain_call_takes_a_kilobyte(void **state)
{
	(void)state;
	CHECK_NUMBER(4 * (sizeof(struct stream) + sizeof(struct stream_view)), 1024);
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
		WITH_FIXTURE(keys_are_taken_for_the_open_stream_and_for_the_next_one),
		WITH_FIXTURE(muxed_rtcp_leaves_from_the_rtp_port),
		WITH_FIXTURE(a_refused_source_is_told_at_once_and_then_once_a_second),
		WITH_FIXTURE(the_first_second_since_the_machine_started_is_one_too),
		WITH_FIXTURE(a_forger_hides_no_stranger),
		WITH_FIXTURE(more_refusals_than_can_wait_are_counted_and_not_told),
		WITH_FIXTURE(what_leaves_and_arrives_under_srtp_is_noted),
		WITH_FIXTURE(the_indexes_of_srtcp_are_noted_beside),
		TEST(a_plain_call_takes_a_kilobyte),
	};
	return RUN_TESTS(tests);
}
