// The bench of the tests of media.
// Runs on: the thread of the test.

#include "tests/unit/media/bench.h"

#include <string.h>

void bench_event(void *owner, struct media *media, enum media_side side, enum media_event event)
{
	struct bench *bench = owner;
	bench->started += event == MEDIA_STARTED;
	bench->learned += event == MEDIA_LEARNED;
	bench->ttl += event == MEDIA_TTL;
	bench->refused += event == MEDIA_REFUSED;
	bench->unauthentic += event == MEDIA_UNAUTHENTIC;
	if (event != MEDIA_CLOSED)
		return;
	bench->closed++;
	CHECK_NUMBER(side, MEDIA_CALLER);
	media_read(media, MEDIA_CALLER, &bench->last[MEDIA_CALLER]);
	media_read(media, MEDIA_CALLED, &bench->last[MEDIA_CALLED]);
}

void bench_start(struct bench *bench)
{
	struct media_engine_options options = {
		.clock = &bench->clock,
		.wheel = bench->wheel,
		.dataplane = bench->dataplane,
		.port_quarantine_ms = 100,
		.orphan_grace_ms = 5000,
		.event = bench_event,
	};
	CHECK_OK(media_engine_start(&options, &bench->engine));
}

void bench_begin(struct bench *bench, unsigned workers)
{
	static const char *const addresses[] = { "192.0.2.1", "2001:db8::1", NULL };
	*bench = (struct bench){ .clock = { .now_ms = 1000 } };
	bench->wheel = wheel_create(1000);
	bench->dataplane = fake_dataplane_create(workers, addresses);
	bench_start(bench);
}

void bench_end(struct bench *bench)
{
	media_engine_stop(bench->engine);
	dataplane_detach(bench->dataplane);
	wheel_destroy(bench->wheel);
}

void bench_wait(struct bench *bench, uint64_t ms)
{
	for (uint64_t end_ms = bench->clock.now_ms + ms; bench->clock.now_ms < end_ms;) {
		bench->clock.now_ms += 5;
		wheel_run(bench->wheel, bench->clock.now_ms);
		media_engine_tick(bench->engine);
	}
}

struct media *bench_open(struct bench *bench)
{
	struct media *media;
	CHECK_OK(media_open(bench->engine, "CA0123", bench, &media));
	return media;
}

void bench_offer(struct media *media, enum media_side from, const char *sdp)
{
	struct media_problem problem;
	CHECK_OK(media_receive_offer(media, from, text_of(sdp), &problem));
}

void bench_answer(struct media *media, enum media_side from, const char *sdp)
{
	struct media_problem problem;
	CHECK_OK(media_receive_answer(media, from, text_of(sdp), &problem));
}

const char *bench_write_offer(struct media *media, enum media_side to, struct bench_text *text)
{
	struct writer writer = writer_of(text->room, sizeof(text->room));
	media_write_offer(media, to, &writer);
	const char *string = writer_string_done(&writer);
	assert_non_null(string);
	return string;
}

const char *bench_write_answer(struct media *media, enum media_side to, struct bench_text *text)
{
	struct writer writer = writer_of(text->room, sizeof(text->room));
	media_write_answer(media, to, &writer);
	const char *string = writer_string_done(&writer);
	assert_non_null(string);
	return string;
}

struct media *bench_call(struct bench *bench)
{
	struct bench_text text;
	struct media *media = bench_open(bench);
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, CALLED_SDP);
	(void)bench_write_answer(media, MEDIA_CALLER, &text);
	media_connect(media);
	return media;
}

const struct message *bench_sent(const struct bench *bench, const struct media *media,
				 enum media_side side, unsigned kind)
{
	return fake_dataplane_last_open(bench->dataplane, media->legs[side].rtp_index + kind);
}

void bench_check_address(const struct address *address, const char *expected)
{
	char room[ADDRESS_TEXT_SIZE];
	CHECK_STRING(address_string(address, room), expected);
}
