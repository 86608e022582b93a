// What the operator's command makes of its words: the line that trunkd gets.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/request.h"
#include "tools/trunkctl/line.h"

static void any_word_arrives_as_it_was_typed(void **state)
{
	static char *const WORDS[] = { "add", "name=Acme Corp", "a\"b", "c\\d", "it's", "", "\t",
				       "e=",  "\xc3\xa4ö" };
	(void)state;
	char room[256];
	const char *problem = NULL;
	struct writer writer = writer_of(room, sizeof(room));
	assert_true(line_write(&writer, WORDS, 9, &problem));
	struct text words[ADMIN_WORDS_MAX];
	unsigned count = 0;
	assert_int_equal(admin_request_split(room, writer.used, words, &count), OK);
	assert_int_equal(count, 9);
	for (unsigned i = 0; i < count; i++)
		assert_true(text_is_equal(words[i], text_of(WORDS[i])));
}

static void a_password_among_the_words_is_refused_and_one_line_of_input_taken(void **state)
{
	static char *const LITERAL[] = { "password=Secret123456" }, *const READ[] = {
		"password=-"
	};
	(void)state;
	char room[256];
	const char *problem = NULL;
	struct writer writer = writer_of(room, sizeof(room));
	assert_false(line_write(&writer, LITERAL, 1, &problem));
	assert_non_null(strstr(problem, "password=-"));
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "Secret\"123456\nrest", 18), 18);
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	writer = writer_of(room, sizeof(room));
	assert_true(line_write(&writer, READ, 1, &problem));
	assert_string_equal(writer_string_done(&writer), "\"password=Secret\\\"123456\"");
}

// NUM-018: a code is not seen in the list of processes, unless somebody wants it so.
static void a_code_is_read_where_none_is_given(void **state)
{
	static char *const WORDS[] = { "confirm", "caller_id", "+15005550006", "acme", "-" };
	static char *const GIVEN[] = { "confirm", "caller_id", "+15005550006", "acme", "123456" };
	static const char *const READ =
		"\"confirm\" \"caller_id\" \"+15005550006\" \"acme\" \"123456\"";
	(void)state;
	for (int count = 4; count < 7; count++) {
		char room[256];
		const char *problem = NULL;
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		assert_int_equal(write(ends[1], "123456\n", count < 6 ? 7 : 0), count < 6 ? 7 : 0);
		close(ends[1]);
		assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
		close(ends[0]);
		clearerr(stdin);
		struct writer writer = writer_of(room, sizeof(room));
		assert_true(line_write(&writer, count < 6 ? WORDS : GIVEN, count < 6 ? count : 5,
				       &problem));
		assert_string_equal(writer_string_done(&writer), READ);
		writer = writer_of(room, sizeof(room));
		assert_false(line_write(&writer, WORDS, 4, &problem));
		assert_non_null(strstr(problem, "no line on standard input"));
	}
	clearerr(stdin);
}

static bool write_words(char *const *words, int count, char room[static 512])
{
	const char *problem = NULL;
	struct writer writer = writer_of(room, 512);
	bool is_good = line_write(&writer, words, count, &problem);
	assert_true(is_good || problem != NULL);
	return is_good && writer_string_done(&writer) != NULL;
}

// A name from a customer, handed on by a script, must not bring a request of its own along.
static void no_word_brings_another_line_along(void **state)
{
	static char *const WORDS[][2] = { { "show", "x\nremove trunk acme\n" },
					  { "replay", "config=/tmp\nhangup all\n" },
					  { "add", "name=\r" } };
	(void)state;
	char room[512];
	for (unsigned i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
		assert_false(write_words(WORDS[i], 2, room));
}

static void files_go_to_trunkd_as_octets_or_whole_paths(void **state)
{
	char name[] = "/tmp/trunkctl_test_XXXXXX", room[512], file[64], word[64], wanted[128];
	(void)state;
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "A\nB\r\nC", 6), 6); // lines end in CRLF when they arrive
	close(fd);
	snprintf(file, sizeof(file), "file=%s", name);
	char *const explain[] = { "explain", file };
	assert_true(write_words(explain, 2, room));
	assert_string_equal(room, "\"explain\" message=QQ0KQg0KQw==");
	snprintf(word, sizeof(word), "config=/tmp/../%s", name);
	snprintf(wanted, sizeof(wanted), "\"replay\" \"config=%s\" \"remove\"", name);
	char *const replay[] = { "replay", word, "remove" };
	assert_true(write_words(replay, 3, room));
	assert_string_equal(room, wanted);
	char *const option[] = { "replay", "--config", name, "remove" };
	assert_true(write_words(option, 4, room));
	assert_string_equal(room, wanted);
	char *const other[] = { "add", word }; // somebody's name
	assert_true(write_words(other, 2, room));
	assert_non_null(strstr(room, "config=/tmp/../"));
	unlink(name);
	assert_false(write_words(explain, 2, room));
	assert_false(write_words(replay, 3, room));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_word_arrives_as_it_was_typed),
		cmocka_unit_test(a_code_is_read_where_none_is_given),
		cmocka_unit_test(a_password_among_the_words_is_refused_and_one_line_of_input_taken),
		cmocka_unit_test(no_word_brings_another_line_along),
		cmocka_unit_test(files_go_to_trunkd_as_octets_or_whole_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
