// Text, cursor and writer at and around their edges.

#include "tests/check.h"

#include <string.h>

static void comparing_knows_case_and_size(void **state)
{
	(void)state;
	CHECK_TRUE(text_is_equal(TEXT("abc"), TEXT("abc")));
	CHECK_FALSE(text_is_equal(TEXT("abc"), TEXT("abd")));
	CHECK_FALSE(text_is_equal(TEXT("abc"), TEXT("ab")));
	CHECK_TRUE(text_is_equal(TEXT_NONE, TEXT("")));
	CHECK_TRUE(text_is_same(TEXT("ViA"), TEXT("vIa")));
	CHECK_FALSE(text_is_same(TEXT("via["), TEXT("via{"))); // 0x5b and 0x7b: no letters
	CHECK_TRUE(text_has_prefix(TEXT("abc"), TEXT("ab")));
	CHECK_FALSE(text_has_prefix(TEXT("a"), TEXT("ab")));
	CHECK_TRUE(text_has_suffix_same(TEXT("x.Example.COM"), TEXT(".example.com")));
	CHECK_FALSE(text_has_suffix_same(TEXT("com"), TEXT("x.com")));
	CHECK_NUMBER(text_of(NULL).size, 0);
}

static void cutting_and_trimming_stay_inside(void **state)
{
	(void)state;
	CHECK_TEXT(text_trim(TEXT(" \t a b\t ")), "a b");
	CHECK_TEXT(text_trim(TEXT("   ")), "");
	CHECK_TEXT(text_cut(TEXT("abc"), 2), "c");
	CHECK_TEXT(text_cut(TEXT("abc"), 9), "");
	CHECK_TEXT(text_cut(TEXT_NONE, 9), "");
}

static void splitting_takes_the_separator(void **state)
{
	(void)state;
	struct text rest = TEXT("a,,b");
	CHECK_TEXT(text_split(&rest, ','), "a");
	CHECK_TEXT(text_split(&rest, ','), "");
	CHECK_TEXT(text_split(&rest, ','), "b");
	CHECK_TEXT(text_split(&rest, ','), "");
	CHECK_NUMBER(rest.size, 0);
}

