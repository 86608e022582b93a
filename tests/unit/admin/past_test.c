// What is asked of the history: filters, usage, alerts, and that a wrong question is refused.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "history/history.h"
#include "history/rate.h"
#include "history/usage.h"

#define ACME "AC000000000000000000000000000000aa"
#define DAY_MS 86400000ull

struct past {
	const char *sid, *direction, *from, *to;
	uint64_t days_ago;
	unsigned status;
};

static const struct past CALLS[] = {
	{ "CA1", "termination", "+14155550100", "+442071838750", 0, 200 },
	{ "CA2", "termination", "+14155550100", "+819012345678", 1, 403 },
	{ "CA3", "origination", "+442071838750", "+14155550100", 2, 486 },
	{ "CA4", "origination", "+33123456789", "+14155550101", 9, 503 },
};

static void fill(struct fake *fake)
{
	for (unsigned i = 0; i < sizeof(CALLS) / sizeof(CALLS[0]); i++) {
		struct history_call *call = history_call_open(fake->context.history);
		snprintf(call->sid, sizeof(call->sid), "%s", CALLS[i].sid);
		snprintf(call->account_sid, sizeof(call->account_sid), i == 3 ? "ACother" : ACME);
		snprintf(call->trunk_sid, sizeof(call->trunk_sid),
			 "TK0000000000000000000000000000000%u", i % 2);
		snprintf(call->direction, sizeof(call->direction), "%s", CALLS[i].direction);
		snprintf(call->from, sizeof(call->from), "%s", CALLS[i].from);
		snprintf(call->to, sizeof(call->to), "%s", CALLS[i].to);
		call->start_ms = fake->clock.wall_ms - CALLS[i].days_ago * DAY_MS - 60000;
		call->answer_ms = CALLS[i].status == 200 ? call->start_ms + 1000 : 0;
		call->end_ms = call->start_ms + 31000;
		call->sip_status = (uint16_t)CALLS[i].status;
		history_call_close(fake->context.history, call);
	}
}

// The SIDs of the calls found, a space after each.
static const char *found(struct fake *fake, const char *line, char room[static 64])
{
	json_t *answer = fake_ask(fake, line), *calls = json_object_get(answer, "calls");
	room[0] = 0;
	for (size_t i = 0; i < json_array_size(calls); i++) {
		size_t used = strlen(room);
		snprintf(room + used, 64 - used, "%s ",
			 json_string_value(json_object_get(json_array_get(calls, i), "sid")));
	}
	json_decref(answer);
	return room;
}

// DEBUG-006: failed ones too, with their status, in both directions.
static void the_call_log_is_searched_by_what_calls_are(void **state)
{
	static const struct {
		const char *words, *sids;
	} cases[] = {
		{ "", "CA1 CA2 CA3 CA4 " },
		{ "2", "CA1 CA2 " },
		{ "status=failed", "CA2 CA3 CA4 " },
		{ "status=4xx", "CA2 CA3 " },
		{ "status=486", "CA3 " },
		{ "status=480-599", "CA3 CA4 " },
		{ "direction=origination", "CA3 CA4 " },
		{ "number=+442071838750", "CA1 CA3 " },
		{ "account=" ACME, "CA1 CA2 CA3 " },
		{ "account=" ACME " trunk=TK00000000000000000000000000000001", "CA2 " },
		{ "since=36h", "CA1 CA2 " },
		{ "until=36h", "CA3 CA4 " },
		{ "since=3d until=1d", "CA2 CA3 " },
		{ "since=2001-01-01 until=2001-01-02T03:04", "" },
		{ "status=failed 1", "CA2 " },
	};
	struct fake *fake = *state;
	char line[128], room[64];
	fill(fake);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "show history %s", cases[i].words);
		if (strcmp(found(fake, line, room), cases[i].sids) != 0)
			fail_msg("%s: not %s but %s", line, cases[i].sids, room);
	}
}

static void a_wrong_question_is_refused_by_name(void **state)
{
	static const char *const LINES[] = {
		"show history 0",
		"show history 10001",
		"show history status=",
		"show history status=7xx",
		"show history status=500-400",
		"show history direction=sideways",
		"show history account=nobody",
		"show history since=yesterday",
		"show history since=2026-13-01",
		"show history until=5y",
		"show history month=2026-11",
		"show history colour=red",
		"show alerts code=many",
		"show alerts severity=bad",
		"show alerts cause=nobody_knows",
		"show usage month=2026-13",
		"show usage month=26-01",
		"show usage status=200",
	};
	struct fake *fake = *state;
	for (unsigned i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++)
		if (strcmp(fake_code(fake, LINES[i]), "ERR_MALFORMED") != 0)
			fail_msg("%s: %s", LINES[i], fake_code(fake, LINES[i]));
}

