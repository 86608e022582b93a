// A call's streams from opening to final figures: messages, room, next hops, events, nothing leaked.

#include "tests/unit/media/bench.h"

static void nothing_is_opened_before_both_sides_are_known(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	struct media *media = bench_open(&bench);
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	media_connect(media);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 0);
	bench_end(&bench);
}

static void four_streams_carry_a_call(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 2);
	struct media *media = bench_call(&bench);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 4);
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLER, 0);
	bench_check_address(&message->open.source, "198.51.100.7"); // any port of that host
	bench_check_address(&message->open.destination, "203.0.113.9:6000"); // MEDIA-007
	CHECK_NUMBER(message->open.out_index, media->legs[MEDIA_CALLED].rtp_index);
	CHECK_NUMBER(message->flags, 0);
	CHECK_NUMBER(message->stream.generation, 1);
	assert_memory_equal(message->open.next_hop, FAKE_NEIGHBOUR_MAC, 6);
	message = bench_sent(&bench, media, MEDIA_CALLED, 1);
	bench_check_address(&message->open.source, "203.0.113.9");
	bench_check_address(&message->open.destination, "198.51.100.7:4001");
	CHECK_NUMBER(message->open.out_index, media->legs[MEDIA_CALLER].rtp_index + 1);
	CHECK_NUMBER(message->flags, STREAM_IS_RTCP | STREAM_ANY_PORT);
	media_connect(media);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 4); // nothing changed
	bench_end(&bench);
}

static void closing_ends_later_with_final_figures(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	uint32_t index = media->legs[MEDIA_CALLED].rtp_index;
	struct stream_view *view = fake_dataplane_view(bench.dataplane, index);
	media_close(media);
	CHECK_NUMBER(bench.closed, 0); // never from inside
	view->packets = 500, view->expected = 503, view->jitter = 160;
	media_close(media); // twice is harmless
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 1);
	const struct media_figures *figures = &bench.last[MEDIA_CALLED];
	CHECK_NUMBER(figures->rtp.packets, 500);
	CHECK_NUMBER(figures->lost, 3);
	CHECK_NUMBER(figures->jitter_us, 1250); // 10 units of 125 us
	CHECK_NUMBER(figures->stream_index, index);
	CHECK_NUMBER(figures->event_type, 96);
	bench_check_address(&figures->remote, "203.0.113.9:6000");
	CHECK_FALSE(figures->is_private);
	const struct media_counters *counters = media_engine_counters(bench.engine);
	CHECK_NUMBER(counter_get(&counters->ports_used), 0);
	CHECK_NUMBER(counter_get(&counters->ports_quarantined), 2);
	CHECK_NUMBER(counter_get(&counters->ports_total), 10000);
	CHECK_NUMBER(fake_neighbours_references(bench.engine->neighbours), 0);
	bench_wait(&bench, 105);
	CHECK_NUMBER(counter_get(&counters->ports_quarantined), 0);
	bench_end(&bench);
}

static void a_call_that_opened_nothing_closes_too(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	struct media *media = bench_open(&bench);
	media_close(media);
	CHECK_NUMBER(bench.closed, 0);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 1);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 0);
	bench_end(&bench);
}

static void a_worker_that_hangs_does_not_hold_the_call_but_its_ports(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	const struct media_counters *counters = media_engine_counters(bench.engine);
	fake_dataplane_set_alive(bench.dataplane, false);
	media_close(media);
	bench_wait(&bench, MEDIA_CLOSE_DEADLINE_MS - 20);
	CHECK_NUMBER(bench.closed, 0);
	bench_wait(&bench, 40);
	CHECK_NUMBER(bench.closed, 1);
	CHECK_NUMBER(counter_get(&counters->ports_used), 2); // nobody else gets them
	fake_dataplane_set_alive(bench.dataplane, true);
	bench_wait(&bench, 500);
	CHECK_NUMBER(counter_get(&counters->ports_used), 0);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	bench_end(&bench);
}

