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
	unsigned started, learned, ttl, refused, unauthentic, closed; // events seen
	struct media_figures last[MEDIA_SIDES]; // of the media closed last
};

void bench_event(void *owner, struct media *media, enum media_side side, enum media_event event);
void bench_start(struct bench *bench);
void bench_begin(struct bench *bench, unsigned workers);
void bench_end(struct bench *bench);
void bench_wait(struct bench *bench, uint64_t ms);
struct media *bench_open(struct bench *bench);

#define SDP(host, port, rest)                                                                      \
	"v=0\r\no=x 1 1 IN IP4 " host "\r\ns=-\r\nc=IN IP4 " host "\r\nt=0 0\r\n"                  \
	"m=audio " port " RTP/AVP 0" rest
#define EVENTS(type)                                                                               \
	" " type "\r\na=rtpmap:" type " telephone-event/8000\r\na=fmtp:" type " 0-15\r\n"
#define CALLER_SDP SDP("198.51.100.7", "4000", EVENTS("101"))
#define CALLED_SDP SDP("203.0.113.9", "6000", EVENTS("96"))

void bench_offer(struct media *media, enum media_side from, const char *sdp);
void bench_answer(struct media *media, enum media_side from, const char *sdp);

struct bench_text {
	char room[4096];
};

const char *bench_write_offer(struct media *media, enum media_side to, struct bench_text *text);
const char *bench_write_answer(struct media *media, enum media_side to, struct bench_text *text);
// A whole first exchange: both sides know each other, four streams are open.
struct media *bench_call(struct bench *bench);
const struct message *bench_sent(const struct bench *bench, const struct media *media,
				 enum media_side side, unsigned kind);
void bench_check_address(const struct address *address, const char *expected);

#define CHECK_CONTAINS(text, part)                                                                 \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("no \"%s\" in:\n%s", part, text);                                 \
	} while (0)
