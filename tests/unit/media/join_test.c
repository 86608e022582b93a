// A side of one call's media takes the place of a side of another's: ports, counts and keys go with it.

#include "media/join/join.h"
#include "tests/unit/media/bench.h"

#define TARGET_SDP SDP("203.0.113.77", "7000", EVENTS("101"))

// An INVITE of ours to somebody who is to take the caller's place.
static struct media *ask_target(struct bench *bench, struct media *beside)
{
	struct bench_text text;
	struct media *media;
	CHECK_OK(media_open_beside(beside, "CA0456", bench, &media));
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text), "a=sendrecv");
	bench_answer(media, MEDIA_CALLED, TARGET_SDP);
	return media;
}

static void who_comes_brings_the_ports_along(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 4);
	struct media *media = bench_call(&bench);
	uint32_t left = media->legs[MEDIA_CALLER].rtp_index;
	struct media *target = ask_target(&bench, media);
	uint32_t taken = target->legs[MEDIA_CALLED].rtp_index;
	fake_dataplane_view(bench.dataplane, left)->packets = 7;
	CHECK_OK(media_join(media, MEDIA_CALLER, target, MEDIA_CALLED));
	media_connect(media);
	media_close(target);
	CHECK_NUMBER(media->legs[MEDIA_CALLER].rtp_index, taken);
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLED, 0);
	bench_check_address(&message->open.destination, "203.0.113.77:7000");
	CHECK_NUMBER(message->open.out_index, taken);
	message = bench_sent(&bench, media, MEDIA_CALLER, 0);
	bench_check_address(&message->open.destination, "203.0.113.9:6000");
	bench_check_address(&message->open.source, "203.0.113.77");
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 1); // of who left
	CHECK_NUMBER(bench.last[MEDIA_CALLED].rtp.packets, 7);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	CHECK_NUMBER(counter_get(&media_engine_counters(bench.engine)->ports_used), 2);
	CHECK_FALSE(media_has_news(media, MEDIA_CALLED)); // who stays hears the same
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLER, &text), "o=- ");
	media_close(media);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 2);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	CHECK_NUMBER(fake_neighbours_references(bench.engine->neighbours), 0);
	bench_end(&bench);
}

// Of two calls on different workers who comes must be told where to speak to.
static void who_comes_from_another_worker_gets_other_ports(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 2);
	struct media *media = bench_call(&bench), *other = bench_call(&bench);
	uint32_t kept = media->legs[MEDIA_CALLER].rtp_index;
	uint32_t left = other->legs[MEDIA_CALLED].rtp_index;
	CHECK_FALSE(media_ports_is_beside(bench.engine->ports, kept, left));
	fake_dataplane_view(bench.dataplane, left)->packets = 30;
	fake_dataplane_view(bench.dataplane, kept)->packets = 5;
	CHECK_OK(media_join(media, MEDIA_CALLER, other, MEDIA_CALLED));
	CHECK_NUMBER(media->legs[MEDIA_CALLER].rtp_index, kept);
	CHECK_TRUE(media_has_news(media, MEDIA_CALLER));
	(void)bench_write_offer(media, MEDIA_CALLER, &text);
	CHECK_FALSE(media_has_news(media, MEDIA_CALLER));
	media_connect(media);
	media_close(other);
	bench_wait(&bench, 5);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	CHECK_NUMBER(bench.closed, 1);
	struct media_figures figures;
	media_read(media, MEDIA_CALLER, &figures);
	CHECK_NUMBER(figures.rtp.packets, 30); // of who came, and nothing of who left
	media_close(media);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 2);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	CHECK_NUMBER(counter_get(&media_engine_counters(bench.engine)->ports_used), 0);
	CHECK_NUMBER(fake_neighbours_references(bench.engine->neighbours), 0);
	bench_end(&bench);
}

static void what_held_one_side_is_news_to_the_other(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	bench_offer(media, MEDIA_CALLER, SDP("198.51.100.7", "4000", "\r\na=sendonly\r\n"));
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, SDP("203.0.113.9", "6000", "\r\na=recvonly\r\n"));
	struct media *target = ask_target(&bench, media);
	CHECK_OK(media_join(media, MEDIA_CALLER, target, MEDIA_CALLED));
	media_connect(media);
	CHECK_TRUE(media_has_news(media, MEDIA_CALLED));
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text), "a=sendrecv");
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	CHECK_FALSE(media_has_news(media, MEDIA_CALLER));
	bench_end(&bench);
}

static void nobody_joins_media_that_close(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench), *other = bench_call(&bench), *none;
	media_close(other);
	CHECK_NUMBER(media_join(media, MEDIA_CALLER, other, MEDIA_CALLED), ERR_UNAVAILABLE);
	CHECK_NUMBER(media_open_beside(other, "CA0456", &bench, &none), ERR_UNAVAILABLE);
	media_close(media);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 2);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_brings_the_ports_along),
		cmocka_unit_test(who_comes_from_another_worker_gets_other_ports),
		cmocka_unit_test(what_held_one_side_is_news_to_the_other),
		cmocka_unit_test(nobody_joins_media_that_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
