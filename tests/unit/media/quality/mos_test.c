// The E-model's figures against those that ITU-T prints, and against reason.

#include "tests/check.h"

#include "media/quality/mos.h"

static void ratings_have_the_scores_of_the_recommendation(void **state)
{
	// G.107 Annex B, table B.1 and G.109; the last digit of a table may be rounded either way.
	const struct {
		double rating;
		unsigned mos;
	} known[] = { { 93.2, 441 }, { 90, 434 }, { 80, 402 },  { 70, 360 },  { 60, 310 },
		      { 50, 258 },   { 0, 100 },  { -20, 100 }, { 100, 450 }, { 120, 450 } };
	(void)state;
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_in_range(media_mos_of_rating(known[i].rating), known[i].mos - 1,
				known[i].mos + (known[i].mos < 450));
	CHECK_NUMBER(media_mos_of_rating(93.2), 441);
}

static void a_better_rating_never_scores_less(void **state)
{
	(void)state;
	for (int i = -50; i < 1200; i++)
		assert_true(media_mos_of_rating(i / 10.0) <= media_mos_of_rating(i / 10.0 + 0.1));
}

static void loss_costs_what_concealment_leaves(void **state)
{
	(void)state;
	CHECK_NUMBER(media_mos(0, 1000, 0, 0), 440); // 20 ms: R = 92.72
	CHECK_NUMBER(media_mos(10, 1000, 0, 0), 432); // Ie,eff = 3.64: R = 89.08
	CHECK_NUMBER(media_mos(50, 1000, 0, 0), 390); // 15.78: 76.94
	CHECK_NUMBER(media_mos(200, 1000, 0, 0), 261); // 42.13: 50.59
	CHECK_NUMBER(media_mos(1000, 1000, 0, 0), 116); // 75.94: 16.78
	CHECK_NUMBER(media_mos(2000, 1000, 0, 0), media_mos(1000, 1000, 0, 0));
	CHECK_NUMBER(media_mos(UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX), 100);
}

static void delay_costs_more_beyond_177_ms(void **state)
{
	(void)state;
	CHECK_NUMBER(media_mos(0, 1000, 0, 200000), 435); // 120 ms: R = 90.32
	CHECK_NUMBER(media_mos(0, 1000, 50000, 0), media_mos(0, 1000, 0, 200000));
	CHECK_NUMBER(media_mos(0, 1000, 0, 560000), 371); // 300 ms: Id = 7.2 + 13.5, R = 72.5
}

static void a_second_of_speech_is_the_least(void **state)
{
	(void)state;
	CHECK_NUMBER(media_mos(0, 49, 0, 0), 0);
	CHECK_NUMBER(media_mos(0, 0, 0, 0), 0);
	assert_true(media_mos(0, 50, 0, 0) > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ratings_have_the_scores_of_the_recommendation),
		TEST(a_better_rating_never_scores_less),
		TEST(loss_costs_what_concealment_leaves),
		TEST(delay_costs_more_beyond_177_ms),
		TEST(a_second_of_speech_is_the_least),
	};
	return RUN_TESTS(tests);
}
