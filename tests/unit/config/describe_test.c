// The reference page: every option with its sentence, range and default.

#include "tests/unit/config/file.h"

#include "config/schema.h"

static void the_page_holds_every_row(void **state)
{
	(void)state;
	char *page = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&page, &size);
	assert_non_null(out);
	config_describe(out);
	fclose(out);
	for (unsigned i = 0; i < config_option_count; i++) {
		char heading[128];
		snprintf(heading, sizeof(heading), "\n### %s\n\n%s\n", config_options[i].path,
			 config_options[i].sentence);
		if (!strstr(page, heading))
			fail_msg("%s", heading);
	}
	assert_non_null(strstr(page, "- Allowed: 500 to 32000 ms\n- Default: `4000`\n"
				     "- A change is taken over by a reload\n"));
	assert_non_null(strstr(page, "\n## sip\n"));
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(the_page_holds_every_row) };
	return RUN_TESTS(tests);
}
