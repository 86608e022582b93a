// What an operator sees of the limits.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"

// LIMIT-003, D-14: what is set and what is used, of all nodes.
static void limits_show_what_is_used_and_who_counts(void **state)
{
	(void)state;
	struct fake *fake = malloc(sizeof(*fake));
	fake_make(fake);
	json_decref(fake_ask(fake, "add account name=Acme"));
	json_decref(fake_ask(fake, "add trunk account=Acme domain=acme cps=7 max_calls=5"));
	json_t *answer = fake_ask(fake, "show limits");
	json_t *rows = json_object_get(answer, "limits");
	json_t *account = json_array_get(rows, 0), *trunk = json_array_get(rows, 1);
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(fake_text(answer, "counted_by"), "Redis");
	assert_int_equal(fake_number(answer, "nodes"), 2);
	assert_string_equal(fake_text(account, "kind"), "account");
	assert_true(json_is_null(json_object_get(account, "calls_limit")));
	assert_string_equal(fake_text(trunk, "kind"), "trunk");
	assert_string_equal(fake_text(trunk, "name"), "acme");
	assert_int_equal(fake_number(trunk, "cps"), 3);
	assert_int_equal(fake_number(trunk, "cps_limit"), 7);
	assert_int_equal(fake_number(trunk, "calls"), 4);
	assert_int_equal(fake_number(trunk, "calls_limit"), 5);
	assert_int_equal(fake_number(trunk, "calls_here"), 2);
	json_decref(answer);
	answer = fake_ask(fake, "show limits acme"); // with its account
	assert_int_equal(json_array_size(json_object_get(answer, "limits")), 2);
	json_decref(answer);
	assert_string_equal(fake_code(fake, "show limits nobody"), "ERR_NOT_FOUND");
	answer = fake_ask(fake, "status");
	assert_string_equal(fake_text(json_object_get(answer, "limits"), "counted_by"), "Redis");
	json_decref(answer);
	fake_remove(fake);
	free(fake);
}

// LIMIT-003: the operator raises it, and hears how far.
static void a_limit_above_the_highest_is_refused(void **state)
{
	(void)state;
	struct fake *fake = malloc(sizeof(*fake));
	fake_make(fake);
	fake->config.limits.max_cps = 50;
	json_decref(fake_ask(fake, "add account name=Acme"));
	json_decref(fake_ask(fake, "add trunk account=Acme domain=acme cps=50"));
	assert_string_equal(fake_code(fake, "change account Acme cps=50"), "");
	json_t *answer = fake_ask(fake, "change trunk acme cps=51");
	assert_string_equal(fake_text(answer, "field"), "cps");
	assert_non_null(strstr(fake_text(answer, "message"), "1 to 50"));
	json_decref(answer);
	answer = fake_ask(fake, "change trunk acme cps=0");
	assert_string_equal(fake_text(answer, "message"),
			    "'0' is not allowed; allowed: a whole number, 1 to 100000");
	json_decref(answer);
	assert_string_equal(fake_code(fake, "change account Acme cps=51"), "ERR_MALFORMED");
	assert_string_equal(fake_code(fake, "change account Acme cps="), "");
	fake_remove(fake);
	free(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_above_the_highest_is_refused),
		cmocka_unit_test(limits_show_what_is_used_and_who_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
