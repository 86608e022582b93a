// What is told of a call that is up: by what its parties speak.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "call/call.h"
#include "fake.h"

// wanted NULL: it is there, and null.
static void check(json_t *answer, const char *key, const char *wanted)
{
	json_t *value = json_object_get(json_object_get(answer, "call"), key);
	if (wanted)
		assert_string_equal(json_string_value(value), wanted);
	else
		assert_true(json_is_null(value));
}

// The suite is known as long as the connection stands.
static void a_live_call_tells_its_transports(void **state)
{
	struct fake *fake = *state;
	fake_add_call(fake, "CA01");
	struct call_way *ways = fake->calls[0].ways;
	ways[MEDIA_CALLER] = (struct call_way){ "tls", 0x0304, 2 };
	ways[MEDIA_CALLED] = (struct call_way){ "tls", 0x0303, 9 };
	json_t *answer = fake_ask(fake, "show call CA01");
	check(answer, "caller_transport", "tls");
	check(answer, "caller_tls", "1.3");
	check(answer, "caller_cipher", "TLS_AES_256_GCM_SHA384");
	check(answer, "called_tls", "1.2");
	check(answer, "called_cipher", NULL);
	json_decref(answer);
	ways[MEDIA_CALLER] = (struct call_way){ "udp", 0, 0 };
	answer = fake_ask(fake, "show call CA01");
	check(answer, "caller_transport", "udp");
	check(answer, "caller_tls", NULL);
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_live_call_tells_its_transports, fake_set_up,
						fake_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
