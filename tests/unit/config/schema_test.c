// The table itself: complete rows, in sections, over the whole struct and no field twice.

#include "tests/unit/config/file.h"

#include "config/schema.h"

static void every_row_is_complete(void **state)
{
	(void)state;
	for (unsigned i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		size_t length = strlen(option->sentence);
		assert_non_null(strchr(option->path, '.'));
		assert_true(length > 10 && option->sentence[length - 1] == '.');
		assert_true(option->sentence[0] >= 'A' && option->sentence[0] <= 'Z');
		assert_true((option->kind == CONFIG_CHOICE) == (option->choices != NULL));
		assert_true(option->kind != CONFIG_NUMBER || option->max > option->min);
		assert_int_equal(config_option_index(text_of(option->path)), i);
	}
}

static void every_default_is_itself_allowed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		char room[sizeof(struct config)] = { 0 };
		if (!option->initial || config_value_is_list(option) || option->initial[0] == '{')
			continue;
		if (!config_value_parse(option, text_of(option->initial), room))
			fail_msg("%s: %s", option->path, option->initial);
	}
}

static void no_two_rows_share_a_field(void **state)
{
	(void)state;
	for (unsigned i = 1; i < config_option_count; i++) {
		const struct config_option *before = &config_options[i - 1];
		assert_true(config_options[i].offset >= before->offset + before->size);
	}
}

static void units_stand_in_the_names_too(void **state)
{
	(void)state;
	static const char *const pairs[][2] = { { "s", "_s" },
						{ "ms", "_ms" },
						{ "MB", "_mb" },
						{ "bytes", "_bytes" },
						{ "calls/s", "_cps" } };
	for (unsigned i = 0; i < config_option_count; i++) {
		const struct config_option *option = &config_options[i];
		for (size_t j = 0; option->unit && j < 5; j++) {
			if (strcmp(option->unit, pairs[j][0]) == 0)
				CHECK_TRUE(text_has_suffix_same(text_of(option->path),
								text_of(pairs[j][1])));
		}
	}
}

static void the_nearest_name_is_what_was_meant(void **state)
{
	(void)state;
	static const struct {
		const char *wrong;
		const char *nearest;
	} rows[] = {
		{ "sip.prot", "sip.port" },
		{ "sip.address", "sip.addresses" },
		{ "sip.ack_timeout", "sip.ack_timeout_s" },
		{ "sip.min_ttl", "media.min_ttl" },
		{ "dataplane.hugepages", "dataplane.huge_pages" },
		{ "xxxxxxxxxx.yyyyyyyyyy", NULL },
		{ "sip.a-name-far-longer-than-any-option-could-ever-reasonably-want-to-be", NULL },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *nearest = config_option_nearest(text_of(rows[i].wrong));
		CHECK_TEXT(text_of(nearest), rows[i].nearest ? rows[i].nearest : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_row_is_complete),
		TEST(every_default_is_itself_allowed),
		TEST(no_two_rows_share_a_field),
		TEST(units_stand_in_the_names_too),
		TEST(the_nearest_name_is_what_was_meant),
	};
	return RUN_TESTS(tests);
}