static void a_full_inbox_delays_a_group_and_loses_nothing(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	fake_dataplane_set_room(bench.dataplane, 7);
	struct media *media = bench_call(&bench);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 0); // all or nothing
	const struct media_counters *counters = media_engine_counters(bench.engine);
	CHECK_NUMBER(counter_get(&counters->inbox_full), 4);
	bench_wait(&bench, 50);
	CHECK_NUMBER(counter_get(&counters->inbox_full), 4); // counted once
	fake_dataplane_set_room(bench.dataplane, FAKE_ROOM_ENDLESS);
	bench_wait(&bench, 5);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	fake_dataplane_set_room(bench.dataplane, 0);
	media_close(media);
	bench_wait(&bench, 50);
	CHECK_NUMBER(bench.closed, 0);
	fake_dataplane_set_room(bench.dataplane, FAKE_ROOM_ENDLESS);
	bench_wait(&bench, 10);
	CHECK_NUMBER(bench.closed, 1);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	bench_end(&bench);
}

static void a_call_closed_while_it_waits_opens_nothing(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	fake_dataplane_set_room(bench.dataplane, 0);
	struct media *media = bench_call(&bench);
	media_close(media);
	fake_dataplane_set_room(bench.dataplane, FAKE_ROOM_ENDLESS);
	bench_wait(&bench, 10);
	CHECK_NUMBER(bench.closed, 1);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 0);
	bench_end(&bench);
}

static void unknown_next_hops_are_told_and_corrected(void **state)
{
	(void)state;
	struct bench bench;
	static const uint8_t other[6] = { 2, 0, 0, 0, 0, 9 };
	bench_begin(&bench, 1);
	fake_neighbours_set(bench.engine->neighbours, NULL);
	struct media *media = bench_call(&bench);
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLER, 0);
	CHECK_TRUE(message->flags & STREAM_NO_NEXT_HOP);
	uint32_t generation = message->stream.generation;
	fake_neighbours_set(bench.engine->neighbours, other);
	bench_wait(&bench, 5);
	message = bench_sent(&bench, media, MEDIA_CALLER, 0);
	CHECK_FALSE(message->flags & STREAM_NO_NEXT_HOP);
	assert_memory_equal(message->open.next_hop, other, 6);
	CHECK_NUMBER(message->stream.generation, generation);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 8);
	fake_neighbours_set(bench.engine->neighbours, other); // told again, nothing new
	bench_wait(&bench, 5);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 8);
	bench_end(&bench);
}

static void a_learned_source_becomes_the_destination(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	struct address learned;
	CHECK_TRUE(address_parse(TEXT("192.0.2.200:40000"), &learned));
	bench_begin(&bench, 1);
	struct media *media = bench_open(&bench);
	media_set_symmetric(media, MEDIA_CALLER, true);
	bench_offer(media, MEDIA_CALLER, SDP("10.0.0.5", "4000", EVENTS("101")));
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	media_connect(media);
	uint32_t index = media->legs[MEDIA_CALLER].rtp_index;
	CHECK_TRUE(bench_sent(&bench, media, MEDIA_CALLER, 0)->flags & STREAM_SYMMETRIC);
	CHECK_FALSE(bench_sent(&bench, media, MEDIA_CALLED, 0)->flags & STREAM_SYMMETRIC);
	fake_dataplane_tell(bench.dataplane, MESSAGE_STREAM_LEARNED, index, &learned);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.learned, 1);
	bench_check_address(&bench_sent(&bench, media, MEDIA_CALLED, 0)->open.destination,
			    "192.0.2.200:40000"); // MEDIA-008
	bench_check_address(&bench_sent(&bench, media, MEDIA_CALLED, 1)->open.destination,
			    "10.0.0.5:4001"); // RTCP is learned for itself
	struct media_figures figures;
	media_read(media, MEDIA_CALLER, &figures);
	CHECK_TRUE(figures.is_private); // MEDIA-012
	// The same words again keep it; a new address is learned anew, in both directions.
	bench_offer(media, MEDIA_CALLER, SDP("10.0.0.5", "4000", EVENTS("101")) "a=sendonly\r\n");
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	fake_dataplane_forget_sent(bench.dataplane);
	media_connect(media);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 0);
	bench_offer(media, MEDIA_CALLER, SDP("10.0.0.5", "4010", EVENTS("101")));
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	media_connect(media);
	CHECK_TRUE(bench_sent(&bench, media, MEDIA_CALLER, 0)->flags & STREAM_RELEARN);
	CHECK_TRUE(bench_sent(&bench, media, MEDIA_CALLED, 0)->flags & STREAM_RELEARN);
	bench_check_address(&bench_sent(&bench, media, MEDIA_CALLED, 0)->open.destination,
			    "10.0.0.5:4010");
	bench_end(&bench);
}

