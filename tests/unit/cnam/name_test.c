// Names from strangers, and numbers that have names at all.

#include "cnam/name.h"

#include "tests/check.h"

// CNAM-012: nothing in a name ends a header; in a display name.
static void names_are_cleaned_and_quoted(void **state)
{
	(void)state;
	static const struct {
		const char *raw, *clean, *quoted;
	} rows[] = {
		{ "ACME CORP", "ACME CORP", "\"ACME CORP\"" },
		{ "", "", "\"\"" },
		{ "  two   spaces  ", "two spaces", "\"two spaces\"" },
		{ "exactly fifteen and more", "exactly fifteen", "\"exactly fifteen\"" },
		{ "fourteen chars x", "fourteen chars", "\"fourteen chars\"" },
		{ "Bob\r\nVia: SIP/2.0", "Bob Via: SIP/2.", "\"Bob Via: SIP/2.\"" },
		{ "\"x\" <sip:a@b>", "\"x\" <sip:a@b>", "\"\\\"x\\\" <sip:a@b>\"" },
		{ "back\\slash", "back\\slash", "\"back\\\\slash\"" },
		{ "Ren\xc3\xa9 Fran\xc3\xa7ois", "Ren\xc3\xa9 Fran\xc3\xa7ois",
		  "\"Ren\xc3\xa9 Fran\xc3\xa7ois\"" },
		{ "\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac",
		  "\"\xe6\x97\xa5\xe6\x9c\xac\"" },
		{ "bad\xff\xc3utf\xc0\xaf", "bad utf", "\"bad utf\"" },
		{ "nul\x01\x7f\xc2\x85here", "nul here", "\"nul here\"" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		char name[CNAM_NAME_SIZE], room[128];
		struct writer writer = writer_of(room, sizeof room);
		cnam_name_clean(text_of(rows[i].raw), name);
		CHECK_STRING(name, rows[i].clean);
		cnam_name_write_quoted(name, &writer);
		CHECK_STRING(writer_string_done(&writer), rows[i].quoted);
	}
}

// CNAM-003, D-40.
static void names_are_of_the_united_states_and_canada(void **state)
{
	(void)state;
	static const struct {
		const char *number;
		bool is_public;
	} rows[] = {
		{ "+14155550100", true },
		{ "+16135550100", true }, // San Francisco, Ottawa
		{ "+81312345678", false },
		{ "+18765550100", false }, // Tokyo, Jamaica
		{ "+17875550100", false },
		{ "+18005550100", false }, // Puerto Rico, no place
		{ "+1415555010", false },
		{ "+141555501000", false },
		{ "+11155550100", false },
		{ "14155550100", false },
		{ "", false },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		if (cnam_name_is_public(text_of(rows[i].number)) != rows[i].is_public)
			fail_msg("%s", rows[i].number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_cleaned_and_quoted),
		TEST(names_are_of_the_united_states_and_canada),
	};
	return RUN_TESTS(tests);
}
