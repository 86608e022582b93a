// What is told of the network: connections, bans, ports of media.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "fake.h"

static void the_connections_are_told(void **state)
{
	struct fake *fake = *state;
	json_t *answer = fake_ask(fake, "show connections");
	assert_int_equal(fake_number(answer, "count"), 2);
	assert_int_equal(json_array_size(json_object_get(answer, "connections")), 2);
	assert_string_equal(fake_text(answer, "connections.0.peer"), "192.0.2.1:5060");
	assert_string_equal(fake_text(answer, "connections.0.protocol"), "tls");
	assert_string_equal(fake_text(answer, "connections.0.tls"), "1.3");
	assert_string_equal(fake_text(answer, "connections.0.cipher"), "TLS_AES_256_GCM_SHA384");
	assert_string_equal(fake_text(answer, "connections.0.opened_by"), "peer");
	json_t *other = json_array_get(json_object_get(answer, "connections"), 1);
	assert_int_equal(fake_number(other, "age_s"), 1);
	assert_int_equal(fake_number(other, "waiting_bytes"), 77);
	assert_true(json_is_null(json_object_get(other, "tls")));
	assert_true(json_is_null(json_object_get(other, "heard_s")));
	json_decref(answer);
}

// LIMIT-013: listed, ordered and lifted by the operator.
static void bans_are_listed_ordered_and_lifted(void **state)
{
	struct fake *fake = *state;
	json_t *answer = fake_ask(fake, "show bans");
	assert_int_equal(json_array_size(json_object_get(answer, "bans")), 0);
	json_decref(answer);
	json_decref(fake_ask(fake, "ban 203.0.113.5"));
	json_decref(fake_ask(fake, "ban 2001:db8::1 90"));
	answer = fake_ask(fake, "show bans");
	json_t *bans = json_object_get(answer, "bans");
	assert_int_equal(json_array_size(bans), 2);
	bool is_first = strcmp(fake_text(answer, "bans.0.address"), "203.0.113.5") == 0;
	json_t *four = json_array_get(bans, is_first ? 0 : 1);
	json_t *six = json_array_get(bans, is_first ? 1 : 0);
	assert_int_equal(fake_number(four, "left_s"), 3600);
	assert_int_equal(fake_number(six, "left_s"), 90);
	assert_string_equal(json_string_value(json_object_get(four, "cause")), "operator");
	assert_string_equal(json_string_value(json_object_get(four, "holds_for")), "all");
	assert_string_equal(json_string_value(json_object_get(six, "address")), "2001:db8::/64");
	json_decref(answer);
	assert_string_equal(fake_code(fake, "unban 203.0.113.0/64"), "ERR_MALFORMED");
	assert_string_equal(fake_code(fake, "unban 2001:db8::/64"), "");
	assert_string_equal(fake_code(fake, "unban 2001:db8::2"), "ERR_NOT_FOUND");
	assert_string_equal(fake_code(fake, "unban 203.0.113.5"), "");
	assert_string_equal(fake_code(fake, "unban 203.0.113.5"), "ERR_NOT_FOUND");
	assert_string_equal(fake_code(fake, "unban all"), "");
	assert_string_equal(fake_code(fake, "unban all"), "");
	assert_string_equal(fake_code(fake, "ban nobody"), "ERR_MALFORMED");
	assert_string_equal(fake_code(fake, "ban 203.0.113.5 0"), "ERR_MALFORMED");
	assert_string_equal(fake_code(fake, "ban 203.0.113.5 soon"), "ERR_MALFORMED");
}

// Who holds which port since when, and which nobody gives back.
static void the_ledger_of_ports_is_told_and_asked_by_call(void **state)
{
	struct fake *fake = *state;
	uint32_t indexes[2];
	fake_add_call(fake, "CA01");
	struct media_port_user user = { fake, "CA01", fake->clock.now_ms - 7000 };
	assert_int_equal(media_ports_take(fake->ports, ADDRESS_IPV4, &user, indexes), OK);
	user.call_sid = "CA99"; // is no more
	assert_int_equal(media_ports_take(fake->ports, ADDRESS_IPV4, &user, indexes), OK);
	media_ports_give(fake->ports, indexes[1], fake->clock.now_ms);
	json_t *answer = fake_ask(fake, "show ports"), *pairs = json_object_get(answer, "pairs");
	assert_int_equal(json_array_size(pairs), 4);
	assert_string_equal(fake_text(answer, "pairs.0.call"), "CA01");
	assert_string_equal(fake_text(answer, "pairs.0.state"), "held");
	assert_string_equal(fake_text(answer, "pairs.0.why"), "call is up");
	assert_true(json_is_false(json_object_get(json_array_get(pairs, 0), "leaked")));
	assert_int_equal(fake_number(json_array_get(pairs, 0), "age_s"), 7);
	assert_string_equal(fake_text(answer, "pairs.2.call"), "CA99");
	assert_string_equal(fake_text(answer, "pairs.2.why"), "its call is gone");
	assert_true(json_is_true(json_object_get(json_array_get(pairs, 2), "leaked")));
	assert_string_equal(fake_text(answer, "pairs.3.state"), "resting");
	assert_int_equal(fake_number(json_object_get(answer, "ports"), "total"), 5000);
	json_decref(answer);
	answer = fake_ask(fake, "show ports CA01");
	assert_int_equal(json_array_size(json_object_get(answer, "pairs")), 2);
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)
		TEST(the_connections_are_told),
		TEST(bans_are_listed_ordered_and_lifted),
		TEST(the_ledger_of_ports_is_told_and_asked_by_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
