// Digits of ours among a sender's packets: what leaves, packet by packet, and what its receiver makes of
// the numbers. DTMF-001, RFC 4733 2.5.1

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/dataplane/speaker_line.h"

// A packet of the sender's, 20 ms of sound; its time follows its number.
static void hear(struct line *line, uint16_t sequence)
{
	struct stream_table *table = &line->fixture->table;
	struct stream *stream = stream_of(line);
	uint8_t frame[172] = { 0x80, 0 };
	const struct packet packet = { .kind = PACKET_RTP,
				       .sequence = sequence,
				       .timestamp = sequence * 160u,
				       .ssrc = line->ssrc,
				       .arrived_size = 172,
				       .media_offset = 12,
				       .media_size = 160 };
	frame[2] = (uint8_t)(sequence >> 8);
	frame[3] = (uint8_t)sequence;
	stream_account(table, stream, &packet, frame);
	if (stream->figures.is_woven && !speaker_weave(table, stream, &packet, frame)) {
		line->replaced++;
		return;
	}
	struct out *out = next_out(line);
	out->sequence = (uint16_t)(frame[2] << 8 | frame[3]);
	out->timestamp = packet.timestamp;
	out->ssrc = packet.ssrc;
}

static void talk(struct line *line, uint16_t first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		hear(line, (uint16_t)(first + i));
		pass_ms(line, 20);
	}
}

static unsigned count_events(const struct line *line)
{
	unsigned count = 0;
	for (unsigned i = 0; i < line->count; i++)
		count += line->out[i].is_event;
	return count;
}

static void check_no_gap(const struct line *line)
{
	for (unsigned i = 1; i < line->count; i++)
		CHECK_NUMBER(line->out[i].sequence, (uint16_t)(line->out[i - 1].sequence + 1));
}

static void a_digit_leaves_as_the_rfc_says(void **state)
{
	static const struct out wanted[] = {
		{ .duration = 160, .has_marker = true, .ms = 1 },
		{ .duration = 320, .ms = 20 },
		{ .duration = 480, .ms = 40 },
		{ .duration = 640, .ms = 60 },
		{ .duration = 800, .is_end = true, .ms = 80 },
		{ .duration = 800, .is_end = true, .ms = 100 },
		{ .duration = 800, .is_end = true, .ms = 120 },
	};
	struct line *line = begin();
	(void)state;
	hear(line, 1000);
	CHECK_TRUE(say(line, "#", 100));
	pass_ms(line, 300);
	CHECK_NUMBER(line->count, 1 + 7);
	for (unsigned i = 0; i < 7; i++) {
		const struct out *out = &line->out[1 + i];
		CHECK_TRUE(out->is_event);
		CHECK_NUMBER(out->number, 11);
		CHECK_NUMBER(out->volume, 10);
		CHECK_NUMBER(out->ssrc, SSRC);
		CHECK_NUMBER(out->sequence, 1001 + i);
		CHECK_NUMBER(out->timestamp,
			     1000 * 160 + 8); // 1 ms behind the sender's last packet
		CHECK_NUMBER(out->duration, wanted[i].duration);
		CHECK_NUMBER(out->has_marker, wanted[i].has_marker);
		CHECK_NUMBER(out->is_end, wanted[i].is_end);
		CHECK_NUMBER(out->ms, wanted[i].ms);
	}
	CHECK_NUMBER(line->fixture->worker_view.digits_sent, 1);
	end(line);
}

static void a_length_that_is_no_step_is_kept_exactly(void **state)
{
	struct line *line = begin();
	(void)state;
	hear(line, 1);
	CHECK_TRUE(say(line, "1", 55));
	pass_ms(line, 300);
	CHECK_NUMBER(line->count, 1 + 2 + 3);
	CHECK_NUMBER(line->out[2].duration, 320);
	CHECK_NUMBER(line->out[3].duration, 440);
	CHECK_NUMBER(line->out[5].duration, 440);
	end(line);
}

