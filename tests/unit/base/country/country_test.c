// Countries of numbers: the requirement's own, the edges of shared country codes, and all examples of
// libphonenumber. TERM-030.

#include "base/country/country.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

// TERM-030: the longest prefix decides, also inside +1 and the other codes that countries share.
static void the_longest_prefix_decides(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "+12125551234", "US" },
		{ "+14165551234", "CA" },
		{ "+12462345678", "BB" },
		{ "+12425551234", "BS" },
		{ "+18765551234", "JM" },
		{ "+17875551234", "PR" },
		{ "+18005551234", "US" },
		{ "+81312345678", "JP" },
		{ "+442079460000", "GB" },
		{ "+441481256789", "GG" },
		{ "+447781123456", "GG" },
		{ "+441534456789", "JE" },
		{ "+441624756789", "IM" },
		{ "+447911223456", "GB" },
		{ "+79161234567", "RU" },
		{ "+77012345678", "KZ" },
		{ "+390612345678", "IT" },
		{ "+390669812345", "VA" },
		{ "+35818123456", "AX" },
		{ "+4779123456", "SJ" },
		{ "+61891621234", "CC" },
		{ "+212528812345", "EH" },
		{ "+262639012345", "YT" },
		{ "+5997171234", "BQ" },
		{ "+5999123456", "CW" },
		{ "+37760123456", "MC" },
		{ "+88161234567", "001" },
		{ "+87077301234", "001" },
		{ "+3906698", "VA" },
		{ "+390669", "IT" },
		{ "+1", "US" },
		{ "12462345678", "BB" },
		{ "+38344123456", "XK" },
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *code = country_code(country_of_number(text_of(rows[i][0])));
		if (code == NULL || strcmp(code, rows[i][1]) != 0)
			fail_msg("%s is of %s, not %s", rows[i][0], rows[i][1],
				 code ? code : "nobody");
	}
}

static void what_no_country_has_is_nobodys(void **state)
{
	(void)state;
	static const char *const rows[] = { "",           "+",   "+0312345678", "+2101234567",
					    "+999123456", "+abc" };
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_NUMBER(country_of_number(text_of(rows[i])), COUNTRY_NONE);
	CHECK_TRUE(country_code(COUNTRY_NONE) == NULL && country_name(COUNTRY_NONE) == NULL);
}

// numbers.txt is what tools/plan/countries --vectors writes: each kind of number of each country, and
// numbers below each prefix.
static void libphonenumber_says_the_same(void **state)
{
	(void)state;
	char number[32], code[8];
	const char *path = getenv("COUNTRY_NUMBERS");
	assert_non_null(path);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	unsigned count = 0;
	while (fscanf(file, "%31s %7s", number, code) == 2) {
		const char *seen = country_code(country_of_number(text_of(number)));
		if (seen == NULL || strcmp(seen, code) != 0)
			fail_msg("%s is of %s, not %s", number, code, seen ? seen : "nobody");
		count++;
	}
	fclose(file);
	assert_true(count > 1000);
}

static void sets_hold_what_was_added(void **state)
{
	(void)state;
	char room[64];
	struct country_set set = { 0 };
	struct writer writer = writer_of(room, sizeof(room));
	CHECK_TRUE(country_set_add_code(&set, TEXT("us")) &&
		   country_set_add_code(&set, TEXT("JP")) &&
		   country_set_add_code(&set, TEXT("CA")));
	CHECK_FALSE(country_set_add_code(&set, TEXT("XX")) || country_set_add_code(&set, TEXT("")));
	country_set_write(&set, &writer);
	CHECK_STRING(writer_string_done(&writer), "CA JP US");
	CHECK_TRUE(country_set_has(&set, country_of_number(TEXT("+81312345678"))));
	CHECK_FALSE(country_set_has(&set, country_of_number(TEXT("+442079460000"))));
	CHECK_FALSE(country_set_has(&set, COUNTRY_NONE));
	CHECK_STRING(country_name(country_of_code(TEXT("jp"))), "Japan");
	CHECK_TRUE(country_set_add_code(&set, TEXT("ALL")));
	CHECK_TRUE(country_set_has(&set, COUNTRY_NONE));
	writer = writer_of(room, sizeof(room));
	country_set_write(&set, &writer);
	CHECK_STRING(writer_string_done(&writer), "all");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_longest_prefix_decides),
		TEST(what_no_country_has_is_nobodys),
		TEST(libphonenumber_says_the_same),
		TEST(sets_hold_what_was_added),
	};
	return RUN_TESTS(tests);
}
