// Every command with the n-th allocation refused: one answer each, possibly none of words, no leak.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "admin/metrics.h"
#include "admin/request.h"
#include "fake.h"
#include "tests/fake/allocation.h"

#define ALLOCATIONS_MAX 5000

struct answers {
	unsigned count;
	bool is_malformed;
};

static void count_answer(void *owner, struct text answer)
{
	struct answers *answers = owner;
	answers->count++;
	answers->is_malformed = // no memory for it: there is no answer to look at
		answer.size > 0 &&
		memmem(answer.data, answer.size, "malformed", strlen("malformed")) != NULL;
}

static void every_command_answers_once_without_memory(void **state)
{
	static const char *const LINES[] = {
		"status",
		"show calls",
		"show call CA01",
		"show streams",
		"show workers",
		"show ports",
		"show connections",
		"show alerts",
		"show accounts",
		"show account acme",
		"add account name=other",
		"change account acme status=suspended",
		"add account name=acme",
		"remove account other",
		"check number +14155550100 12",
		"hangup all",
		"reload",
		"help add trunk",
		"commands",
		"complete show account ''",
		"nonsense",
		"\"",
		("add trunk account=acme domain=one new_acl=office new_acl_addresses=192.0.2.7 "
		 "new_credential_list=new new_user=pbx password=Correct9Horse"),
		("add credential list=users user=pbx password=Correct9Horse"),
	};
	(void)state;
	static struct fake fake;
	struct admin_peer peer = { 0, 1 };
	json_set_alloc_funcs(malloc, free); // this file's, which can be refused
	fake_make(&fake);
	fake_add_call(&fake, "CA01");
	assert_string_equal(fake_code(&fake, "add account name=acme"), "");
	assert_string_equal(fake_code(&fake, "add credential_list account=acme name=users"), "");
	for (unsigned line = 0; line < sizeof(LINES) / sizeof(LINES[0]); line++) {
		bool has_failed = true, was_malformed = false, is_malformed = false;
		for (unsigned n = 1; has_failed && n < ALLOCATIONS_MAX; n++) {
			struct answers answers = { 0 };
			allocation_fail_at(n);
			struct admin_request *request = admin_request_run(
				&fake.context, text_of(LINES[line]), peer, count_answer, &answers);
			has_failed = allocation_has_failed();
			allocation_fail_at(0);
			assert_null(request);
			assert_int_equal(answers.count, 1);
			was_malformed |= is_malformed;
			is_malformed = answers.is_malformed;
		}
		assert_false(has_failed);
		if (was_malformed && !is_malformed) // by the last one, which had memory
			fail_msg("for want of memory it is taken for malformed: %s", LINES[line]);
	}
	fake_remove(&fake);
}

static void a_page_of_metrics_is_whole_or_not_there(void **state)
{
	(void)state;
	static struct fake fake;
	bool has_failed = true;
	fake_make(&fake);
	for (unsigned n = 1; has_failed && n < ALLOCATIONS_MAX; n++) {
		allocation_fail_at(n);
		char *page = admin_metrics_write(&fake.context);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		free(page);
	}
	assert_false(has_failed);
	fake_remove(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_answers_once_without_memory),
		cmocka_unit_test(a_page_of_metrics_is_whole_or_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