static void every_digit_follows_the_gap_with_a_time_of_its_own(void **state)
{
	struct line *line = begin();
	struct message message = digits_of("0123456789*#ABCD", 60, 70);
	unsigned digits = 0;
	(void)state;
	hear(line, 7);
	CHECK_TRUE(speaker_take(&line->fixture->table, &message));
	pass_ms(line, 16 * 130 + 100);
	CHECK_NUMBER(count_events(line), 16 * 5);
	check_no_gap(line);
	for (unsigned i = 1; i < line->count; i++) {
		const struct out *out = &line->out[i];
		digits += out->has_marker;
		CHECK_NUMBER(out->number, digits - 1);
		CHECK_NUMBER(out->timestamp, 7 * 160 + 8 + (digits - 1) * 130 * 8);
	}
	CHECK_NUMBER(digits, 16);
	end(line);
}

// Two of the three ends are what the numbers move on by.
static void speech_is_replaced_while_an_event_lasts_and_goes_on_behind_it(void **state)
{
	struct line *line = begin();
	(void)state;
	talk(line, 65500, 10);
	CHECK_TRUE(say(line, "5", 100));
	talk(line, 65510, 100);
	CHECK_NUMBER(count_events(line), 7);
	CHECK_NUMBER(line->replaced, 5);
	CHECK_NUMBER(line->count, 110 + 2);
	check_no_gap(line); // over the wrap, too
	CHECK_NUMBER(line->out[line->count - 1].sequence, (uint16_t)(65500 + 109 + 2));
	end(line);
}

static void without_speech_the_numbers_move_on(void **state)
{
	struct line *line = begin();
	(void)state;
	talk(line, 100, 5);
	CHECK_TRUE(say(line, "12", 60));
	pass_ms(line, 500);
	talk(line, 105, 5);
	CHECK_TRUE(say(line, "3", 60)); // once more, on top of it
	pass_ms(line, 500);
	talk(line, 110, 2000);
	CHECK_NUMBER(line->replaced, 0);
	check_no_gap(line);
	CHECK_NUMBER(line->out[line->count - 1].sequence, 2109 + 15);
	CHECK_TRUE(speaker_of(line)->is_settled);
	CHECK_TRUE(stream_of(line)->figures.is_woven); // for as long as that sender speaks
	end(line);
}

static void when_the_numbers_are_one_again_nothing_is_woven(void **state)
{
	struct line *line = begin();
	(void)state;
	talk(line, 100, 5);
	CHECK_TRUE(say(line, "5", 100));
	pass_ms(line, 1);
	for (uint16_t i = 0; i < 7; i++) { // as many as ours
		hear(line, 105 + i);
		pass_ms(line, 17);
	}
	talk(line, 112, 500);
	CHECK_TRUE(stream_of(line)->figures.is_woven);
	talk(line, 612, 600);
	CHECK_FALSE(stream_of(line)->figures.is_woven);
	check_no_gap(line);
	end(line);
}

static void late_packets_keep_their_numbers_and_never_take_another_ones(void **state)
{
	struct line *line = begin();
	(void)state;
	talk(line, 100, 5); // up to 104
	hear(line, 107);
	CHECK_TRUE(say(line, "1", 60));
	pass_ms(line, 10);
	hear(line, 105); // late, while the event lasts
	CHECK_NUMBER(line->out[line->count - 1].sequence, 105);
	hear(line, 108); // replaced
	pass_ms(line, 300);
	hear(line, 109); // behind five of ours in the place of one
	CHECK_NUMBER(line->out[line->count - 1].sequence, 113);
	hear(line, 106); // late, after it
	CHECK_NUMBER(line->out[line->count - 1].sequence, 106);
	hear(line, 108); // a copy of what was replaced
	CHECK_NUMBER(line->replaced, 2);
	CHECK_TRUE(say(line, "2", 60));
	pass_ms(line, 300);
	hear(line, 103); // before the event before the last one: its number may be taken
	CHECK_NUMBER(line->replaced, 3);
	hear(line, 110);
	CHECK_NUMBER(line->out[line->count - 1].sequence, 119);
	end(line);
}

