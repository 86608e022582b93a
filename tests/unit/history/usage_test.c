// Usage: prices by prefix, steps of billing, items that are metered once, sums by month. OTHER-003 (in part)

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "history/find.h"
#include "history/rate.h"
#include "world.h"

static const char RATES[] = "# what calls cost\n"
			    "termination,*,0.5\n"
			    "termination,+44,0.0123,60,60\n"
			    "termination, +447 ,0.025, 30, 6\r\n"
			    "termination,+1,0.0085,1,1\n"
			    "\n"
			    "number,+1,1.15\n"
			    "cnam,*,0.01\n";

static struct history_rates *rates_of(const char *text)
{
	struct history_rates *rates = NULL;
	struct history_rate_problem problem = { 0 };
	assert_int_equal(history_rates_parse(text_of(text), &rates, &problem), OK);
	return rates;
}

static void the_longest_prefix_decides(void **state)
{
	(void)state;
	static const struct {
		enum history_category category;
		const char *number, *prefix;
	} cases[] = {
		{ HISTORY_USAGE_TERMINATION, "+442071838750", "+44" },
		{ HISTORY_USAGE_TERMINATION, "+447700900123", "+447" },
		{ HISTORY_USAGE_TERMINATION, "+14155550100", "+1" },
		{ HISTORY_USAGE_TERMINATION, "+819012345678", "*" },
		{ HISTORY_USAGE_TERMINATION, "", "*" },
		{ HISTORY_USAGE_CNAM, "+14155550100", "*" },
		{ HISTORY_USAGE_NUMBER, "+14155550100", "+1" },
		{ HISTORY_USAGE_NUMBER, "+442071838750", NULL },
		{ HISTORY_USAGE_ORIGINATION, "+14155550100", NULL },
	};
	struct history_rates *rates = rates_of(RATES);
	assert_int_equal(history_rates_count(rates), 6);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct history_rate *rate =
			history_rate_find(rates, cases[i].category, text_of(cases[i].number));
		if (cases[i].prefix == NULL)
			assert_null(rate);
		else
			assert_string_equal(rate->prefix, cases[i].prefix);
	}
	assert_null(history_rate_find(NULL, HISTORY_USAGE_CNAM, TEXT("+1")));
	history_rates_destroy(rates);
}

static void a_wrong_line_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned line;
		const char *what;
	} cases[] = {
		{ "fax,*,1\n", 1, "category" },
		{ "cnam,*,1\ncnam,1,1\n", 2, "prefix" },
		{ "cnam,+,1\n", 1, "prefix" },
		{ "cnam,+0,1\n", 1, "prefix" },
		{ "cnam,+12345678901234567,1\n", 1, "prefix" },
		{ "cnam,*,\n", 1, "price" },
		{ "cnam,*,1.\n", 1, "price" },
		{ "cnam,*,-1\n", 1, "price" },
		{ "cnam,*,1.0000001\n", 1, "price" },
		{ "cnam,*,99999999\n", 1, "price" },
		{ "termination,*,1,0,1\n", 1, "first_s" },
		{ "termination,*,1,1,x\n", 1, "first_s" },
		{ "termination,*,1,1,1,1\n", 1, "five" },
		{ "cnam,+1,1\ncnam,+1,2\n", 0, "two prices" },
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct history_rates *rates = NULL;
		struct history_rate_problem problem = { 0 };
		assert_int_equal(history_rates_parse(text_of(cases[i].text), &rates, &problem),
				 ERR_MALFORMED);
		assert_null(rates);
		assert_int_equal(problem.line, cases[i].line);
		assert_non_null(strstr(problem.text, cases[i].what));
	}
}

static void a_file_that_is_not_there_says_so(void **state)
{
	(void)state;
	struct history_rates *rates = NULL;
	struct history_rate_problem problem = { 0 };
	assert_int_equal(history_rates_load("/nowhere/rates.csv", &rates, &problem), ERR_SYSTEM);
	assert_string_equal(problem.text, "No such file or directory");
}