static void numbers_are_digits_only_and_bounded(void **state)
{
	(void)state;
	uint64_t value = 7;
	CHECK_TRUE(text_to_unsigned(TEXT("0065535"), 65535, &value));
	CHECK_NUMBER(value, 65535);
	CHECK_TRUE(text_to_unsigned(TEXT("18446744073709551615"), UINT64_MAX, &value));
	CHECK_NUMBER(value, UINT64_MAX);
	value = 7;
	static const char *const refused[] = {
		"", "65536", "-1", "+1", " 1", "1 ", "1a", "a1", "0x10", "99999999999999999999"
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		CHECK_FALSE(text_to_unsigned(text_of(refused[i]), 65535, &value));
	CHECK_FALSE(text_to_unsigned(TEXT("18446744073709551616"), UINT64_MAX, &value));
	CHECK_FALSE(text_to_unsigned(TEXT("5"), 4, &value));
	CHECK_NUMBER(value, 7); // untouched
}

static void copying_fits_with_its_zero_or_leaves_an_empty_string(void **state)
{
	(void)state;
	char room[4] = "xyz";
	CHECK_TRUE(text_copy(TEXT("abc"), room, sizeof(room)));
	CHECK_STRING(room, "abc");
	CHECK_FALSE(text_copy(TEXT("abcd"), room, sizeof(room)));
	CHECK_STRING(room, "");
	CHECK_FALSE(text_copy(TEXT("a"), room, 0));
	CHECK_TRUE(text_copy(TEXT_NONE, room, sizeof(room)));
}

static void a_cursor_reads_a_line_like_the_grammar(void **state)
{
	(void)state;
	struct cursor cursor = cursor_of(TEXT("m=audio 10000/2 RTP/AVP 0\r\na=x\nb"));
	CHECK_TRUE(cursor_take_text(&cursor, TEXT("M=")));
	CHECK_TEXT(cursor_word(&cursor), "audio");
	cursor_skip_space(&cursor);
	CHECK_NUMBER(cursor_unsigned(&cursor, 65535), 10000);
	CHECK_TRUE(cursor_take(&cursor, '/'));
	CHECK_NUMBER(cursor_unsigned(&cursor, 2), 2);
	cursor_expect(&cursor, ' ');
	CHECK_TEXT(cursor_until(&cursor, '/'), "RTP");
	CHECK_TEXT(cursor_line(&cursor), "AVP 0");
	CHECK_TEXT(cursor_line(&cursor), "a=x");
	CHECK_NUMBER(cursor_peek(&cursor), 'b');
	CHECK_TEXT(cursor_line(&cursor), "b");
	CHECK_TRUE(cursor_is_done(&cursor));
	CHECK_FALSE(cursor.failed);
	CHECK_TEXT(cursor_word(&cursor), "");
	CHECK_FALSE(cursor.failed);
}

static void a_failed_cursor_stays_failed_and_silent(void **state)
{
	(void)state;
	struct cursor cursor = cursor_of(TEXT("abc 1 2"));
	cursor_expect(&cursor, 'x');
	CHECK_TRUE(cursor.failed);
	CHECK_TRUE(cursor_is_done(&cursor));
	CHECK_NUMBER(cursor_peek(&cursor), 0);
	CHECK_FALSE(cursor_take(&cursor, 'a'));
	CHECK_FALSE(cursor_take_text(&cursor, TEXT("abc")));
	CHECK_NUMBER(cursor_word(&cursor).size, 0);
	CHECK_NUMBER(cursor_line(&cursor).size, 0);
	CHECK_NUMBER(cursor_until(&cursor, ' ').size, 0);
	CHECK_NUMBER(cursor_unsigned(&cursor, 9), 0);
	CHECK_TRUE(cursor.failed);
}

static void a_number_too_large_fails_the_cursor(void **state)
{
	(void)state;
	struct cursor cursor = cursor_of(TEXT("300"));
	CHECK_NUMBER(cursor_unsigned(&cursor, 255), 0);
	CHECK_TRUE(cursor.failed);
	cursor = cursor_of(TEXT("x"));
	CHECK_NUMBER(cursor_unsigned(&cursor, 255), 0);
	CHECK_TRUE(cursor.failed);
}

static void a_writer_fills_its_room_to_the_last_octet(void **state)
{
	(void)state;
	char room[8] = "-------";
	struct writer writer = writer_of(room, 7);
	writer_string(&writer, "ab");
	writer_unsigned(&writer, 1234);
	writer_char(&writer, 'z');
	CHECK_TEXT(writer_done(&writer), "ab1234z");
	assert_null(writer_string_done(&writer)); // no room for the zero
	writer_text(&writer, TEXT(""));
	CHECK_FALSE(writer.failed);
	writer_char(&writer, 'x');
	CHECK_TRUE(writer.failed);
	CHECK_NUMBER(writer_done(&writer).size, 0);
	CHECK_NUMBER(room[7], 0);
}

static void a_failed_writer_writes_nothing_more(void **state)
{
	(void)state;
	char room[4];
	struct writer writer = writer_of(room, sizeof(room));
	writer_string(&writer, "abcde");
	writer_char(&writer, 'a');
	writer_format(&writer, "%d", 1);
	CHECK_TRUE(writer.failed);
	CHECK_NUMBER(writer.used, 0);
	assert_null(writer_string_done(&writer));
}

static void formatting_writes_what_printf_would(void **state)
{
	(void)state;
	char room[80];
	struct writer writer = writer_of(room, sizeof(room));
	writer_format(&writer, "%s %u%c %.*s, %llu; %04x %% %d %s", "abc", 7, '!', 2, "xyz",
		      18446744073709551615ull, 0x2a, -3, "end");
	CHECK_STRING(writer_string_done(&writer), "abc 7! xy, 18446744073709551615; 002a % -3 end");
}

static void a_kept_text_lies_in_the_room(void **state)
{
	(void)state;
	char room[8];
	struct writer writer = writer_of(room, sizeof(room));
	writer_char(&writer, 'x');
	struct text kept = writer_keep(&writer, TEXT("abc"));
	CHECK_TEXT(kept, "abc");
	assert_ptr_equal(kept.data, room + 1);
	(void)writer_keep(&writer, TEXT("too long"));
	CHECK_TRUE(writer.failed);
	CHECK_TEXT(kept, "abc");
}

static void formatting_writes_all_or_nothing(void **state)
{
	(void)state;
	char room[4];
	struct writer writer = writer_of(room, sizeof(room));
	writer_format(&writer, "%s", "abcd");
	CHECK_TEXT(writer_done(&writer), "abcd");
	writer = writer_of(room, sizeof(room));
	writer_format(&writer, "ab%s", "cde");
	CHECK_TRUE(writer.failed);
	CHECK_NUMBER(writer.used, 0);
	writer = writer_of(room, sizeof(room));
	writer_format(&writer, "%d", -100); // printf needs room for a zero too
	CHECK_TRUE(writer.failed);
}

static void every_number_has_all_its_digits(void **state)
{
	(void)state;
	char room[24];
	static const struct {
		uint64_t value;
		const char *text;
	} rows[] = { { 0, "0" }, { 10, "10" }, { UINT64_MAX, "18446744073709551615" } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct writer writer = writer_of(room, sizeof(room));
		writer_unsigned(&writer, rows[i].value);
		CHECK_TEXT(writer_done(&writer), rows[i].text);
	}
}

static void what_may_be_cut_is_cut_and_terminated(void **state)
{
	(void)state;
	char room[4] = "xxx";
	text_copy_cut(TEXT("abcdef"), room, sizeof(room));
	assert_string_equal(room, "abc");
	text_copy_cut(TEXT("ab"), room, sizeof(room));
	assert_string_equal(room, "ab");
	text_copy_cut(TEXT_NONE, room, sizeof(room));
	assert_string_equal(room, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_may_be_cut_is_cut_and_terminated),
		TEST(comparing_knows_case_and_size),
		TEST(cutting_and_trimming_stay_inside),
		TEST(splitting_takes_the_separator),
		TEST(numbers_are_digits_only_and_bounded),
		TEST(copying_fits_with_its_zero_or_leaves_an_empty_string),
		TEST(a_cursor_reads_a_line_like_the_grammar),
		TEST(a_failed_cursor_stays_failed_and_silent),
		TEST(a_number_too_large_fails_the_cursor),
		TEST(a_writer_fills_its_room_to_the_last_octet),
		TEST(a_failed_writer_writes_nothing_more),
		TEST(formatting_writes_what_printf_would),
		TEST(a_kept_text_lies_in_the_room),
		TEST(formatting_writes_all_or_nothing),
		TEST(every_number_has_all_its_digits),
	};
	return RUN_TESTS(tests);
}