static void a_sender_that_restarts_is_heard_at_once(void **state)
{
	struct line *line = begin();
	(void)state;
	talk(line, 30000, 5);
	CHECK_TRUE(say(line, "1", 60));
	pass_ms(line, 300);
	unsigned count = line->count;
	talk(line, 10, 50); // the same SSRC, its numbers far behind
	CHECK_NUMBER(line->count, count + 50);
	CHECK_NUMBER(line->out[count].sequence, 10 + 5);
	CHECK_NUMBER(line->replaced, 0);
	end(line);
}

static void another_ssrc_begins_afresh(void **state)
{
	struct line *line = begin();
	(void)state;
	talk(line, 100, 5);
	CHECK_TRUE(say(line, "1", 100));
	pass_ms(line, 30);
	line->ssrc = 0x22222222;
	talk(line, 5000, 3); // while ours goes on under the first one
	CHECK_NUMBER(line->replaced, 3);
	pass_ms(line, 300);
	for (unsigned i = 5; i < line->count; i++)
		CHECK_NUMBER(line->out[i].ssrc, SSRC);
	talk(line, 5003, 3);
	CHECK_NUMBER(line->out[line->count - 1].sequence, 5005);
	CHECK_TRUE(say(line, "2", 60));
	pass_ms(line, 300);
	CHECK_NUMBER(line->out[line->count - 1].ssrc, 0x22222222);
	CHECK_NUMBER(line->out[line->count - 1].sequence, 5010);
	end(line);
}

static void a_stream_that_nobody_spoke_on_has_an_ssrc_of_ours(void **state)
{
	struct line *line = begin();
	(void)state;
	CHECK_TRUE(say(line, "12", 60));
	pass_ms(line, 500);
	CHECK_NUMBER(line->count, 10);
	check_no_gap(line);
	CHECK_TRUE(line->out[0].ssrc != 0);
	CHECK_NUMBER(line->out[9].ssrc, line->out[0].ssrc);
	CHECK_NUMBER(line->out[9].timestamp - line->out[0].timestamp, 100 * 8);
	talk(line, 300, 5);
	CHECK_NUMBER(line->out[14].sequence, 304);
	CHECK_NUMBER(line->replaced, 0);
	end(line);
}

static unsigned draw(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

// Loss, copies and late packets at random: no number is used twice, and each follows its sender's order.
static void numbers_stay_unique_and_in_order_whatever_the_network_does(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct line *line = begin();
		uint16_t next = (uint16_t)(seed * 331);
		bool is_used[65536] = { false };
		uint32_t dice_state = seed;
		for (unsigned i = 0; i < 600; i++, next++) {
			unsigned dice = draw(&dice_state) % 100;
			if (dice < 90)
				hear(line, next);
			if (dice > 95 && i > 10)
				hear(line, (uint16_t)(next - 1 - draw(&dice_state) % 8));
			if (dice % 30 == 7)
				(void)say(line, "159", (uint16_t)(40 + 20 * (dice % 5)));
			pass_ms(line, 20);
		}
		for (unsigned i = 0; i < line->count; i++) {
			const struct out *out = &line->out[i];
			bool is_first = !is_used[out->sequence];
			is_used[out->sequence] = true;
			if (out->is_event)
				assert_true(is_first); // no sender's packet has its number
			for (unsigned j = i + 1; out->is_event && j < line->count; j++)
				assert_true(line->out[j].sequence != out->sequence);
		}
		end(line);
	}
}

static void more_digits_wait_behind_the_first_ones_up_to_a_bound(void **state)
{
	struct line *line = begin();
	(void)state;
	hear(line, 1);
	CHECK_TRUE(say(line, "1234567890123456", 40));
	CHECK_TRUE(say(line, "1234567890123456", 60));
	CHECK_FALSE(say(line, "1", 40));
	pass_ms(line, 100);
	CHECK_TRUE(say(line, "1", 40));
	pass_ms(line, 4000);
	CHECK_NUMBER(line->fixture->worker_view.digits_sent, 33);
	for (unsigned i = 0; i < MESSAGE_DIGITS_MAX; i++) // none stays behind
		CHECK_NUMBER(speaker_of(line)->digits[i], 0);
	CHECK_NUMBER(line->fixture->dtmf.first_speaking, DTMF_NONE);
	CHECK_FALSE(speaker_is_due(&line->fixture->table));
	end(line);
}