static void a_call_is_billed_in_steps(void **state)
{
	(void)state;
	static const struct {
		const char *number;
		uint64_t talk_ms;
		uint32_t billed_s;
		uint64_t price_micro;
	} cases[] = {
		{ "+442071838750", 1, 60, 12300 },
		{ "+442071838750", 60000, 60, 12300 },
		{ "+442071838750", 60001, 120, 24600 },
		{ "+447700900123", 30500, 36, 15000 },
		{ "+447700900123", 36000, 36, 15000 },
		{ "+14155550100", 0, 1, 142 }, // 0.0085 / 60, rounded to a millionth
		{ "+14155550100", 59500, 60, 8500 },
		{ "+819012345678", 86400000, 86400, 720000000 },
	};
	struct history_rates *rates = rates_of(RATES);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct history_call call = { .direction = "termination", .answer_ms = 5000 };
		text_copy_cut(text_of(cases[i].number), call.to, sizeof(call.to));
		call.end_ms = call.answer_ms + cases[i].talk_ms;
		history_rate_call(rates, &call);
		assert_int_equal(call.billed_s, cases[i].billed_s);
		assert_int_equal(call.price_micro, cases[i].price_micro);
		assert_int_equal(call.is_priced, 1);
		call.answer_ms = 0;
		history_rate_call(rates, &call);
		assert_int_equal(call.billed_s, 0);
		assert_int_equal(call.is_priced, 0);
		call.answer_ms = 5000;
		history_rate_call(NULL, &call);
		assert_int_equal(call.billed_s, (cases[i].talk_ms + 999) / 1000);
		assert_int_equal(call.is_priced, 0);
	}
	history_rates_destroy(rates);
}

static void a_price_never_overflows(void **state)
{
	(void)state;
	struct history_rates *rates = rates_of("message-out,*,1000000\n");
	struct history_usage item = { .category = HISTORY_USAGE_MESSAGE_OUT,
				      .quantity = UINT32_MAX };
	history_rate_item(rates, &item);
	assert_true(item.price_micro <= INT64_MAX);
	history_rates_destroy(rates);
}

static void every_category_has_a_word_of_its_own(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HISTORY_CATEGORY_COUNT; i++) {
		const struct history_category_facts *facts =
			history_category_facts((enum history_category)i);
		assert_int_equal(history_category_of(text_of(facts->word)), i);
	}
	assert_int_equal(history_category_of(TEXT("fax")), HISTORY_CATEGORY_COUNT);
}

static struct history_usage number_item(const char *key)
{
	struct history_usage item = { .at_ms = 1700000000000, // 2023-11-14
				      .category = HISTORY_USAGE_NUMBER,
				      .quantity = 1 };
	text_copy_cut(text_of(key), item.key, sizeof(item.key));
	text_copy_cut(TEXT("AC1"), item.account_sid, sizeof(item.account_sid));
	text_copy_cut(TEXT("+14155550100"), item.subject, sizeof(item.subject));
	return item;
}

// What cannot be metered is refused, what comes twice is metered once.
static void an_item_is_metered_once(void **state)
{
	struct world *world = *state;
	struct history_rates *rates = rates_of(RATES);
	assert_int_equal(world_start(world), OK);
	history_set_rates(world->history, rates);
	struct history_usage item = number_item("number/PN1/2023-11");
	assert_int_equal(history_usage_write(world->history, &item), OK);
	assert_int_equal(history_usage_write(world->history, &item), OK);
	item = number_item("number/PN2/2023-11");
	assert_int_equal(history_usage_write(world->history, &item), OK);
	item = number_item("");
	assert_int_equal(history_usage_write(world->history, &item), ERR_MALFORMED);
	item = number_item("number/PN3/2023-11");
	item.category = HISTORY_CATEGORY_COUNT;
	assert_int_equal(history_usage_write(world->history, &item), ERR_MALFORMED);
	assert_true(world_wait_written(world, 3, 3000));
	world_stop(world);
	history_rates_destroy(rates);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM usage"), 2);
	assert_int_equal(world_ask(world, "SELECT count FROM usage_months WHERE account_sid='AC1' "
					  "AND month='2023-11' AND category='number'"),
			 2);
	assert_int_equal(world_ask(world, "SELECT price_micro FROM usage_months"), 2300000);
}

