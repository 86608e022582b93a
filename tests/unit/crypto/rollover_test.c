// Indexes, windows and sources as pure functions: RFC 3711 3.3.1, 3.3.2, against plain models.

#include <stdlib.h>
#include <string.h>

#include "dataplane/crypto/rollover.h"
#include "tests/check.h"

#define SEEN 65536 // indexes of the model behind the highest

static uint64_t dice = 0x9e3779b97f4a7c15ull;

static uint32_t roll(uint32_t sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (uint32_t)(dice >> 32) % sides;
}

static struct crypto_rollover at(uint64_t index)
{
	struct crypto_rollover state = { 0 };
	crypto_rollover_commit(&state, index);
	return state;
}

static void a_stream_begins_at_any_number(void **unused)
{
	(void)unused;
	struct crypto_rollover state = { 0 };
	CHECK_NUMBER(crypto_rollover_guess(&state, 0), 0);
	CHECK_NUMBER(crypto_rollover_guess(&state, 65535), 65535);
	CHECK_TRUE(crypto_rollover_is_new(&state, 65535));
	crypto_rollover_commit(&state, 65535);
	CHECK_NUMBER(crypto_rollover_guess(&state, 0), 65536);
}

static void the_index_is_guessed_as_the_rfc_says(void **unused)
{
	(void)unused;
	static const struct {
		uint64_t highest;
		uint16_t sequence;
		uint64_t index;
	} rows[] = {
		{ 0x1fffe, 0xffff, 0x1ffff }, // the next one
		{ 0x1ffff, 0x0000, 0x20000 }, // over the wrap
		{ 0x1fff0, 0x0300, 0x20300 }, // with loss
		{ 0x20003, 0xfffe, 0x1fffe }, // late, from before it
		{ 0x20003, 0x8003, 0x28003 }, // as far ahead as can be
		{ 0x20003, 0x8004, 0x18004 }, // further is behind
		{ 0x28000, 0x0000, 0x20000 }, // s_l at the middle: behind
		{ 0x28001, 0x0000, 0x30000 }, // one more: ahead
		{ 0x00005, 0xfff0, 0x0fff0 }, // ROC would be -1
		{ 0x08000, 0xffff, 0x0ffff }, { 0xffff8000ffffull, 0x0000, 0xffff80010000ull },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct crypto_rollover state = at(rows[i].highest);
		CHECK_NUMBER(crypto_rollover_guess(&state, rows[i].sequence), rows[i].index);
	}
}

static void loss_and_reordering_across_wraps_keep_the_index(void **unused)
{
	(void)unused;
	struct crypto_rollover state = { 0 };
	uint64_t sent = 40000, wraps = 0;
	crypto_rollover_commit(&state, sent);
	for (unsigned i = 0; i < 1000000; i++) {
		uint64_t before = sent;
		sent += 1 + (roll(20) ? 0 : roll(32000));
		wraps += before >> 16 != sent >> 16;
		uint64_t late = sent - (sent > 40000 + 127 ? roll(127) : 0);
		CHECK_NUMBER(crypto_rollover_guess(&state, (uint16_t)sent), sent);
		crypto_rollover_commit(&state, sent);
		CHECK_NUMBER(crypto_rollover_guess(&state, (uint16_t)late), late);
	}
	CHECK_TRUE(wraps > 1000);
}

// The model remembers every index of the last 65,536.
static void the_window_knows_what_was_there(void **unused)
{
	(void)unused;
	uint64_t *model = calloc(SEEN, sizeof(*model)); // index + 1
	struct crypto_rollover state = { 0 };
	uint64_t highest = 70000;
	assert_non_null(model);
	crypto_rollover_commit(&state, highest);
	model[highest % SEEN] = highest + 1;
	for (unsigned i = 0; i < 1000000; i++) {
		uint64_t index = roll(3) ? highest + roll(5) : highest - roll(300);
		if (roll(1000) == 0)
			index = highest + roll(1000);
		bool is_old = index + CRYPTO_REPLAY_WINDOW <= highest;
		bool was_there = model[index % SEEN] == index + 1;
		assert_int_equal(crypto_rollover_is_new(&state, index), !is_old && !was_there);
		if (is_old || was_there || roll(4) == 0)
			continue;
		crypto_rollover_commit(&state, index);
		model[index % SEEN] = index + 1;
		highest = index > highest ? index : highest;
		CHECK_NUMBER(crypto_rollover_highest(&state), highest);
	}
	free(model);
}

