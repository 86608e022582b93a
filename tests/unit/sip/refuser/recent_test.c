// Which calls the control thread may have read lately, as its window moves.

#include "tests/check.h"

#include "sip/refuser/recent.h"

#define SALT 7
#define BEGIN_MS 5000

static struct sip_guard_sieve window(uint32_t start, uint32_t share)
{
	return (struct sip_guard_sieve){ .salt = SALT, .start = start, .share = share };
}

static void before_any_overload_all_may_have_been_read(void **state)
{
	(void)state;
	struct sip_refuser_recent recent;
	sip_refuser_recent_init(&recent);
	CHECK_TRUE(sip_refuser_recent_has(&recent, 0, 0));
	CHECK_TRUE(sip_refuser_recent_has(&recent, SIP_GUARD_SHARE_ALL - 1, 1000000));
}

static void a_second_after_it_began_all_but_the_window_were_not(void **state)
{
	(void)state;
	struct sip_refuser_recent recent;
	struct sip_guard_sieve narrow = window(60000, 10000); // round the corner
	uint64_t later_ms = BEGIN_MS + SIP_REFUSER_QUIET_MS;
	sip_refuser_recent_init(&recent);
	sip_refuser_recent_follow(&recent, &narrow, BEGIN_MS);
	CHECK_TRUE(sip_refuser_recent_has(&recent, 30000, later_ms - 1));
	sip_refuser_recent_follow(&recent, &narrow, later_ms);
	CHECK_TRUE(!sip_refuser_recent_has(&recent, 30000, later_ms));
	CHECK_TRUE(sip_refuser_recent_has(&recent, 60000, later_ms));
	CHECK_TRUE(sip_refuser_recent_has(&recent, 4463, later_ms));
	CHECK_TRUE(!sip_refuser_recent_has(&recent, 4464, later_ms));
}

static void what_left_the_window_is_let_be_for_a_second(void **state)
{
	(void)state;
	struct sip_refuser_recent recent;
	uint64_t now_ms = BEGIN_MS;
	sip_refuser_recent_init(&recent);
	for (unsigned i = 0; i < 100; i++, now_ms += 100) { // moves on ten times a second
		struct sip_guard_sieve moved = window(100 * i, 1000);
		sip_refuser_recent_follow(&recent, &moved, now_ms);
	}
	now_ms -= 100; // now at 9900; ten steps ago at 8900
	CHECK_TRUE(sip_refuser_recent_has(&recent, 10899, now_ms));
	CHECK_TRUE(sip_refuser_recent_has(&recent, 9900, now_ms));
	CHECK_TRUE(sip_refuser_recent_has(&recent, 9000, now_ms));
	CHECK_TRUE(!sip_refuser_recent_has(&recent, 8899, now_ms));
	CHECK_TRUE(!sip_refuser_recent_has(&recent, 10900, now_ms));
}

static void under_a_new_salt_nobody_is_sure_at_first(void **state)
{
	(void)state;
	struct sip_refuser_recent recent;
	struct sip_guard_sieve first = window(0, 1000), second = window(0, 1000);
	second.salt++;
	sip_refuser_recent_init(&recent);
	sip_refuser_recent_follow(&recent, &first, BEGIN_MS);
	sip_refuser_recent_follow(&recent, &second, BEGIN_MS + 60000);
	CHECK_TRUE(sip_refuser_recent_has(&recent, 5000, BEGIN_MS + 60999));
	CHECK_TRUE(!sip_refuser_recent_has(&recent, 5000, BEGIN_MS + 61000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_any_overload_all_may_have_been_read),
		cmocka_unit_test(a_second_after_it_began_all_but_the_window_were_not),
		cmocka_unit_test(what_left_the_window_is_let_be_for_a_second),
		cmocka_unit_test(under_a_new_salt_nobody_is_sure_at_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
