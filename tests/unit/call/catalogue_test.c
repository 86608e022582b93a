// The texts of alerts against the table of refusals: every code explains itself in both languages.

#include "call/catalogue/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "call/refusal.h"
#include "tests/check.h"

// DEBUG-031: a dictionary entry per code. Who adds a code is told here what is missing.
static void every_code_has_its_texts(void **state)
{
	(void)state;
	unsigned missing = 0;
	for (unsigned i = REFUSED_NOT + 1; i < REFUSAL_COUNT; i++) {
		const struct refusal_row *row = refusal_row((enum refusal_cause)i);
		if (row->alert_code == 0 || catalogue_find(row->alert_code))
			continue;
		print_error("%s: add a block \"code %u …\" to controlplane/call/catalogue/"
			    "alerts.txt, in English and Japanese; its head tells how\n",
			    row->label, (unsigned)row->alert_code);
		missing++;
	}
	assert_int_equal(missing, 0);
}

static bool has_row(uint32_t code)
{
	for (unsigned i = REFUSED_NOT + 1; i < REFUSAL_COUNT; i++)
		if (refusal_row((enum refusal_cause)i)->alert_code == code)
			return true;
	return false;
}

static void every_text_is_of_a_code(void **state)
{
	(void)state;
	for (unsigned i = 0; i < catalogue_entry_count; i++)
		if (!has_row(catalogue_entries[i].code))
			fail_msg("no alert has the code %u: take it out of "
				 "controlplane/call/catalogue/alerts.txt",
				 (unsigned)catalogue_entries[i].code);
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > 126)
			return false;
	return true;
}

static void check_texts(const struct catalogue_entry *entry, enum catalogue_language language)
{
	const struct catalogue_text *text = &entry->texts[language];
	bool is_english = language == CATALOGUE_ENGLISH;
	assert_true(text->causes[0] != NULL && text->fixes[0] != NULL);
	assert_null(text->causes[CATALOGUE_TEXTS - 1]);
	assert_null(text->fixes[CATALOGUE_TEXTS - 1]);
	if (is_ascii(text->title) != is_english || is_ascii(text->means) != is_english)
		fail_msg("%u: %s is in the wrong language", (unsigned)entry->code, text->title);
	for (unsigned i = 0; text->causes[i]; i++)
		assert_true(is_ascii(text->causes[i]) == is_english);
	for (unsigned i = 0; text->fixes[i]; i++)
		assert_true(is_ascii(text->fixes[i]) == is_english);
}

// OTHER-008: Japanese is documentation; what goes on the wire, and what alerts record, is ASCII.
static void english_is_ascii_and_japanese_is_not(void **state)
{
	(void)state;
	for (unsigned i = 0; i < catalogue_entry_count; i++) {
		const struct catalogue_entry *entry = &catalogue_entries[i];
		check_texts(entry, CATALOGUE_ENGLISH);
		check_texts(entry, CATALOGUE_JAPANESE);
		assert_true(is_ascii(entry->header) && is_ascii(entry->seen) &&
			    is_ascii(entry->expected));
	}
	for (unsigned i = REFUSED_NOT + 1; i < REFUSAL_COUNT; i++) {
		const struct refusal_row *row = refusal_row((enum refusal_cause)i);
		assert_true(is_ascii(row->phrase) && is_ascii(row->fix));
	}
}

static void codes_are_found(void **state)
{
	(void)state;
	char room[64];
	assert_null(catalogue_find(1));
	assert_null(catalogue_find(99999));
	for (unsigned i = 0; i < catalogue_entry_count; i++)
		assert_ptr_equal(catalogue_find(catalogue_entries[i].code), &catalogue_entries[i]);
	assert_int_equal(catalogue_severity(32201), HISTORY_SEVERITY_ERROR);
	assert_int_equal(catalogue_severity(32920), HISTORY_SEVERITY_WARNING);
	assert_string_equal(catalogue_answer(32001, 0, room), "503 Trunk CPS limit exceeded");
	assert_null(catalogue_answer(32001, 1, room));
	assert_string_equal(catalogue_answer(32102, 0, room), "400 Bad Request");
	assert_string_equal(catalogue_answer(32102, 1, room), "415 Unsupported Media Type");
	assert_null(catalogue_answer(32022, 0, room)); // no refusal
	assert_string_equal(catalogue_cause(32994, 1)->label, "replaces_early");
	assert_null(catalogue_cause(32994, 3));
	assert_null(catalogue_cause(1, 0));
	assert_int_equal(catalogue_language_of(TEXT("ja")), CATALOGUE_JAPANESE);
	assert_int_equal(catalogue_language_of(TEXT("fr")), CATALOGUE_LANGUAGES);
}

