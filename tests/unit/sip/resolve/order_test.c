// In which order the records of an answer are tried. Runs on the thread of the test.

#include "sip/resolve/order.h"

#include "tests/check.h"
#include "tests/draws.h"

static struct dns_answer answer_of(const uint16_t (*records)[2], unsigned count)
{
	struct dns_answer answer = { .count = count };
	for (unsigned i = 0; i < count; i++) {
		answer.records[i].priority = records[i][0];
		answer.records[i].weight = records[i][1];
	}
	return answer;
}

// ORIG-043, RFC 2782: a number from 0 to the sum of the weights is drawn, so those of weight 0, which come
// first, have one chance in sum + 1, and the first of the others one more than its weight.
static void srv_records_are_drawn_by_weight_among_equals(void **state)
{
	(void)state;
	static const uint16_t RECORDS[][2] = {
		{ 20, 65535 }, { 10, 60 }, { 10, 0 }, { 10, 30 }, { 10, 10 }
	};
	struct dns_answer answer = answer_of(RECORDS, 5);
	unsigned first[4] = { 0 }, second[3] = { 0 }, heaviest = 0;
	for (unsigned i = 0; i < DRAWS; i++) {
		unsigned places[DNS_RECORDS_MAX], seen = 0;
		order_draw(&answer, places);
		for (unsigned at = 0; at < 5; at++)
			seen |= 1u << places[at];
		CHECK_NUMBER(seen, 31); // each once
		CHECK_NUMBER(places[4], 0); // of lower priority, whatever it weighs
		first[places[0] - 1]++;
		if (places[0] != 1) // the heaviest is not it: the rest is drawn anew
			continue;
		heaviest++;
		second[places[1] - 2]++;
	}
	const double expected[] = { 60 / 101. * DRAWS, 1 / 101. * DRAWS, 30 / 101. * DRAWS,
				    10 / 101. * DRAWS };
	assert_true(chi_square(first, expected, 4) < 22);
	const double rest[] = { heaviest / 41., heaviest * 30 / 41., heaviest * 10 / 41. };
	assert_true(chi_square(second, rest, 3) < 20);
}

static void records_of_no_weight_keep_their_order(void **state)
{
	(void)state;
	static const uint16_t RECORDS[][2] = { { 2, 0 }, { 1, 0 }, { 1, 0 }, { 0, 0 } };
	static const unsigned ORDER[] = { 3, 1, 2, 0 };
	struct dns_answer answer = answer_of(RECORDS, 4);
	for (unsigned i = 0; i < 100; i++) {
		unsigned places[DNS_RECORDS_MAX];
		order_draw(&answer, places);
		for (unsigned at = 0; at < 4; at++)
			CHECK_NUMBER(places[at], ORDER[at]);
	}
}

static void the_heaviest_weights_do_not_overflow(void **state)
{
	(void)state;
	struct dns_answer answer = { .count = DNS_RECORDS_MAX };
	unsigned first[DNS_RECORDS_MAX] = { 0 };
	for (unsigned i = 0; i < DNS_RECORDS_MAX; i++)
		answer.records[i].weight = 65535;
	for (unsigned i = 0; i < DRAWS; i++) {
		unsigned places[DNS_RECORDS_MAX];
		order_draw(&answer, places);
		first[places[0]]++;
	}
	for (unsigned i = 0; i < DNS_RECORDS_MAX; i++)
		assert_in_range(first[i], DRAWS / DNS_RECORDS_MAX / 2, DRAWS / DNS_RECORDS_MAX * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(srv_records_are_drawn_by_weight_among_equals),
		TEST(records_of_no_weight_keep_their_order),
		TEST(the_heaviest_weights_do_not_overflow),
	};
	return RUN_TESTS(tests);
}