static void what_cannot_be_is_refused(void **state)
{
	struct line *line = begin();
	struct stream_table *table = &line->fixture->table;
	(void)state;
	struct message message = digits_of("1", 100, 40);
	CHECK_FALSE(say(line, "", 100));
	CHECK_FALSE(say(line, "1E", 100));
	CHECK_FALSE(say(line, "1", 39));
	CHECK_FALSE(say(line, "1", 8001));
	message.digits.gap_ms = 39;
	CHECK_FALSE(speaker_take(table, &message));
	message = digits_of("1", 100, 40);
	message.digits.count = MESSAGE_DIGITS_MAX + 1;
	CHECK_FALSE(speaker_take(table, &message));
	message = digits_of("1", 100, 40);
	message.stream.generation = 6;
	CHECK_FALSE(speaker_take(table, &message));
	message.stream = (struct stream_id){ 1, 7 }; // RTCP's port, not open
	CHECK_FALSE(speaker_take(table, &message));
	message.stream = (struct stream_id){ UINT32_MAX, 7 };
	CHECK_FALSE(speaker_take(table, &message));
	CHECK_TRUE(open_with(line, 4, 7, 255));
	message.stream = (struct stream_id){ 4, 7 };
	CHECK_FALSE(speaker_take(table, &message)); // takes no events
	end(line);
}

static void a_stream_that_is_closed_or_changed_says_no_more(void **state)
{
	struct line *line = begin();
	(void)state;
	talk(line, 100, 2);
	CHECK_TRUE(say(line, "123", 100));
	pass_ms(line, 30);
	CHECK_TRUE(open_with(line, 0, 7, 255));
	pass_ms(line, 300);
	CHECK_NUMBER(count_events(line), 2);
	talk(line, 102, 5);
	check_no_gap(line);
	CHECK_TRUE(fixture_close(line->fixture, 0, 7));
	CHECK_TRUE(open_with(line, 0, 8, 96));
	unsigned count = line->count;
	talk(line, 107, 5);
	CHECK_NUMBER(line->out[count].sequence, 107);
	CHECK_NUMBER(count_events(line), 2);
	end(line);
}

static void without_room_a_packet_waits_and_none_is_lost(void **state)
{
	struct line *line = begin();
	(void)state;
	hear(line, 1);
	CHECK_TRUE(say(line, "1", 100));
	pass_ms(line, 30);
	line->has_no_room = true;
	pass_ms(line, 200);
	CHECK_NUMBER(line->count, 3);
	line->has_no_room = false;
	pass_ms(line, 300);
	CHECK_NUMBER(count_events(line), 7);
	check_no_gap(line);
	CHECK_TRUE(line->out[4].ms - line->out[3].ms >= 10); // and they do not leave all at once
	end(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_digit_leaves_as_the_rfc_says),
		TEST(a_length_that_is_no_step_is_kept_exactly),
		TEST(every_digit_follows_the_gap_with_a_time_of_its_own),
		TEST(speech_is_replaced_while_an_event_lasts_and_goes_on_behind_it),
		TEST(without_speech_the_numbers_move_on),
		TEST(when_the_numbers_are_one_again_nothing_is_woven),
		TEST(late_packets_keep_their_numbers_and_never_take_another_ones),
		TEST(a_sender_that_restarts_is_heard_at_once),
		TEST(another_ssrc_begins_afresh),
		TEST(a_stream_that_nobody_spoke_on_has_an_ssrc_of_ours),
		TEST(numbers_stay_unique_and_in_order_whatever_the_network_does),
		TEST(more_digits_wait_behind_the_first_ones_up_to_a_bound),
		TEST(what_cannot_be_is_refused),
		TEST(a_stream_that_is_closed_or_changed_says_no_more),
		TEST(without_room_a_packet_waits_and_none_is_lost),
	};
	return RUN_TESTS(tests);
}
