// Telephone events as senders send them, lose them, and as strangers forge them: what control hears.
// DTMF-002, RFC 4733 2.5

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/dtmf/digit.h"
#include "tests/unit/dataplane/fixture.h"

#define SSRC 0x11111111u
#define STREAM (MEDIA_PORT_COUNT + 4) // of the second address, so that no other's slot may answer

struct sender {
	struct fixture *fixture;
	uint32_t ssrc, timestamp;
	uint16_t sequence;
	char heard[128]; // what control was told, one after the other
	unsigned duration_ms; // of the last one
};

static struct sender begin(void)
{
	struct sender sender = { .fixture = fixture_create(), .ssrc = SSRC, .timestamp = 8000 };
	assert_non_null(sender.fixture);
	struct message message =
		fixture_message(&(struct fixture_open){ .index = STREAM,
							.out_index = STREAM + 2,
							.generation = 7,
							.source = "[2001:db8:a::10]:4000",
							.destination = "[2001:db8:b::20]:6000",
							.payload_in = 101,
							.payload_out = 96 });
	assert_true(stream_open(&sender.fixture->table, &message));
	return sender;
}

static void end(struct sender *sender)
{
	fixture_destroy(sender->fixture);
}

static void take(struct sender *sender)
{
	struct message message;
	while (stream_next_event(&sender->fixture->table, &message)) {
		stream_event_told(&sender->fixture->table);
		if (message.kind != MESSAGE_STREAM_DIGIT)
			continue;
		CHECK_NUMBER(message.stream.index, STREAM);
		CHECK_NUMBER(message.stream.generation, 7);
		CHECK_NUMBER(message.digits.count, 1);
		sender->heard[strlen(sender->heard)] = message.digits.text[0];
		sender->duration_ms = message.digits.duration_ms;
	}
}

static void send_number(struct sender *sender, unsigned number, bool is_end, uint16_t duration,
			bool has_marker)
{
	const uint8_t octets[4] = { (uint8_t)number, (uint8_t)(is_end ? 0x8a : 10),
				    (uint8_t)(duration >> 8), (uint8_t)duration };
	const struct packet packet = { .kind = PACKET_RTP,
				       .payload_type = 101,
				       .has_marker = has_marker,
				       .sequence = sender->sequence++,
				       .timestamp = sender->timestamp,
				       .ssrc = sender->ssrc,
				       .media_size = 4 };
	struct stream_table *table = &sender->fixture->table;
	listener_hear(table, &table->streams[STREAM], &packet, octets);
	take(sender);
}

// 60 ms of it, and the end three times.
static void press(struct sender *sender, unsigned number)
{
	for (uint16_t i = 1; i <= 3; i++)
		send_number(sender, number, false, (uint16_t)(i * 160), i == 1);
	for (unsigned i = 0; i < 3; i++)
		send_number(sender, number, true, 480, false);
	sender->timestamp += 1600;
	sender->fixture->table.now_ns += 200000000;
}

static void wait_ms(struct sender *sender, unsigned ms)
{
	for (unsigned i = 0; i < ms; i += 50) {
		sender->fixture->table.now_ns += 50000000;
		listener_tick(&sender->fixture->table);
		take(sender);
	}
}

static unsigned events_of(const struct sender *sender)
{
	return sender->fixture->table.views[STREAM].events;
}

static void every_key_is_told_once(void **state)
{
	struct sender sender = begin();
	(void)state;
	for (unsigned number = 0; number < 16; number++)
		press(&sender, number);
	CHECK_STRING(sender.heard, "0123456789*#ABCD");
	CHECK_NUMBER(sender.duration_ms, 60);
	CHECK_NUMBER(events_of(&sender), 16);
	CHECK_NUMBER(sender.fixture->worker_view.digits_heard, 16);
	CHECK_NUMBER(sender.fixture->worker_view.digits_ignored, 0); // copies of an end are none
	end(&sender);
}

static void the_same_key_twice_is_two(void **state)
{
	struct sender sender = begin();
	(void)state;
	press(&sender, 5);
	press(&sender, 5);
	CHECK_STRING(sender.heard, "55");
	end(&sender);
}