static bool is_guided(uint32_t code, const char *words)
{
	const struct catalogue_entry *entry = catalogue_find(code);
	assert_non_null(entry);
	for (unsigned i = 0; i < catalogue_guide_count; i++)
		if ((entry->guides >> i & 1) &&
		    strstr(catalogue_guides[i][CATALOGUE_ENGLISH], words))
			return true;
	return false;
}

// DEBUG-033: whoever can mend it by firewall, WAN address or untouched headers is told so.
static void customers_are_told_of_firewall_wan_address_and_untouched_headers(void **state)
{
	(void)state;
	static const uint32_t FIREWALL[] = { 32022, 32920, 32924, 32925 };
	static const uint32_t WAN[] = { 32914, 32923, 32951 };
	static const uint32_t HEADERS[] = { 32022, 32950, 32951 };
	for (unsigned i = 0; i < sizeof(FIREWALL) / sizeof(FIREWALL[0]); i++) {
		assert_true(is_guided(FIREWALL[i], "through your firewall"));
		assert_true(is_guided(FIREWALL[i], "5060"));
		assert_true(is_guided(FIREWALL[i], "10000 to 20000"));
	}
	for (unsigned i = 0; i < sizeof(WAN) / sizeof(WAN[0]); i++)
		assert_true(is_guided(WAN[i], "public (WAN) address"));
	for (unsigned i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++)
		assert_true(is_guided(HEADERS[i], "Keep Via and Contact"));
	assert_false(is_guided(32001, "firewall"));
}

static void a_link_leads_to_the_code(void **state)
{
	(void)state;
	static const struct {
		const char *base, *link;
	} cases[] = {
		{ "", "" },
		{ "https://docs.example.com/alerts/", "https://docs.example.com/alerts/32001" },
		{ "https://docs.example.com/a/{code}.html",
		  "https://docs.example.com/a/32001.html" },
		{ "https://docs.example.com/alerts.html#{code}",
		  "https://docs.example.com/alerts.html#32001" },
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char room[128];
		struct writer writer = writer_of(room, sizeof(room));
		catalogue_link(cases[i].base, 32001, &writer);
		assert_string_equal(writer_string_done(&writer), cases[i].link);
	}
}

static void a_page_explains_a_code_whole(void **state)
{
	(void)state;
	static void (*const WRITERS[])(FILE *) = { catalogue_describe,
						   catalogue_describe_japanese };
	static const char *const WANTED[][4] = {
		{ "## 32204: Caller ID does not belong to the account", "`403 Invalid Caller ID`",
		  "**Possible causes**", "**Remedies**" },
		{ "## 32204: 発信者番号がアカウントのものではありません", "`403 Invalid Caller ID`",
		  "**考えられる原因**", "**対処**" },
	};
	for (unsigned language = 0; language < 2; language++) {
		char *page = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&page, &size);
		WRITERS[language](out);
		fclose(out);
		for (unsigned i = 0; i < 4; i++)
			assert_non_null(strstr(page, WANTED[language][i]));
		free(page);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_code_has_its_texts),
		TEST(every_text_is_of_a_code),
		TEST(english_is_ascii_and_japanese_is_not),
		TEST(codes_are_found),
		TEST(customers_are_told_of_firewall_wan_address_and_untouched_headers),
		TEST(a_link_leads_to_the_code),
		TEST(a_page_explains_a_code_whole),
	};
	return RUN_TESTS(tests);
}