static void the_window_has_its_edge_where_it_says(void **unused)
{
	(void)unused;
	struct crypto_rollover state = at(1000);
	CHECK_FALSE(crypto_rollover_is_new(&state, 1000));
	CHECK_TRUE(crypto_rollover_is_new(&state, 1000 - 127));
	CHECK_FALSE(crypto_rollover_is_new(&state, 1000 - 128));
	for (unsigned by = 1; by < 140; by++) {
		struct crypto_rollover moved = at(1000);
		crypto_rollover_commit(&moved, 1000 + by);
		CHECK_FALSE(crypto_rollover_is_new(&moved, 1000));
		CHECK_FALSE(crypto_rollover_is_new(&moved, 1000 + by));
		CHECK_TRUE(crypto_rollover_is_new(&moved, 1000 + by - 1) == (by > 1));
	}
}

static void no_index_comes_after_the_last(void **unused)
{
	(void)unused;
	struct crypto_rollover state = at(CRYPTO_INDEX_MAX);
	uint64_t index = 0;
	CHECK_FALSE(crypto_rollover_is_new(&state, crypto_rollover_guess(&state, 0)));
	CHECK_FALSE(crypto_rollover_leave(&state, 0, &index));
	CHECK_FALSE(crypto_rollover_leave(&state, 40000, &index));
	CHECK_FALSE(crypto_rollover_leave(&state, 40001, &index));
}

static void three_sources_are_remembered_the_oldest_goes(void **unused)
{
	(void)unused;
	struct crypto_rollover states[CRYPTO_SOURCES] = { 0 }, forgotten;
	for (uint32_t ssrc = 1; ssrc <= 3; ssrc++) {
		crypto_rollover_commit(crypto_rollover_use(states, ssrc, &forgotten), ssrc * 100);
		CHECK_FALSE(forgotten.is_used);
	}
	CHECK_TRUE(crypto_rollover_use(states, 1, &forgotten) == &states[0]);
	CHECK_FALSE(forgotten.is_used);
	crypto_rollover_commit(crypto_rollover_use(states, 4, &forgotten), 400);
	CHECK_TRUE(forgotten.is_used);
	CHECK_NUMBER(forgotten.ssrc, 2);
	assert_null(crypto_rollover_find(states, 2));
	CHECK_NUMBER(crypto_rollover_highest(crypto_rollover_find(states, 1)), 100);
	CHECK_NUMBER(crypto_rollover_highest(crypto_rollover_find(states, 3)), 300);
	CHECK_NUMBER(crypto_rollover_highest(crypto_rollover_find(states, 4)), 400);
}

static void flipping_between_sources_replays_nothing(void **unused)
{
	(void)unused;
	struct crypto_rollover states[CRYPTO_SOURCES] = { 0 };
	for (unsigned i = 0; i < 3000; i++) {
		struct crypto_rollover *state = crypto_rollover_use(states, i % 3, NULL);
		CHECK_TRUE(crypto_rollover_is_new(state, i));
		crypto_rollover_commit(state, i);
		if (i >= 3)
			CHECK_FALSE(
				crypto_rollover_is_new(crypto_rollover_find(states, i % 3), i - 3));
	}
}

static void a_repeated_packet_does_not_leave_twice(void **unused)
{
	(void)unused;
	struct crypto_rollover state = { 0 };
	uint64_t index;
	CHECK_TRUE(crypto_rollover_leave(&state, 500, &index));
	CHECK_FALSE(crypto_rollover_leave(&state, 500, &index));
	CHECK_TRUE(crypto_rollover_leave(&state, 502, &index));
	CHECK_TRUE(crypto_rollover_leave(&state, 501, &index));
	CHECK_NUMBER(index, 501);
	CHECK_FALSE(crypto_rollover_leave(&state, 501, &index));
	CHECK_NUMBER(state.offset, 0);
}