// OTHER-003 (in part): what calls cost is in their rows and in the sums of the month.
static void usage_is_told_by_month_and_account(void **state)
{
	struct fake *fake = *state;
	struct history_rates *rates = NULL;
	struct history_rate_problem problem;
	assert_int_equal(
		history_rates_parse(TEXT("termination,+44,0.06,60,60\n"), &rates, &problem), OK);
	history_set_rates(fake->context.history, rates);
	snprintf(fake->config.usage.currency, sizeof(fake->config.usage.currency), "EUR");
	fill(fake);
	json_t *answer = fake_ask(fake, "show usage account=" ACME);
	const json_t *rows = json_object_get(answer, "usage"), *row = json_array_get(rows, 0);
	assert_int_equal(json_array_size(rows), 1);
	assert_string_equal(json_string_value(json_object_get(row, "category")), "termination");
	assert_string_equal(json_string_value(json_object_get(row, "price")), "0.060000");
	assert_string_equal(json_string_value(json_object_get(row, "currency")), "EUR");
	assert_int_equal(json_integer_value(json_object_get(row, "quantity")), 60);
	assert_int_equal(json_integer_value(json_object_get(row, "count")), 1);
	assert_int_equal(json_integer_value(json_object_get(row, "unpriced")), 0);
	json_decref(answer);
	answer = fake_ask(fake, "show usage month=1999-01");
	assert_int_equal(json_array_size(json_object_get(answer, "usage")), 0);
	json_decref(answer);
	answer = fake_ask(fake, "show history status=200");
	row = json_array_get(json_object_get(answer, "calls"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "price")), "0.060000");
	assert_int_equal(json_integer_value(json_object_get(row, "billed_s")), 60);
	json_decref(answer);
	history_set_rates(fake->context.history, NULL);
	history_rates_destroy(rates);
}

static void alerts_are_searched_by_what_they_are(void **state)
{
	struct fake *fake = *state;
	for (unsigned i = 0; i < 12; i++) {
		struct history_alert alert = { .at_ms = fake->clock.wall_ms - i,
					       .code = 32200 + i % 3,
					       .severity = HISTORY_SEVERITY_ERROR - i % 2 };
		snprintf(alert.cause, sizeof(alert.cause), "%s",
			 i % 4 == 0 ? "uri_challenged" : "uri_proxy_challenged");
		snprintf(alert.call_sid, sizeof(alert.call_sid), "CA%u", i);
		snprintf(alert.account_sid, sizeof(alert.account_sid), "%s", ACME);
		assert_true(history_alert_write(fake->context.history, &alert));
	}
	static const struct {
		const char *line;
		unsigned count;
	} cases[] = {
		{ "show alerts", 12 },
		{ "show alerts 5", 5 },
		{ "show alerts code=32201", 4 },
		{ "show alerts cause=uri_challenged", 3 },
		{ "show alerts code=32201 cause=uri_proxy_challenged", 3 },
		{ "show alerts severity=warning", 6 },
		{ "show alerts code=32201 severity=warning", 2 },
		{ "show alerts call=CA7", 1 },
		{ "show alerts account=" ACME " 3", 3 },
		{ "show alerts until=2001-01-01", 0 },
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *answer = fake_ask(fake, cases[i].line);
		assert_int_equal(json_array_size(json_object_get(answer, "alerts")),
				 cases[i].count);
		json_decref(answer);
	}
}

// DEBUG-031: cause and remedy of every code, as a customer's support reads them.
static void a_code_is_explained_in_both_languages(void **state)
{
	struct fake *fake = *state;
	snprintf(fake->config.alerts.more_info_url, sizeof(fake->config.alerts.more_info_url),
		 "https://docs.example.com/{code}");
	json_t *answer = fake_ask(fake, "show alert-code 32204");
	const json_t *code = json_object_get(answer, "alert_code");
	assert_string_equal(json_string_value(json_object_get(code, "title")),
			    "Caller ID does not belong to the account");
	assert_string_equal(json_string_value(json_object_get(code, "severity")), "error");
	assert_string_equal(json_string_value(json_object_get(code, "more_info")),
			    "https://docs.example.com/32204");
	assert_string_equal(json_string_value(json_array_get(json_object_get(code, "answers"), 0)),
			    "403 Invalid Caller ID");
	assert_true(json_array_size(json_object_get(code, "causes")) > 1);
	assert_true(json_array_size(json_object_get(code, "remedies")) > 1);
	json_decref(answer);
	answer = fake_ask(fake, "show alert-code 32022 ja");
	code = json_object_get(answer, "alert_code");
	assert_non_null(strstr(json_string_value(json_object_get(code, "means")), "30 秒"));
	assert_int_equal(json_array_size(json_object_get(code, "guides")), 2);
	json_decref(answer);
	assert_string_equal(fake_code(fake, "show alert-code 1"), "ERR_NOT_FOUND");
	assert_string_equal(fake_code(fake, "show alert-code many"), "ERR_NOT_FOUND");
	assert_string_equal(fake_code(fake, "show alert-code 32204 fr"), "ERR_NOT_FOUND");
	answer = fake_ask(fake, "show alert-codes ja");
	assert_true(json_array_size(json_object_get(answer, "alert_codes")) > 60);
	json_decref(answer);
}