static void what_was_not_asked_for_is_not_learned(void **state)
{
	(void)state;
	struct bench bench;
	struct address learned;
	CHECK_TRUE(address_parse(TEXT("192.0.2.200:40000"), &learned));
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	fake_dataplane_tell(bench.dataplane, MESSAGE_STREAM_LEARNED,
			    media->legs[MEDIA_CALLER].rtp_index, &learned);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.learned, 0);
	CHECK_NUMBER(fake_dataplane_sent_count(bench.dataplane), 4);
	bench_end(&bench);
}

static void events_reach_the_owner_and_late_ones_do_not(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	uint32_t index = media->legs[MEDIA_CALLER].rtp_index;
	fake_dataplane_tell(bench.dataplane, MESSAGE_STREAM_STARTED, index, NULL);
	fake_dataplane_tell(bench.dataplane, MESSAGE_STREAM_STARTED, index + 1, NULL); // RTCP
	fake_dataplane_tell(bench.dataplane, MESSAGE_STREAM_TTL, index, NULL);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.started, 1);
	CHECK_NUMBER(bench.ttl, 1);
	fake_dataplane_view(bench.dataplane, index)->generation = 77; // of another time
	fake_dataplane_tell(bench.dataplane, MESSAGE_STREAM_TTL, index, NULL);
	fake_dataplane_view(bench.dataplane, index)->generation = 1;
	fake_dataplane_tell(bench.dataplane, MESSAGE_STREAM_TTL, 6, NULL); // of nobody
	fake_dataplane_tell(bench.dataplane, MESSAGE_STREAM_TTL, index, NULL);
	media_close(media); // before it is collected
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.ttl, 1);
	CHECK_NUMBER(bench.closed, 1);
	bench_end(&bench);
}

static void without_ports_or_dataplane_calls_are_refused(void **state)
{
	(void)state;
	struct bench bench;
	struct media_problem problem;
	struct media *media;
	bench_begin(&bench, 1);
	for (unsigned i = 0; i < 2500; i++)
		CHECK_NUMBER(bench_open(&bench)->legs[MEDIA_CALLED].local.family, ADDRESS_IPV4);
	for (unsigned i = 0; i < 2500; i++)
		media = bench_open(&bench);
	CHECK_NUMBER(media->legs[MEDIA_CALLED].local.family, ADDRESS_IPV6);
	const struct media_counters *counters = media_engine_counters(bench.engine);
	CHECK_NUMBER(counter_get(&counters->exhausted), 0);
	CHECK_STATUS(media_receive_offer(media, MEDIA_CALLER, TEXT(CALLER_SDP), &problem),
		     ERR_LIMIT);
	CHECK_STATUS(media_open(bench.engine, "CA1", &bench, &media), ERR_LIMIT); // LIMIT-016
	CHECK_NUMBER(counter_get(&counters->exhausted), 2);
	media_engine_attach(bench.engine, NULL);
	CHECK_STATUS(media_open(bench.engine, "CA1", &bench, &media), ERR_UNAVAILABLE);
	bench_end(&bench);
}

#define KEY_A "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define KEY_B "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define SECURE_SDP(key)                                                                            \
	"v=0\r\nc=IN IP4 198.51.100.7\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 "                   \
	"AES_CM_128_HMAC_SHA1_80 inline:" key "\r\n"
#define AT_ONCE 300
#define STEPS 100000