static void a_sender_that_begins_anew_is_heard_from_its_second_packet(void **unused)
{
	(void)unused;
	struct crypto_rollover state = at(0x2f000);
	uint64_t index;
	CHECK_FALSE(crypto_rollover_leave(&state, 0xa000, &index));
	CHECK_TRUE(crypto_rollover_leave(&state, 0xa001, &index));
	CHECK_NUMBER(index, 0x2f001);
	CHECK_TRUE(crypto_rollover_leave(&state, 0xa003, &index));
	CHECK_NUMBER(index, 0x2f003);
	CHECK_TRUE(crypto_rollover_leave(&state, 0xa002, &index));
	CHECK_NUMBER(index, 0x2f002);
	CHECK_FALSE(crypto_rollover_leave(&state, 0xa002, &index));
}

static void one_stray_packet_is_no_new_beginning(void **unused)
{
	(void)unused;
	struct crypto_rollover state = at(0x1f000);
	uint64_t index;
	CHECK_FALSE(crypto_rollover_leave(&state, 0xe000, &index));
	CHECK_TRUE(crypto_rollover_leave(&state, 0xf001, &index));
	CHECK_FALSE(crypto_rollover_leave(&state, 0xe001, &index));
	CHECK_TRUE(crypto_rollover_leave(&state, 0xf002, &index));
	CHECK_NUMBER(index, 0x1f002);
}

static void what_lies_before_the_beginning_does_not_leave(void **unused)
{
	(void)unused;
	struct crypto_rollover state = at(3);
	uint64_t index;
	CHECK_FALSE(crypto_rollover_leave(&state, 0xfffe, &index));
	CHECK_TRUE(crypto_rollover_leave(&state, 4, &index));
	CHECK_NUMBER(index, 4);
}

// Whatever a sender does, no index leaves twice (RFC 3711 9.1: the two-time pad).
static void no_index_ever_leaves_twice(void **unused)
{
	(void)unused;
	const size_t size = 1u << 26;
	uint8_t *used = calloc(size / 8, 1);
	struct crypto_rollover state = { 0 };
	uint16_t sequence = 60000;
	unsigned left = 0, restarts = 0;
	assert_non_null(used);
	for (unsigned i = 0; i < 2000000; i++) {
		unsigned how = roll(1000);
		if (how == 0)
			sequence = (uint16_t)roll(65536);
		else if (how < 3)
			sequence = (uint16_t)(sequence - roll(200));
		else if (how > 3)
			sequence++;
		uint64_t index;
		uint16_t before = state.offset;
		if (!crypto_rollover_leave(&state, sequence, &index))
			continue;
		assert_true(index < size);
		assert_false(used[index / 8] >> index % 8 & 1);
		used[index / 8] |= (uint8_t)(1 << index % 8);
		left++;
		restarts += before != state.offset;
	}
	CHECK_TRUE(left > 1000000);
	CHECK_TRUE(restarts > 100);
	free(used);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_begins_at_any_number),
		TEST(the_index_is_guessed_as_the_rfc_says),
		TEST(loss_and_reordering_across_wraps_keep_the_index),
		TEST(the_window_knows_what_was_there),
		TEST(the_window_has_its_edge_where_it_says),
		TEST(no_index_comes_after_the_last),
		TEST(three_sources_are_remembered_the_oldest_goes),
		TEST(flipping_between_sources_replays_nothing),
		TEST(a_repeated_packet_does_not_leave_twice),
		TEST(a_sender_that_begins_anew_is_heard_from_its_second_packet),
		TEST(one_stray_packet_is_no_new_beginning),
		TEST(what_lies_before_the_beginning_does_not_leave),
		TEST(no_index_ever_leaves_twice),
	};
	return RUN_TESTS(tests);
}
