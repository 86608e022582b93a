// What control sends, against the worker's own stream table: it must accept every message, whenever
// it reads it, and end up doing what the call is about.

#include "tests/unit/media/bench.h"

#include "tests/fake/worker.h"

static void a_call_and_its_changes_are_accepted(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	struct fake_worker_stream stream;
	bench_begin(&bench, 1);
	struct fake_worker *worker = fake_worker_create(bench.dataplane);
	struct media *media = bench_call(&bench);
	fake_worker_poll(worker);
	CHECK_NUMBER(fake_worker_open_count(worker), 4);
	fake_worker_read(worker, media->legs[MEDIA_CALLER].rtp_index, &stream);
	CHECK_NUMBER(stream.destination_port, 6000);
	CHECK_NUMBER(stream.source_port, 0);
	CHECK_NUMBER(stream.out_port, media->legs[MEDIA_CALLED].local.port);
	CHECK_TRUE(stream.has_reverse);
	CHECK_NUMBER(stream.reverse_index, media->legs[MEDIA_CALLED].rtp_index);
	bench_offer(media, MEDIA_CALLER, SDP("0.0.0.0", "4000", EVENTS("101"))); // hold
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	bench_answer(media, MEDIA_CALLED, SDP("203.0.113.9", "6010", EVENTS("96")));
	media_connect(media);
	fake_worker_poll(worker);
	fake_worker_read(worker, media->legs[MEDIA_CALLER].rtp_index, &stream);
	CHECK_NUMBER(stream.destination_port, 6010);
	fake_worker_read(worker, media->legs[MEDIA_CALLED].rtp_index, &stream);
	CHECK_TRUE(stream.flags & STREAM_NO_NEXT_HOP);
	media_close(media);
	fake_worker_poll(worker);
	bench_wait(&bench, 5);
	CHECK_NUMBER(bench.closed, 1);
	CHECK_NUMBER(fake_worker_open_count(worker), 0);
	CHECK_NUMBER(fake_worker_refused(worker), 0);
	fake_worker_destroy(worker);
	bench_end(&bench);
}

#define AT_ONCE 100
#define STEPS 20000

#define SECURE(host, suite, key)                                                                   \
	"v=0\r\nc=IN IP4 " host "\r\nm=audio 4000 RTP/SAVP 0\r\na=crypto:1 " suite " inline:" key  \
	"\r\n"
#define KEY_A "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define KEY_B "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"

static struct media *open_call(struct bench *bench)
{
	struct media *media = bench_open(bench);
	CHECK_OK(media_set_security(media, MEDIA_CALLER, MEDIA_AS_OFFERED, SUITE_BITS_AES_CM));
	CHECK_OK(media_set_security(media, MEDIA_CALLED,
				    random_below(2) ? MEDIA_SECURE : MEDIA_PLAIN,
				    SUITE_BITS_AES_CM));
	return media;
}

static void change(struct media **media)
{
	static const char *const callers[] = {
		CALLER_SDP,
		SDP("198.51.100.8", "4002", "\r\n"),
		SDP("0.0.0.0", "4000", "\r\n"),
		"v=0\r\nc=IN IP6 2001:db8:7::7\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n",
		SECURE("198.51.100.7", "AES_CM_128_HMAC_SHA1_80", KEY_A),
		SECURE("198.51.100.7", "AES_CM_128_HMAC_SHA1_32", KEY_B),
		SECURE("0.0.0.0", "AES_CM_128_HMAC_SHA1_80", KEY_A),
	};
	static const char *const called[] = {
		CALLED_SDP,
		SECURE("203.0.113.9", "AES_CM_128_HMAC_SHA1_80", KEY_A),
		SECURE("203.0.113.9", "AES_CM_128_HMAC_SHA1_80", KEY_B),
	};
	struct media_problem problem;
	switch (random_below(6)) {
	case 0:
		media_close(*media);
		*media = NULL;
		break;
	case 1:
		(void)media_receive_offer(*media, MEDIA_CALLER, text_of(callers[random_below(7)]),
					  &problem);
		break;
	case 2:
		(void)media_receive_answer(*media, MEDIA_CALLED, text_of(called[random_below(3)]),
					   &problem);
		media_connect(*media);
		break;
	case 3:
		media_set_symmetric(*media, MEDIA_CALLER, random_below(2));
		media_connect(*media);
		break;
	case 4:
		media_withdraw_offer(*media);
		break;
	case 5:
		media_forget(*media, MEDIA_CALLED);
		break;
	}
}

static void random_calls_are_accepted_however_late_they_are_read(void **state)
{
	(void)state;
	struct bench bench;
	static struct media *calls[AT_ONCE];
	bench_begin(&bench, 1);
	struct fake_worker *worker = fake_worker_create(bench.dataplane);
	unsigned keys = 0;
	for (unsigned i = 0; i < STEPS; i++) {
		struct media **media = &calls[random_below(AT_ONCE)];
		if (*media)
			change(media);
		else
			*media = open_call(&bench);
		if (random_below(20) == 0) {
			for (unsigned j = 0; j < fake_dataplane_sent_count(bench.dataplane); j++)
				keys += fake_dataplane_sent(bench.dataplane, j)->kind ==
					MESSAGE_STREAM_KEY;
			fake_worker_poll(worker);
		}
		if (random_below(10) == 0)
			bench_wait(&bench, 5);
	}
	for (unsigned i = 0; i < AT_ONCE; i++) {
		if (calls[i])
			media_close(calls[i]);
		calls[i] = NULL;
	}
	fake_worker_poll(worker);
	bench_wait(&bench, 200);
	CHECK_NUMBER(fake_worker_open_count(worker), 0);
	CHECK_NUMBER(fake_worker_refused(worker), 0);
	CHECK_TRUE(keys > 1000);
	CHECK_NUMBER(media_ports_count(bench.engine->ports, MEDIA_PORT_FREE), 10000);
	fake_worker_destroy(worker);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_and_its_changes_are_accepted),
		TEST(random_calls_are_accepted_however_late_they_are_read),
	};
	return RUN_TESTS(tests);
}
