// Taking over a new configuration: as a whole, or not at all.

#include "tests/unit/config/file.h"

static void live_options_are_taken_over(void **state)
{
	(void)state;
	struct config_problems problems = { 0 };
	struct config *running = file_must_load(FILE_LEAST);
	struct config *fresh = file_must_load(FILE_LEAST "log:\n  level: debug\n"
							 "limits:\n  default_cps: 7\n");
	CHECK_OK(config_adopt(running, fresh, &problems));
	CHECK_NUMBER(problems.count, 0);
	CHECK_NUMBER(running->log.level, LOG_DEBUG);
	CHECK_NUMBER(running->limits.default_cps, 7);
	assert_memory_equal(running, fresh, sizeof(*fresh));
	config_destroy(running);
	config_destroy(fresh);
}

static void one_option_that_needs_a_restart_stops_them_all(void **state)
{
	(void)state;
	struct config_problems problems = { 0 };
	struct config *running = file_must_load(FILE_LEAST);
	struct config *before = file_must_load(FILE_LEAST);
	struct config *fresh = file_must_load(FILE_LEAST "  workers: 2\n"
							 "log:\n  level: debug\n  format: json\n");
	CHECK_STATUS(config_adopt(running, fresh, &problems), ERR_CONFLICT);
	CHECK_NUMBER(problems.count, 2);
	CHECK_STRING(
		problems.messages[0],
		"reload: log.format: has changed and needs a restart; allowed: live options only");
	CHECK_STRING(problems.messages[1],
		     "reload: dataplane.workers: has changed and needs a restart; "
		     "allowed: live options only");
	assert_memory_equal(running, before, sizeof(*before));
	config_destroy(running);
	config_destroy(before);
	config_destroy(fresh);
}

static void the_same_file_changes_nothing(void **state)
{
	(void)state;
	struct config_problems problems = { 0 };
	struct config *running = file_must_load(FILE_LEAST);
	struct config *fresh = file_must_load("# with a remark\n" FILE_LEAST);
	CHECK_OK(config_adopt(running, fresh, &problems));
	assert_memory_equal(running, fresh, sizeof(*fresh));
	config_destroy(running);
	config_destroy(fresh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(live_options_are_taken_over),
		TEST(one_option_that_needs_a_restart_stops_them_all),
		TEST(the_same_file_changes_nothing),
	};
	return RUN_TESTS(tests);
}