static void one_packet_is_enough_whichever_it_is(void **state)
{
	struct sender sender = begin();
	(void)state;
	send_number(&sender, 1, true, 800, false); // the last of three ends
	sender.timestamp += 1600;
	send_number(&sender, 2, false, 160, true); // all after the first are lost
	sender.timestamp += 1600;
	send_number(&sender, 3, false, 320, false); // and the next one tells
	CHECK_STRING(sender.heard, "12");
	wait_ms(&sender, 400);
	CHECK_STRING(sender.heard, "12");
	wait_ms(&sender, 200); // nothing more comes
	CHECK_STRING(sender.heard, "123");
	CHECK_NUMBER(sender.duration_ms, 40);
	send_number(&sender, 3, true, 800, false); // late, of the one told already
	CHECK_STRING(sender.heard, "123");
	end(&sender);
}

// However long nobody pressed a key: what was told in another second counts for nothing.
static void no_second_is_taken_for_another(void **state)
{
	struct sender sender = begin();
	(void)state;
	uint64_t second_ns = sender.fixture->table.now_ns;
	for (unsigned i = 0; i < LISTENER_DIGITS_PER_SECOND; i++) {
		press(&sender, 1);
		sender.fixture->table.now_ns = second_ns;
	}
	CHECK_NUMBER(sender.fixture->worker_view.digits_heard, LISTENER_DIGITS_PER_SECOND);
	sender.fixture->table.now_ns += 256ull * 1000000000;
	press(&sender, 2);
	CHECK_NUMBER(sender.fixture->worker_view.digits_heard, LISTENER_DIGITS_PER_SECOND + 1);
	CHECK_NUMBER(sender.fixture->worker_view.digits_dropped, 0);
	end(&sender);
}

static void a_long_one_comes_in_segments_and_is_one(void **state)
{
	struct sender sender = begin();
	(void)state;
	send_number(&sender, 9, false, 160, true);
	send_number(&sender, 9, false, 0xffff, false);
	sender.timestamp += 0xffff;
	send_number(&sender, 9, false, 8000, false);
	send_number(&sender, 9, true, 16000, false);
	send_number(&sender, 9, true, 16000, false);
	CHECK_STRING(sender.heard, "9");
	CHECK_NUMBER(sender.duration_ms, (0xffff + 16000) / 8);
	end(&sender);
}

static void what_is_no_key_or_turns_into_another_is_ignored(void **state)
{
	struct sender sender = begin();
	(void)state;
	send_number(&sender, 16, true, 160, true); // flash
	send_number(&sender, 255, true, 160, true);
	CHECK_STRING(sender.heard, "");
	CHECK_NUMBER(sender.fixture->worker_view.digits_ignored, 2);
	send_number(&sender, 4, false, 160, true);
	send_number(&sender, 7, true, 320, false); // under the timestamp of the 4
	send_number(&sender, 4, true, 480, false);
	CHECK_STRING(sender.heard, "4");
	CHECK_NUMBER(sender.fixture->worker_view.digits_ignored, 3);
	end(&sender);
}

static void what_was_before_is_not_heard_again(void **state)
{
	struct sender sender = begin();
	(void)state;
	press(&sender, 1);
	press(&sender, 2);
	sender.timestamp -= 3200;
	press(&sender, 1); // played again
	sender.timestamp -= 80;
	press(&sender, 8); // and forged, a little earlier than the last one
	CHECK_STRING(sender.heard, "12");
	sender.timestamp += 1600;
	press(&sender, 3);
	sender.timestamp -= 40 * 8000; // a new time base
	press(&sender, 4);
	sender.ssrc++;
	sender.timestamp -= 8000;
	press(&sender, 5);
	CHECK_STRING(sender.heard, "12345");
	end(&sender);
}

static void timestamps_wrap(void **state)
{
	struct sender sender = begin();
	(void)state;
	sender.timestamp = 0u - 800;
	press(&sender, 1);
	press(&sender, 2);
	CHECK_STRING(sender.heard, "12");
	end(&sender);
}

