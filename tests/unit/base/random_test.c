// Identifiers and bounded numbers; that they are unpredictable is the kernel's promise.

#include "tests/check.h"

#include <string.h>

#include "base/random.h"

static void a_sid_is_its_prefix_and_32_hexadecimal_digits(void **state)
{
	(void)state;
	char first[RANDOM_SID_SIZE], second[RANDOM_SID_SIZE];
	random_sid("CA", first);
	random_sid("CA", second);
	CHECK_NUMBER(strlen(first), 34);
	assert_memory_equal(first, "CA", 2);
	CHECK_NUMBER(strspn(first + 2, "0123456789abcdef"), 32);
	assert_string_not_equal(first, second);
}

static void numbers_below_a_limit_reach_all_of_it_evenly(void **state)
{
	(void)state;
	unsigned seen[7] = { 0 };
	for (int i = 0; i < 7000; i++) {
		uint32_t drawn = random_below(7);
		assert_true(drawn < 7);
		seen[drawn]++;
	}
	for (size_t i = 0; i < 7; i++)
		assert_in_range(seen[i], 700, 1300); // 10 standard deviations
	CHECK_NUMBER(random_below(1), 0);
}

static void hexadecimal_text_has_the_size_asked_for_or_fails(void **state)
{
	(void)state;
	char room[300];
	struct writer writer = writer_of(room, sizeof(room));
	random_write_hex(&writer, 100);
	CHECK_NUMBER(writer_done(&writer).size, 200);
	random_write_hex(&writer, 51);
	CHECK_TRUE(writer.failed);
}

static void filling_touches_every_octet_and_no_more(void **state)
{
	(void)state;
	uint8_t gathered[40] = { 0 };
	for (int round = 0; round < 64; round++) {
		uint8_t room[42] = { 0 };
		random_fill(room + 1, 40);
		CHECK_NUMBER(room[0] + room[41], 0);
		for (size_t i = 0; i < sizeof(gathered); i++)
			gathered[i] |= room[i + 1];
	}
	for (size_t i = 0; i < sizeof(gathered); i++)
		CHECK_NUMBER(gathered[i], 0xff);
	assert_true(random_number() != random_number());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sid_is_its_prefix_and_32_hexadecimal_digits),
		TEST(numbers_below_a_limit_reach_all_of_it_evenly),
		TEST(hexadecimal_text_has_the_size_asked_for_or_fails),
		TEST(filling_touches_every_octet_and_no_more),
	};
	return RUN_TESTS(tests);
}
