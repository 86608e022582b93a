#pragma once

// An engine over the fake dataplane and fake next hops, with a clock set by hand.
// Runs on: the thread of the test.

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "media/engine.h"
#include "tests/fake/dataplane.h"
#include "tests/fake/neighbour.h"

struct bench {
	struct clock clock;
	struct wheel *wheel;
	struct dataplane *dataplane;
	struct media_engine *engine;
	unsigned started, learned, ttl, closed; // events seen
	struct media_figures last[MEDIA_SIDES]; // of the media closed last
};

static inline void bench_event(void *owner, struct media *media, enum media_side side,
			       enum media_event event)
{
	struct bench *bench = owner;
	bench->started += event == MEDIA_STARTED;
	bench->learned += event == MEDIA_LEARNED;
	bench->ttl += event == MEDIA_TTL;
	if (event != MEDIA_CLOSED)
		return;
	bench->closed++;
	CHECK_NUMBER(side, MEDIA_CALLER);
	media_read(media, MEDIA_CALLER, &bench->last[MEDIA_CALLER]);
	media_read(media, MEDIA_CALLED, &bench->last[MEDIA_CALLED]);
}

static inline void bench_start(struct bench *bench)
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

static inline void bench_begin(struct bench *bench, unsigned workers)
{
	static const char *const addresses[] = { "192.0.2.1", "2001:db8::1", NULL };
	*bench = (struct bench){ .clock = { .now_ms = 1000 } };
	bench->wheel = wheel_create(1000);
	bench->dataplane = fake_dataplane_create(workers, addresses);
	bench_start(bench);
}

static inline void bench_end(struct bench *bench)
{
	media_engine_stop(bench->engine);
	dataplane_detach(bench->dataplane);
	wheel_destroy(bench->wheel);
}

static inline void bench_wait(struct bench *bench, uint64_t ms)
{
	for (uint64_t end_ms = bench->clock.now_ms + ms; bench->clock.now_ms < end_ms;) {
		bench->clock.now_ms += 5;
		wheel_run(bench->wheel, bench->clock.now_ms);
		media_engine_tick(bench->engine);
	}
}

static inline struct media *bench_open(struct bench *bench)
{
	struct media *media;
	CHECK_OK(media_open(bench->engine, "CA0123", bench, &media));
	return media;
}

#define SDP(host, port, rest)                                                                      \
	"v=0\r\no=x 1 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\n"                  \
	"m=audio " port " RTP/AVP 0" rest
#define EVENTS(type)                                                                               \
	" " type "\r\na=rtpmap:" type " telephone-event/8000\r\na=fmtp:" type " 0-15\r\n"
#define CALLER_SDP SDP("198.51.100.7", "4000", EVENTS("101"))
#define CALLED_SDP SDP("203.0.113.9", "6000", EVENTS("96"))

static inline void bench_offer(struct media *media, enum media_side from, const char *sdp)
{
	struct media_problem problem;
	CHECK_OK(media_receive_offer(media, from, text_of(sdp), &problem));
}

static inline void bench_answer(struct media *media, enum media_side from, const char *sdp)
{
	struct media_problem problem;
	CHECK_OK(media_receive_answer(media, from, text_of(sdp), &problem));
}

struct bench_text {
	char room[4096];
};

static inline const char *bench_write_offer(struct media *media, enum media_side to,
					    struct bench_text *text)
{
	struct writer writer = writer_of(text->room, sizeof(text->room));
	media_write_offer(media, to, &writer);
	const char *string = writer_string_done(&writer);
	assert_non_null(string);
	return string;
}

static inline const char *bench_write_answer(struct media *media, enum media_side to,
					     struct bench_text *text)
{
	struct writer writer = writer_of(text->room, sizeof(text->room));
	media_write_answer(media, to, &writer);
	const char *string = writer_string_done(&writer);
	assert_non_null(string);
	return string;
}

// A whole first exchange: both sides know each other, four streams are open.
static inline struct media *bench_call(struct bench *bench)
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

static inline const struct message *bench_sent(const struct bench *bench, const struct media *media,
					       enum media_side side, unsigned kind)
{
	return fake_dataplane_last_open(bench->dataplane, media->legs[side].rtp_index + kind);
}

static inline void bench_check_address(const struct address *address, const char *expected)
{
	char room[ADDRESS_TEXT_SIZE];
	CHECK_STRING(address_string(address, room), expected);
}

#define CHECK_CONTAINS(text, part)                                                                 \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("no \"%s\" in:\n%s", part, text);                                 \
	} while (0)