// However many alerts came later: all of a call's are told with it, the first one first.
static void an_ended_call_keeps_its_alerts(void **state)
{
	struct fake *fake = *state;
	fill(fake);
	for (unsigned i = 0; i < 300; i++) {
		struct history_alert alert = { .at_ms = fake->clock.wall_ms - 1000 + i,
					       .code = i < 2 ? 32205 + i : 32001 };
		snprintf(alert.call_sid, sizeof(alert.call_sid), i < 2 ? "CA2" : "CA%u", i + 100);
		while (!history_alert_write(fake->context.history, &alert))
			json_decref(fake_ask(fake, "show history 1"));
	}
	json_t *answer = fake_ask(fake, "show call CA2");
	const json_t *alerts = json_object_get(json_object_get(answer, "call"), "alerts");
	assert_int_equal(json_array_size(alerts), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(alerts, 0), "code")),
			 32205);
	json_decref(answer);
}

static bool has_text(const json_t *answer, const char *text)
{
	char *dump = json_dumps(answer, 0);
	bool is_there = strstr(dump, text) != NULL;
	free(dump);
	return is_there;
}

// OTHER-005: one document by SID, of an ended call, a call that is up, a trunk; and no secret in it.
static void a_bundle_for_support_holds_what_is_known_of_a_sid(void **state)
{
	struct fake *fake = *state;
	fill(fake);
	snprintf(fake->config.alerts.support_url, sizeof(fake->config.alerts.support_url),
		 "mailto:help@example.com");
	struct history_alert alert = { .at_ms = fake->clock.wall_ms, .code = 32205 };
	snprintf(alert.call_sid, sizeof(alert.call_sid), "CA2");
	snprintf(alert.trunk_sid, sizeof(alert.trunk_sid), "TK00000000000000000000000000000001");
	assert_true(history_alert_write(fake->context.history, &alert));
	json_t *answer = fake_ask(fake, "support CA2");
	const json_t *bundle = json_object_get(answer, "bundle");
	const json_t *call = json_array_get(json_object_get(bundle, "calls"), 0);
	assert_int_equal(json_array_size(json_object_get(bundle, "calls")), 1);
	assert_string_equal(json_string_value(json_object_get(call, "sid")), "CA2");
	assert_int_equal(json_integer_value(json_object_get(call, "sip_status")), 403);
	assert_true(json_is_array(json_object_get(call, "ladder")));
	assert_int_equal(json_array_size(json_object_get(bundle, "alerts")), 1);
	assert_non_null(json_object_get(json_object_get(bundle, "alert_codes"), "32205"));
	assert_true(has_text(answer, "mailto:help@example.com"));
	json_decref(answer);
	answer = fake_ask(fake, "support TK00000000000000000000000000000001");
	bundle = json_object_get(answer, "bundle");
	assert_int_equal(json_array_size(json_object_get(bundle, "calls")), 2);
	assert_int_equal(json_array_size(json_object_get(bundle, "alerts")), 1);
	json_decref(answer);
	fake_add_call(fake, "CA01");
	answer = fake_ask(fake, "support CA01");
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(answer, "bundle"), "calls")), 1);
	json_decref(answer);
	assert_string_equal(fake_code(fake, "support CA404"), "ERR_NOT_FOUND");
	assert_string_equal(fake_code(fake, "support C"), "ERR_MALFORMED");
	assert_string_equal(fake_code(fake, "support CA0123456789012345678901234567890123456789"),
			    "ERR_MALFORMED");
	assert_string_equal(fake_code(fake, "add account name=acme"), "");
	assert_string_equal(fake_code(fake, "add credential_list account=acme name=phones"), "");
	assert_string_equal(fake_code(fake, "add credential list=phones user=alice "
					    "password=Secret123456"),
			    "");
	answer = fake_ask(fake, "show account acme");
	char line[64];
	snprintf(line, sizeof(line), "support %s",
		 json_string_value(json_object_get(json_object_get(answer, "account"), "sid")));
	json_decref(answer);
	answer = fake_ask(fake, line);
	assert_true(has_text(answer, "acme"));
	assert_false(has_text(answer, "ha1") || has_text(answer, "Secret"));
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)
		TEST(the_call_log_is_searched_by_what_calls_are),
		TEST(a_wrong_question_is_refused_by_name),
		TEST(usage_is_told_by_month_and_account),
		TEST(alerts_are_searched_by_what_they_are),
		TEST(a_code_is_explained_in_both_languages),
		TEST(an_ended_call_keeps_its_alerts),
		TEST(a_bundle_for_support_holds_what_is_known_of_a_sid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
