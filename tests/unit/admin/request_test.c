// The quoting of words: what operators type, and what nobody would.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "admin/json.h"
#include "admin/request.h"
#include "base/random.h"

static void words_are_parted_and_unquoted(void **state)
{
	static const struct {
		const char *line, *words; // words joined by "|"
	} cases[] = {
		{ "", "" },
		{ " \t ", "" },
		{ "show  calls", "show|calls" },
		{ "\tshow\tcalls ", "show|calls" },
		{ "add account name=\"Acme Corp\"", "add|account|name=Acme Corp" },
		{ "name='Acme \"Corp\"'", "name=Acme \"Corp\"" },
		{ "a\\ b c", "a b|c" },
		{ "\"a\\\"b\" 'c\\d'", "a\"b|c\\d" },
		{ "\"\" ''", "|" },
		{ "a\"b\"'c'd", "abcd" },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[128], room[128];
		struct text words[ADMIN_WORDS_MAX];
		unsigned count = 99;
		size_t size = strlen(cases[i].line);
		memcpy(line, cases[i].line, size);
		assert_int_equal(admin_request_split(line, size, words, &count), OK);
		struct writer joined = writer_of(room, sizeof(room));
		for (unsigned word = 0; word < count; word++) {
			writer_string(&joined, word > 0 ? "|" : "");
			writer_text(&joined, words[word]);
		}
		assert_string_equal(writer_string_done(&joined), cases[i].words);
	}
}

static void unfinished_quotes_and_too_many_words_are_refused(void **state)
{
	static const char *const LINES[] = { "\"", "'", "a 'b", "a \"b'", "a\\", "\"a\\" };
	(void)state;
	struct text words[ADMIN_WORDS_MAX];
	unsigned count;
	for (unsigned i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		char line[16];
		memcpy(line, LINES[i], strlen(LINES[i]));
		assert_int_equal(admin_request_split(line, strlen(LINES[i]), words, &count),
				 ERR_MALFORMED);
	}
	char many[2 * (ADMIN_WORDS_MAX + 1)];
	for (unsigned more = 0; more < 2; more++) {
		for (size_t i = 0; i < sizeof(many); i++)
			many[i] = i % 2 ? ' ' : 'a';
		size_t size = 2 * (ADMIN_WORDS_MAX + more);
		assert_int_equal(admin_request_split(many, size, words, &count),
				 more ? ERR_TOO_LARGE : OK);
	}
	assert_int_equal(count, ADMIN_WORDS_MAX);
}

static void random_octets_never_lead_out_of_the_line(void **state)
{
	static const char OCTETS[] = "ab \t\"'\\=\x80\xff";
	(void)state;
	for (unsigned round = 0; round < 100000; round++) {
		char line[48];
		size_t size = random_below(sizeof(line));
		for (size_t i = 0; i < size; i++)
			line[i] = OCTETS[random_below(sizeof(OCTETS) - 1)];
		struct text words[ADMIN_WORDS_MAX];
		unsigned count = 0;
		if (admin_request_split(line, size, words, &count) != OK)
			continue;
		const char *last = line;
		for (unsigned i = 0; i < count; i++) {
			assert_true(words[i].data >= last);
			last = words[i].data + words[i].size;
		}
		assert_true(last <= line + size);
	}
}

static void only_whole_and_shortest_utf8_is_utf8(void **state)
{
	static const char *const GOOD[] = { "", "a\tb", "\xc3\xa4", "\xe2\x82\xac",
					    "\xf0\x9f\x98\x80" };
	static const char *const BAD[] = { "\x01",
					   "\x7f",
					   "\x80",
					   "\xc3",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xe0\x80\x80",
					   "\xed\xa0\x80",
					   "\xf0\x80\x80\x80",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xff",
					   "a\nb" };
	(void)state;
	for (unsigned i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
		assert_true(admin_json_is_utf8(text_of(GOOD[i])));
	for (unsigned i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		assert_false(admin_json_is_utf8(text_of(BAD[i])));
		json_t *value = admin_json_string(BAD[i]); // still shown somehow
		assert_non_null(value);
		json_decref(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_parted_and_unquoted),
		cmocka_unit_test(unfinished_quotes_and_too_many_words_are_refused),
		cmocka_unit_test(random_octets_never_lead_out_of_the_line),
		cmocka_unit_test(only_whole_and_shortest_utf8_is_utf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