static void a_flood_is_bounded_and_counted(void **state)
{
	struct sender sender = begin();
	(void)state;
	for (unsigned i = 0; i < 500; i++) { // in no time
		sender.ssrc = i;
		send_number(&sender, 6, true, 160, true);
	}
	CHECK_NUMBER(strlen(sender.heard), LISTENER_DIGITS_PER_SECOND);
	CHECK_NUMBER(events_of(&sender), LISTENER_DIGITS_PER_SECOND);
	CHECK_NUMBER(sender.fixture->worker_view.digits_dropped, 500 - LISTENER_DIGITS_PER_SECOND);
	wait_ms(&sender, 1000);
	sender.timestamp += 1600;
	press(&sender, 1);
	CHECK_NUMBER(strlen(sender.heard), LISTENER_DIGITS_PER_SECOND + 1);
	end(&sender);
}

static void what_control_does_not_take_waits_up_to_a_bound(void **state)
{
	struct fixture *fixture = fixture_create();
	struct message message;
	unsigned told = 0;
	(void)state;
	for (unsigned i = 0; i < DTMF_REPORTS_MAX + 5; i++) {
		const struct dtmf_report report = { .stream = { i, 1 }, .key = '#' };
		CHECK_NUMBER(dtmf_report(&fixture->dtmf, &report), i < DTMF_REPORTS_MAX);
	}
	for (; stream_next_event(&fixture->table, &message); told++) {
		CHECK_NUMBER(message.stream.index, told);
		stream_event_told(&fixture->table);
	}
	CHECK_NUMBER(told, DTMF_REPORTS_MAX);
	for (unsigned i = 0; i < DTMF_REPORTS_MAX; i++) // no digit stays behind
		CHECK_NUMBER(fixture->dtmf.reports[i].key, 0);
	fixture_destroy(fixture);
}

static void a_closed_stream_has_nothing_at_hand(void **state)
{
	struct sender sender = begin();
	(void)state;
	send_number(&sender, 1, false, 160, true);
	CHECK_TRUE(fixture_close(sender.fixture, STREAM, 7));
	wait_ms(&sender, 1000);
	CHECK_STRING(sender.heard, "");
	CHECK_NUMBER(sender.fixture->dtmf.first_open, DTMF_NONE);
	end(&sender);
}

static void every_stream_has_a_slot_of_its_own(void **state)
{
	(void)state;
	CHECK_NUMBER(dtmf_slot_count(3 * MEDIA_PORT_COUNT), 3 * 5001);
	for (uint32_t address = 0; address < 3; address++)
		for (uint32_t port = 0; port < MEDIA_PORT_COUNT; port += 2) {
			uint32_t index = address * MEDIA_PORT_COUNT + port;
			assert_true(dtmf_slot_of(index) < dtmf_slot_count(3 * MEDIA_PORT_COUNT));
			CHECK_NUMBER(dtmf_stream_of(dtmf_slot_of(index)), index);
		}
}

static void a_digit_is_read_as_it_was_written(void **state)
{
	uint8_t octets[DIGIT_SIZE];
	(void)state;
	for (unsigned number = 0; number < 256; number++) {
		const uint8_t sent[DIGIT_SIZE] = { (uint8_t)number, 0x8a, 0x12, 0x34 };
		const struct digit digit = digit_read(sent);
		CHECK_NUMBER(digit.key != 0, number < 16);
		CHECK_NUMBER(digit_write(&digit, octets), number < 16);
		if (number < 16)
			assert_memory_equal(sent, octets, DIGIT_SIZE);
	}
	CHECK_NUMBER(digit_write(&(struct digit){ .key = 'E' }, octets), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_key_is_told_once),
		TEST(the_same_key_twice_is_two),
		TEST(one_packet_is_enough_whichever_it_is),
		TEST(no_second_is_taken_for_another),
		TEST(a_long_one_comes_in_segments_and_is_one),
		TEST(what_is_no_key_or_turns_into_another_is_ignored),
		TEST(what_was_before_is_not_heard_again),
		TEST(timestamps_wrap),
		TEST(a_flood_is_bounded_and_counted),
		TEST(what_control_does_not_take_waits_up_to_a_bound),
		TEST(a_closed_stream_has_nothing_at_hand),
		TEST(every_stream_has_a_slot_of_its_own),
		TEST(a_digit_is_read_as_it_was_written),
	};
	return RUN_TESTS(tests);
}