// One random step with one of many calls: open, connect, change, hold, close.
static void take_step(struct bench *bench, struct media **media)
{
	static const char *const callers[] = { CALLER_SDP, SECURE_SDP(KEY_A), SECURE_SDP(KEY_B) };
	struct bench_text text;
	struct media_problem problem;
	switch (*media ? random_below(8) : 8) {
	case 0:
		media_close(*media);
		*media = NULL;
		break;
	case 1:
		bench_offer(*media, MEDIA_CALLER, callers[random_below(3)]);
		(void)bench_write_offer(*media, MEDIA_CALLED, &text);
		break;
	case 2:
		bench_answer(*media, MEDIA_CALLED, CALLED_SDP);
		media_connect(*media);
		(void)bench_write_answer(*media, MEDIA_CALLER, &text);
		break;
	case 3:
		bench_offer(*media, MEDIA_CALLED, SDP("203.0.113.10", "6002", "\r\n"));
		(void)bench_write_offer(*media, MEDIA_CALLER, &text);
		(void)media_receive_answer(*media, MEDIA_CALLER, text_of(callers[random_below(3)]),
					   &problem);
		media_connect(*media);
		break;
	case 4:
		media_withdraw_offer(*media);
		break;
	case 5:
		media_forget(*media, MEDIA_CALLED);
		break;
	case 6:
		fake_neighbours_set(bench->engine->neighbours,
				    random_below(2) ? FAKE_NEIGHBOUR_MAC : NULL);
		break;
	case 7:
		fake_dataplane_set_room(bench->dataplane,
					random_below(2) ? random_below(40) : FAKE_ROOM_ENDLESS);
		break;
	default:
		if (media_open(bench->engine, "CA9", bench, media) != OK)
			*media = NULL;
		else
			CHECK_OK(media_set_security(*media, MEDIA_CALLER, MEDIA_AS_OFFERED,
						    SUITE_BITS_AES_CM));
	}
}

static void a_hundred_thousand_random_steps_leak_nothing(void **state)
{
	(void)state;
	struct bench bench;
	static struct media *calls[AT_ONCE];
	unsigned opened = 0;
	bench_begin(&bench, 3);
	for (unsigned i = 0; i < STEPS; i++) {
		struct media **media = &calls[random_below(AT_ONCE)];
		bool was_free = *media == NULL;
		take_step(&bench, media);
		opened += was_free && *media;
		if (i % 16 == 0)
			bench_wait(&bench, 5);
		if (i % 1024 == 0)
			fake_dataplane_forget_sent(bench.dataplane);
	}
	fake_dataplane_set_room(bench.dataplane, FAKE_ROOM_ENDLESS);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		if (calls[i])
			media_close(calls[i]);
		calls[i] = NULL;
	}
	bench_wait(&bench, 2000);
	const struct media_counters *counters = media_engine_counters(bench.engine);
	CHECK_TRUE(opened > 1000);
	CHECK_NUMBER(bench.closed, opened);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	CHECK_NUMBER(fake_dataplane_unkeyed_count(bench.dataplane), 0); // SRTP-001
	CHECK_NUMBER(counter_get(&counters->ports_used), 0);
	CHECK_NUMBER(counter_get(&counters->ports_quarantined), 0);
	CHECK_NUMBER(media_ports_count(bench.engine->ports, MEDIA_PORT_FREE), 10000);
	CHECK_NUMBER(fake_neighbours_references(bench.engine->neighbours), 0);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_opened_before_both_sides_are_known),
		TEST(four_streams_carry_a_call),
		TEST(closing_ends_later_with_final_figures),
		TEST(a_call_that_opened_nothing_closes_too),
		TEST(a_worker_that_hangs_does_not_hold_the_call_but_its_ports),
		TEST(a_full_inbox_delays_a_group_and_loses_nothing),
		TEST(a_call_closed_while_it_waits_opens_nothing),
		TEST(unknown_next_hops_are_told_and_corrected),
		TEST(a_learned_source_becomes_the_destination),
		TEST(what_was_not_asked_for_is_not_learned),
		TEST(events_reach_the_owner_and_late_ones_do_not),
		TEST(without_ports_or_dataplane_calls_are_refused),
		TEST(a_hundred_thousand_random_steps_leak_nothing),
	};
	return RUN_TESTS(tests);
}