struct totals {
	struct history_usage_total rows[8];
	unsigned count;
	bool is_done;
};

static void found(void *context, const struct history_usage_total *total)
{
	struct totals *totals = context;
	if (!total)
		totals->is_done = true;
	else if (totals->count < 8)
		totals->rows[totals->count++] = *total;
}

static void ask(struct world *world, const char *account, const char *month,
		struct totals *out_totals)
{
	struct history_filter filter = { 0 };
	memset(out_totals, 0, sizeof(*out_totals));
	text_copy_cut(text_of(account), filter.account_sid, sizeof(filter.account_sid));
	text_copy_cut(text_of(month), filter.month, sizeof(filter.month));
	assert_int_equal(history_find_usage(world->history, &filter, found, out_totals), OK);
	for (unsigned i = 0; i < 400 && !out_totals->is_done; i++)
		world_turn(world, 5);
	assert_true(out_totals->is_done);
}

static void talk(struct world *world, const char *sid, uint64_t start_ms, uint64_t talk_ms)
{
	struct history_call *call = world_fill(world, sid);
	text_copy_cut(TEXT("AC1"), call->account_sid, sizeof(call->account_sid));
	call->start_ms = start_ms;
	call->answer_ms = talk_ms > 0 ? start_ms + 2000 : 0;
	call->end_ms = start_ms + 2000 + talk_ms;
	history_call_close(world->history, call);
}

// Calls of two months: those not answered cost nothing, a call begun in one month belongs to it.
static void the_sums_of_a_month_are_those_of_its_calls(void **state)
{
	struct world *world = *state;
	struct totals totals;
	struct history_rates *rates = rates_of(RATES);
	const uint64_t december_ms = 1701388800000;
	assert_int_equal(world_start(world), OK);
	history_set_rates(world->history, rates);
	talk(world, "CA1", 1700000000000, 61000);
	talk(world, "CA2", december_ms - 1000, 5000);
	talk(world, "CA3", december_ms, 3000);
	talk(world, "CA4", december_ms, 0);
	talk(world, "CA1", 1700000000000, 61000); // a replay
	ask(world, "AC1", "2023-11", &totals);
	assert_int_equal(totals.count, 1);
	assert_int_equal(totals.rows[0].category, HISTORY_USAGE_TERMINATION);
	assert_int_equal(totals.rows[0].count, 2);
	assert_int_equal(totals.rows[0].quantity, 180);
	assert_int_equal(totals.rows[0].price_micro, 36900);
	assert_int_equal(totals.rows[0].unpriced, 0);
	ask(world, "", "", &totals);
	assert_int_equal(totals.count, 2);
	assert_string_equal(totals.rows[0].month, "2023-12");
	assert_int_equal(totals.rows[0].count, 1);
	ask(world, "AC2", "", &totals);
	assert_int_equal(totals.count, 0);
	const struct history_counters *counters = history_counters(world->history);
	assert_int_equal(counter_get(&counters->usage_quantity[HISTORY_USAGE_TERMINATION]), 360);
	world_stop(world);
	history_rates_destroy(rates);
	assert_int_equal(world_ask(world, "SELECT sum(billed_seconds) FROM calls"), 240);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
		TEST(the_longest_prefix_decides),
		TEST(a_wrong_line_is_named),
		TEST(a_file_that_is_not_there_says_so),
		TEST(a_call_is_billed_in_steps),
		TEST(a_price_never_overflows),
		TEST(every_category_has_a_word_of_its_own),
		TEST(an_item_is_metered_once),
		TEST(the_sums_of_a_month_are_those_of_its_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
