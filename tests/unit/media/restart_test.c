// Control or dataplane starts anew: orphans, generations, live calls on another dataplane.

#include "tests/unit/media/bench.h"

static void leave_stream(struct bench *bench, uint32_t index, uint32_t generation)
{
	struct message message = { .kind = MESSAGE_STREAM_OPEN, .stream = { index, generation } };
	CHECK_OK(dataplane_send(bench->dataplane, &message));
}

static void restart_control(struct bench *bench)
{
	media_engine_stop(bench->engine);
	bench_start(bench);
}

static void orphans_are_closed_after_the_grace(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 2);
	for (uint32_t index = 100; index < 104; index++)
		leave_stream(&bench, index, 41);
	restart_control(&bench);
	const struct media_counters *counters = media_engine_counters(bench.engine);
	CHECK_NUMBER(counter_get(&counters->ports_used), 2);
	bench_wait(&bench, 4990);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	bench_wait(&bench, 200);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	CHECK_NUMBER(counter_get(&counters->orphans_closed), 2);
	CHECK_NUMBER(counter_get(&counters->ports_used), 0);
	bench_wait(&bench, 200);
	CHECK_NUMBER(media_ports_count(bench.engine->ports, MEDIA_PORT_FREE), 10000);
	bench_end(&bench);
}

static void orphans_wait_for_room_too(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	leave_stream(&bench, 100, 41);
	restart_control(&bench);
	fake_dataplane_set_room(bench.dataplane, 0);
	bench_wait(&bench, 6000);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 1);
	fake_dataplane_set_room(bench.dataplane, FAKE_ROOM_ENDLESS);
	bench_wait(&bench, 300);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	bench_end(&bench);
}

static void a_generation_is_never_used_twice(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	for (uint32_t index = 0; index < MEDIA_PORT_COUNT; index++)
		fake_dataplane_view(bench.dataplane, index)->generation =
			index % 4 == 3 ? UINT32_MAX : 1000;
	restart_control(&bench);
	struct media *media = bench_call(&bench);
	const struct message *message = bench_sent(&bench, media, MEDIA_CALLER, 0);
	CHECK_NUMBER(message->stream.generation, 1001);
	for (unsigned i = 0; i < 4; i++) {
		message = fake_dataplane_sent(bench.dataplane, i);
		CHECK_NUMBER(message->stream.generation, message->stream.index % 4 == 3 ? 1 : 1001);
	}
	bench_end(&bench);
}

// The former process's last message was still under way when this one looked at the slots.
static void a_slot_opened_meanwhile_is_closed_before_it_is_opened(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	bench_begin(&bench, 1);
	struct media *media = bench_open(&bench);
	uint32_t index = media->legs[MEDIA_CALLER].rtp_index;
	leave_stream(&bench, index, 7);
	fake_dataplane_forget_sent(bench.dataplane);
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	media_connect(media);
	CHECK_NUMBER(fake_dataplane_sent(bench.dataplane, 0)->kind, MESSAGE_STREAM_CLOSE);
	CHECK_NUMBER(fake_dataplane_sent(bench.dataplane, 0)->stream.generation, 7);
	CHECK_NUMBER(bench_sent(&bench, media, MEDIA_CALLER, 0)->stream.generation, 8);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	bench_wait(&bench, 5); // the CLOSED of 7 is of no call
	media_close(media);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 1);
	bench_end(&bench);
}

static void live_calls_move_to_a_dataplane_that_started_anew(void **state)
{
	(void)state;
	struct bench bench;
	static const char *const addresses[] = { "192.0.2.1", "2001:db8::1", NULL };
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench), *closing = bench_call(&bench);
	uint32_t index = media->legs[MEDIA_CALLER].rtp_index;
	struct stream_view *view = fake_dataplane_view(bench.dataplane, index);
	view->packets = 100, view->expected = 110, view->ttl_lowest = 50;
	fake_dataplane_set_alive(bench.dataplane, false);
	media_close(closing);
	struct dataplane *former = bench.dataplane;
	media_engine_attach(bench.engine, NULL);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 1); // what it waited for is gone
	bench.dataplane = fake_dataplane_create(1, addresses);
	media_engine_attach(bench.engine, bench.dataplane);
	dataplane_detach(former);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	CHECK_NUMBER(media_ports_count(bench.engine->ports, MEDIA_PORT_HELD), 2);
	view = fake_dataplane_view(bench.dataplane, index);
	view->packets = 11, view->expected = 11;
	media_close(media);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 2);
	CHECK_NUMBER(bench.last[MEDIA_CALLER].rtp.packets, 111);
	CHECK_NUMBER(bench.last[MEDIA_CALLER].lost, 10);
	CHECK_NUMBER(bench.last[MEDIA_CALLER].rtp.ttl_lowest, 50);
	bench_end(&bench);
}

static void a_call_whose_address_is_gone_ends_quietly(void **state)
{
	(void)state;
	struct bench bench;
	static const char *const addresses[] = { "192.0.2.99", NULL };
	bench_begin(&bench, 1);
	struct media *media = bench_open(&bench);
	bench_offer(media, MEDIA_CALLER,
		    "v=0\r\nc=IN IP6 2001:db8:7::7\r\nm=audio 4000 RTP/AVP 0\r\n");
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	media_connect(media);
	struct dataplane *former = bench.dataplane;
	bench.dataplane = fake_dataplane_create(1, addresses);
	media_engine_attach(bench.engine, bench.dataplane);
	dataplane_detach(former);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	struct media_figures figures;
	media_read(media, MEDIA_CALLER, &figures);
	CHECK_NUMBER(figures.local.family, ADDRESS_IPV6); // as it was told
	media_close(media);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 1);
	CHECK_NUMBER(media_ports_count(bench.engine->ports, MEDIA_PORT_FREE), 5000);
	bench_end(&bench);
}

static void the_same_dataplane_attached_again_goes_on(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 1);
	struct media *media = bench_call(&bench);
	fake_dataplane_view(bench.dataplane, media->legs[MEDIA_CALLER].rtp_index)->packets = 9;
	media_engine_attach(bench.engine, bench.dataplane);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	CHECK_NUMBER(bench_sent(&bench, media, MEDIA_CALLER, 0)->stream.generation, 2);
	struct media_figures figures;
	media_read(media, MEDIA_CALLER, &figures);
	CHECK_NUMBER(figures.rtp.packets, 9);
	media_close(media);
	bench_wait(&bench, 10);
	CHECK_NUMBER(bench.closed, 1);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 0);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(orphans_are_closed_after_the_grace),
		TEST(orphans_wait_for_room_too),
		TEST(a_generation_is_never_used_twice),
		TEST(a_slot_opened_meanwhile_is_closed_before_it_is_opened),
		TEST(live_calls_move_to_a_dataplane_that_started_anew),
		TEST(a_call_whose_address_is_gone_ends_quietly),
		TEST(the_same_dataplane_attached_again_goes_on),
	};
	return RUN_TESTS(tests);
}
