// How often a trigger may send a mail (DEBUG-005).

#include "notify/mailing.h"

#include <stdio.h>

#include "tests/check.h"

static void one_mail_in_a_pause_and_the_rest_is_counted(void **state)
{
	(void)state;
	uint32_t held = 7;
	struct notify_mailing *mailing = notify_mailing_create(1000);
	assert_non_null(mailing);
	assert_true(notify_mailing_take(mailing, "TR1", 5000, &held));
	assert_int_equal(held, 0);
	assert_false(notify_mailing_take(mailing, "TR1", 5999, &held));
	assert_false(notify_mailing_take(mailing, "TR1", 5999, &held));
	assert_true(notify_mailing_take(mailing, "TR2", 5999, &held));
	assert_int_equal(held, 0);
	assert_true(notify_mailing_take(mailing, "TR1", 6000, &held));
	assert_int_equal(held, 2);
	assert_false(notify_mailing_take(mailing, "TR1", 6001, &held));
	notify_mailing_destroy(mailing);
}

static void what_is_remembered_is_bounded_and_fails_closed(void **state)
{
	(void)state;
	char sid[16];
	uint32_t held;
	struct notify_mailing *mailing = notify_mailing_create(1000);
	assert_non_null(mailing);
	for (unsigned i = 0; i < NOTIFY_MAILING_MAX; i++) {
		(void)snprintf(sid, sizeof(sid), "TR%u", i);
		assert_true(notify_mailing_take(mailing, sid, 5000, &held));
	}
	assert_false(notify_mailing_take(mailing, "TRnew", 5500, &held));
	assert_false(notify_mailing_take(mailing, "TR7", 5500, &held));
	assert_true(notify_mailing_take(mailing, "TRnew", 6000, &held));
	assert_true(notify_mailing_take(mailing, "TR7", 6000, &held));
	notify_mailing_destroy(mailing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_mail_in_a_pause_and_the_rest_is_counted),
		TEST(what_is_remembered_is_bounded_and_fails_closed),
	};
	return RUN_TESTS(tests);
}
