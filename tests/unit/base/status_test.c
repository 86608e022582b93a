// The status table: complete, and telling each protocol a code that protocol knows.

#include "tests/check.h"

#include <string.h>

static void every_status_has_a_name_a_text_and_valid_codes(void **state)
{
	(void)state;
	for (int i = 0; i < STATUS_COUNT; i++) {
		enum status status = (enum status)i;
		assert_true(strlen(status_name(status)) > 1);
		assert_true(strlen(status_text(status)) > 1);
		assert_in_range(status_sip(status), 200, 699);
		assert_in_range(status_http(status), 200, 599);
	}
}

static void only_ok_is_a_success(void **state)
{
	(void)state;
	CHECK_STRING(status_name(OK), "OK");
	CHECK_NUMBER(OK, 0);
	for (int i = 1; i < STATUS_COUNT; i++) {
		assert_true(status_sip((enum status)i) >= 400);
		assert_true(status_http((enum status)i) >= 400);
	}
}

static void limits_are_503_to_sip_and_429_to_http(void **state)
{
	(void)state;
	CHECK_NUMBER(status_sip(ERR_LIMIT), 503);
	CHECK_NUMBER(status_http(ERR_LIMIT), 429);
	CHECK_NUMBER(status_sip(ERR_UNAUTHORIZED), 407);
	CHECK_NUMBER(status_http(ERR_UNAUTHORIZED), 401);
}

static void a_number_that_is_no_status_reads_as_a_system_error(void **state)
{
	(void)state;
	CHECK_STRING(status_name((enum status)STATUS_COUNT), "ERR_SYSTEM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_status_has_a_name_a_text_and_valid_codes),
		TEST(only_ok_is_a_success),
		TEST(limits_are_503_to_sip_and_429_to_http),
		TEST(a_number_that_is_no_status_reads_as_a_system_error),
	};
	return RUN_TESTS(tests);
}
