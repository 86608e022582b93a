// The reference of options: every option with its sentence, type, range and default, as the manual
// page's source and as Markdown; and an example that is right.

#include "tests/unit/config/file.h"

#include "config/schema.h"

static char *page_of(void (*describe)(FILE *out))
{
	char *page = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&page, &size);
	assert_non_null(out);
	describe(out);
	assert_int_equal(fclose(out), 0);
	return page;
}

static void holds(const char *page, const char *part)
{
	if (!strstr(page, part))
		fail_msg("the page lacks: %s", part);
}

static void the_markdown_page_holds_every_row(void **state)
{
	(void)state;
	char *page = page_of(config_describe_markdown);
	for (unsigned i = 0; i < config_option_count; i++) {
		char heading[256];
		snprintf(heading, sizeof(heading), "\n### %s\n\n%s\n", config_options[i].path,
			 config_options[i].sentence);
		holds(page, heading);
	}
	holds(page, "- Allowed: 500 to 32000 ms\n- Default: `4000`\n"
		    "- A change is taken over by a reload\n");
	holds(page, "\n## sip\n");
	free(page);
}

static void the_manual_page_holds_every_row(void **state)
{
	(void)state;
	char *page = page_of(config_describe);
	for (unsigned i = 0; i < config_option_count; i++) {
		char tag[128];
		snprintf(tag, sizeof(tag), "\n.TP\n.B %s\n", config_options[i].path);
		holds(page, tag);
	}
	holds(page, "\n.SS sip\n");
	holds(page, "Type: a number; unit: ms.\n.br\nAllowed: 500 to 32000 ms.\n.br\n"
		    "Default: 4000.\n.br\nLive.\n");
	holds(page, "Type: list, each item an address.\n");
	holds(page, ".br\nMust be given.\n.br\nA change needs a restart.\n");
	free(page);
}

// In order, and each once.
static void the_manual_page_has_its_sections(void **state)
{
	(void)state;
	static const char *const sections[] = { "NAME",    "DESCRIPTION", "OPTIONS",
						"EXAMPLE", "FILES",       "SEE ALSO" };
	char *page = page_of(config_describe);
	const char *at = page;
	assert_int_equal(strncmp(page, ".TH TRUNKD.YAML 5 ", 18), 0);
	for (unsigned i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		char heading[32];
		at = strstr(at, "\n.SH ");
		assert_non_null(at);
		at += 5;
		snprintf(heading, sizeof(heading), "%s\n", sections[i]);
		assert_int_equal(strncmp(at, heading, strlen(heading)), 0);
	}
	assert_null(strstr(at, "\n.SH "));
	free(page);
}

static void every_request_is_one_that_man_knows(void **state)
{
	(void)state;
	static const char *const known[] = { ".TH", ".SH", ".SS", ".TP", ".PP", ".B",
					     ".I",  ".BR", ".br", ".nf", ".fi" };
	char *page = page_of(config_describe);
	struct text rest = text_of(page);
	while (rest.size > 0) {
		struct text line = text_split(&rest, '\n');
		if (line.size == 0 || (line.data[0] != '.' && line.data[0] != '\''))
			continue;
		struct text request = text_split(&line, ' ');
		bool is_known = false;
		for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++)
			is_known = is_known || text_is_equal(request, text_of(known[i]));
		if (!is_known)
			fail_msg("%.*s", TEXT_FORMAT(request));
	}
	free(page);
}

static void the_example_of_the_manual_page_loads(void **state)
{
	(void)state;
	char *page = page_of(config_describe);
	char *example = strstr(page, "\n.nf\n");
	assert_non_null(example);
	char *end = strstr(example, "\n.fi\n");
	assert_non_null(end);
	end[1] = '\0';
	struct config *config = file_must_load(example + 5);
	assert_int_equal(config->limits.default_cps, 5);
	assert_int_equal(config->media.addresses.count, 2);
	config_destroy(config);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_markdown_page_holds_every_row),
		TEST(the_manual_page_holds_every_row),
		TEST(the_manual_page_has_its_sections),
		TEST(every_request_is_one_that_man_knows),
		TEST(the_example_of_the_manual_page_loads),
	};
	return RUN_TESTS(tests);
}
