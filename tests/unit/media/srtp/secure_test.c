// What is said about SRTP: whose suites are taken, what is refused and why, what we offer and answer.

#include "tests/unit/media/srtp/secure.h"

#include <stdio.h>

static const struct {
	const char *lines; // of the offer
	uint32_t tag; // of the answer
	enum suite suite;
} choices[] = {
	{ CRYPTO("1", S80, KEY_A) CRYPTO("2", S32, KEY_B), 1, SUITE_AES_CM_80 },
	{ CRYPTO("1", S32, KEY_A) CRYPTO("2", S80, KEY_B), 1, SUITE_AES_CM_32 }, // SRTP-005
	{ CRYPTO("7", S80, KEY_A), 7, SUITE_AES_CM_80 },
	{ CRYPTO("3", S32, KEY_A), 3, SUITE_AES_CM_32 },
	{ CRYPTO("1", S80, KEY_A "|2^31|1:4") CRYPTO("2", S32, KEY_B), 2, SUITE_AES_CM_32 },
	{ CRYPTO("1", S80, KEY_A "|2^31") CRYPTO("2", S32, KEY_B), 1, SUITE_AES_CM_80 },
	{ CRYPTO("1", "F8_128_HMAC_SHA1_80 ", KEY_A) CRYPTO("2", S80, KEY_B), 2, SUITE_AES_CM_80 },
	{ CRYPTO("1", "AEAD_AES_128_GCM ", GCM_KEY) CRYPTO("2", S80, KEY_B), 2, SUITE_AES_CM_80 },
	{ CRYPTO("1", S80, "inline:short") CRYPTO("2", S80, KEY_B), 2, SUITE_AES_CM_80 },
	{ CRYPTO("1", S80, KEY_A " UNENCRYPTED_SRTCP") CRYPTO("2", S80, KEY_B), 2,
	  SUITE_AES_CM_80 },
	{ CRYPTO("1", S80, KEY_A " x-new=1") CRYPTO("2", S32, KEY_B), 2, SUITE_AES_CM_32 },
	{ "a=crypto:\r\na=crypto\r\na=crypto:x\r\n" CRYPTO("9", S32, KEY_B), 9, SUITE_AES_CM_32 },
};

static void the_first_supported_line_is_answered_with_a_key_of_ours(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	secure_begin(&bench);
	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++) {
		struct media *media = secure_open(&bench, MEDIA_SECURE, MEDIA_PLAIN);
		char offer[2048];
		snprintf(offer, sizeof(offer), SAVP("198.51.100.7", "4000", "%s"),
			 choices[i].lines);
		secure_exchange(media, offer, CALLED_SDP, NULL, &text);
		CHECK_CONTAINS(text.room, " RTP/SAVP 0");
		struct media_sdes line = secure_line(text.room);
		CHECK_NUMBER(line.tag, choices[i].tag);
		CHECK_NUMBER(line.key.suite, choices[i].suite);
		CHECK_FALSE(media_key_is_equal(&line.key,
					       &media->legs[MEDIA_CALLER].current.crypto.key));
		struct media_figures figures;
		media_read(media, MEDIA_CALLER, &figures);
		CHECK_NUMBER(figures.suite, choices[i].suite);
	}
	bench_end(&bench);
}

static const struct {
	enum media_security security;
	const char *sdp;
	enum status status;
	enum media_objection objection;
	const char *seen;
} refusals[] = {
	{ MEDIA_PLAIN, CALLER_A, ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_SECURE,
	  "m=audio 4000 RTP/SAVP 0" },
	{ MEDIA_SECURE, CALLER_SDP, ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_PLAIN,
	  "m=audio 4000 RTP/AVP 0 101" },
	{ MEDIA_SECURE, SAVP("198.51.100.7", "4000", ""), ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_KEYS,
	  "no crypto line" },
	{ MEDIA_AS_OFFERED, SAVP("198.51.100.7", "4000", CRYPTO("1", S80, KEY_A "|1:4")),
	  ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_KEYS, "a key with an MKI" }, // D-33
	{ MEDIA_SECURE, SAVP("198.51.100.7", "4000", CRYPTO("1", S80, "inline:c2VjcmV0")),
	  ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_KEYS,
	  "a key of the wrong length for its suite, or not base64" },
	{ MEDIA_SECURE, SAVP("198.51.100.7", "4000", CRYPTO("1", "AEAD_AES_128_GCM ", GCM_KEY)),
	  ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_KEYS, "another crypto suite" },
	// At session level no line counts (RFC 4568 5).
	{ MEDIA_SECURE, LEVEL("198.51.100.7") CRYPTO("1", S80, KEY_A) "m=audio 4000 RTP/SAVP 0\r\n",
	  ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_KEYS, "no crypto line" },
	// Keys of DTLS are another profile.
	{ MEDIA_AS_OFFERED, LEVEL("198.51.100.7") "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n",
	  ERR_NOT_ACCEPTABLE, MEDIA_OBJECTION_NONE, "m=audio 4000 UDP/TLS/RTP/SAVP 0" },
	{ MEDIA_SECURE, LEVEL("198.51.100.7") "m=audio 4000 RTP/SAVP 8\r\n", ERR_UNSUPPORTED,
	  MEDIA_OBJECTION_NONE, "m=audio 4000 RTP/SAVP 8" }, // MEDIA-003
};

static void what_cannot_be_taken_is_refused_with_its_objection(void **state)
{
	(void)state;
	struct bench bench;
	secure_begin(&bench);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct media_problem problem = { 0 };
		struct media *media = secure_open(&bench, refusals[i].security, MEDIA_PLAIN);
		CHECK_STATUS(media_receive_offer(media, MEDIA_CALLER, text_of(refusals[i].sdp),
						 &problem),
			     refusals[i].status);
		CHECK_NUMBER(problem.objection, refusals[i].objection);
		CHECK_STRING(problem.seen, refusals[i].seen);
		assert_non_null(problem.header);
		assert_non_null(problem.expected);
	}
	bench_end(&bench);
}

static void a_side_that_may_choose_gets_what_it_offers_first(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text offer, answer;
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_AS_OFFERED, MEDIA_AS_OFFERED);
	secure_exchange(media, CALLER_A, CALLED_SDP, &offer, &answer);
	CHECK_CONTAINS(offer.room, " RTP/AVP 0"); // what we offer is RTP
	assert_null(strstr(offer.room, "a=crypto"));
	(void)secure_line(answer.room);
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLER, &offer), " RTP/SAVP 0"); // it goes on
	(void)secure_line(offer.room);
	media = secure_open(&bench, MEDIA_AS_OFFERED, MEDIA_PLAIN);
	secure_exchange(media, CALLER_SDP, CALLED_SDP, NULL, &answer);
	CHECK_CONTAINS(answer.room, " RTP/AVP 0");
	assert_null(strstr(answer.room, "a=crypto"));
	bench_end(&bench);
}

#define TWO_LINES                                                                                  \
	LEVEL("198.51.100.7")                                                                      \
	"m=audio 4000 RTP/SAVP 0\r\n" CRYPTO("4", S32, KEY_A) "m=audio 4002 RTP/AVP 0\r\n"

static void of_two_audio_lines_the_one_the_side_needs_is_taken(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text answer;
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_SECURE, MEDIA_PLAIN);
	secure_exchange(media, TWO_LINES, CALLED_SDP, NULL, &answer);
	CHECK_CONTAINS(answer.room, "m=audio 0 RTP/AVP 0\r\n");
	CHECK_NUMBER(secure_line(answer.room).tag, 4);
	bench_check_address(&media->legs[MEDIA_CALLER].current.rtp, "198.51.100.7:4000");
	media = secure_open(&bench, MEDIA_PLAIN, MEDIA_PLAIN);
	secure_exchange(media, TWO_LINES, CALLED_SDP, NULL, &answer);
	CHECK_CONTAINS(answer.room, "m=audio 0 RTP/SAVP 0\r\n");
	assert_null(strstr(answer.room, "a=crypto"));
	bench_check_address(&media->legs[MEDIA_CALLER].current.rtp, "198.51.100.7:4002");
	// The secure one has no key we may take: the next audio line is looked at.
	media = secure_open(&bench, MEDIA_AS_OFFERED, MEDIA_PLAIN);
	secure_exchange(media,
			LEVEL("198.51.100.7") "m=audio 4000 RTP/SAVP 0\r\n" CRYPTO(
				"1", S32, KEY_A "|1:4") "m=audio 4002 RTP/AVP 0\r\n",
			CALLED_SDP, NULL, &answer);
	CHECK_CONTAINS(answer.room, "m=audio 0 RTP/SAVP 0\r\n");
	bench_end(&bench);
}

static const struct {
	unsigned suites;
	enum suite offered;
} offers[] = {
	{ SUITE_BITS_AES_CM, SUITE_AES_CM_80 }, // SRTP-004
	{ ALL_SUITES, SUITE_AES_CM_80 },
	{ SUITE_BITS_AEAD, SUITE_AES_GCM_128 },
	{ SUITE_BIT(SUITE_AES_GCM_256), SUITE_AES_GCM_256 },
	{ SUITE_BIT(SUITE_AES_CM_32), SUITE_AES_CM_32 },
};

static void a_secure_side_is_offered_one_line(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	secure_begin(&bench);
	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++) {
		struct media *media = bench_open(&bench);
		CHECK_OK(media_set_security(media, MEDIA_CALLED, MEDIA_SECURE, offers[i].suites));
		bench_offer(media, MEDIA_CALLER, CALLER_SDP);
		CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &text),
			       " RTP/SAVP 0 101\r\n");
		struct media_sdes line = secure_line(text.room);
		CHECK_NUMBER(line.key.suite, offers[i].offered);
		CHECK_NUMBER(line.tag, 1);
		struct bench_text again;
		CHECK_STRING(bench_write_offer(media, MEDIA_CALLED, &again), text.room);
	}
	bench_end(&bench);
}

static void an_answer_must_choose_what_was_offered(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	struct media_problem problem = { 0 };
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_PLAIN, MEDIA_SECURE);
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	CHECK_STATUS(media_receive_answer(media, MEDIA_CALLED, TEXT(CALLED_SDP), &problem),
		     ERR_NOT_ACCEPTABLE);
	CHECK_NUMBER(problem.objection, MEDIA_OBJECTION_PLAIN);
	CHECK_STATUS(media_receive_answer(
			     media, MEDIA_CALLED,
			     TEXT(SAVP("203.0.113.9", "6000", CRYPTO("1", S32, KEY_B))), &problem),
		     ERR_NOT_ACCEPTABLE);
	CHECK_NUMBER(problem.objection, MEDIA_OBJECTION_KEYS);
	bench_answer(media, MEDIA_CALLED, SAVP("203.0.113.9", "6000", CRYPTO("1", S80, KEY_B)));
	struct media *plain = secure_open(&bench, MEDIA_PLAIN, MEDIA_AS_OFFERED);
	bench_offer(plain, MEDIA_CALLER, CALLER_SDP);
	(void)bench_write_offer(plain, MEDIA_CALLED, &text);
	CHECK_STATUS(media_receive_answer(
			     plain, MEDIA_CALLED,
			     TEXT(SAVP("203.0.113.9", "6000", CRYPTO("1", S80, KEY_B))), &problem),
		     ERR_NOT_ACCEPTABLE);
	CHECK_NUMBER(problem.objection, MEDIA_OBJECTION_SECURE);
	bench_end(&bench);
}

static void check_line(const char *sdp, const struct media_sdes *expected)
{
	struct media_sdes line = secure_line(sdp);
	CHECK_NUMBER(line.tag, expected->tag);
	CHECK_TRUE(media_key_is_equal(&line.key, &expected->key));
}

static void our_line_is_in_every_offer_and_stays_the_same(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text first, text;
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_SECURE, MEDIA_SECURE);
	const char *answer = SAVP("203.0.113.9", "6000", CRYPTO("1", S80, KEY_B));
	secure_exchange(media, CALLER_A, answer, &first, NULL);
	struct media_sdes line = secure_line(first.room);
	// Hold in the new form and in the old one (an audio line without a crypto line is lost audio).
	secure_exchange(media,
			SAVP("198.51.100.7", "4000", CRYPTO("1", S80, KEY_A) "a=inactive\r\n"),
			answer, &text, NULL);
	CHECK_CONTAINS(text.room, "a=inactive\r\n");
	check_line(text.room, &line);
	secure_exchange(media, SAVP("0.0.0.0", "4000", CRYPTO("1", S80, KEY_A)), answer, &text,
			NULL);
	check_line(text.room, &line);
	secure_exchange(media, CALLER_A, answer, &text, NULL);
	check_line(text.room, &line);
	// The caller had our answer's line; when we offer, it is that one, with its tag.
	secure_exchange(media, SAVP("198.51.100.7", "4000", CRYPTO("5", S32, KEY_A)), answer, NULL,
			&first);
	bench_offer(media, MEDIA_CALLED, answer);
	(void)bench_write_offer(media, MEDIA_CALLER, &text);
	CHECK_NUMBER(secure_line(text.room).tag, 5);
	CHECK_NUMBER(secure_line(text.room).key.suite, SUITE_AES_CM_32);
	line = secure_line(first.room);
	check_line(text.room, &line);
	bench_end(&bench);
}

static void the_tag_of_our_offer_is_ours(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text first, second;
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_PLAIN, MEDIA_SECURE);
	secure_exchange(media, CALLER_SDP, SAVP("203.0.113.9", "6000", CRYPTO("9", S80, KEY_B)),
			&first, NULL);
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	CHECK_STRING(bench_write_offer(media, MEDIA_CALLED, &second), first.room);
	bench_end(&bench);
}

static void the_next_carrier_gets_another_key(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text first, second;
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_PLAIN, MEDIA_SECURE);
	bench_offer(media, MEDIA_CALLER, CALLER_SDP);
	(void)bench_write_offer(media, MEDIA_CALLED, &first);
	media_forget(media, MEDIA_CALLED);
	(void)bench_write_offer(media, MEDIA_CALLED, &second);
	struct media_sdes former = secure_line(first.room), line = secure_line(second.room);
	CHECK_FALSE(media_key_is_equal(&former.key, &line.key));
	// And the one after it may be plain.
	media_forget(media, MEDIA_CALLED);
	CHECK_OK(media_set_security(media, MEDIA_CALLED, MEDIA_PLAIN, 0));
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLED, &first), " RTP/AVP 0 101\r\n");
	assert_null(strstr(first.room, "a=crypto"));
	bench_end(&bench);
}

static void a_late_offer_is_secure_too(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_SECURE, MEDIA_SECURE);
	(void)bench_write_offer(media, MEDIA_CALLED, &text);
	(void)secure_line(text.room);
	bench_answer(media, MEDIA_CALLED, SAVP("203.0.113.9", "6000", CRYPTO("1", S80, KEY_B)));
	(void)bench_write_offer(media, MEDIA_CALLER, &text);
	struct media_sdes line = secure_line(text.room);
	bench_answer(media, MEDIA_CALLER, CALLER_A);
	media_connect(media);
	CHECK_NUMBER(fake_dataplane_open_count(bench.dataplane), 4);
	secure_check_key(&bench, media, MEDIA_CALLED, KEY_LEAVES, &line.key);
	bench_end(&bench);
}

static void without_an_engine_nothing_is_secure(void **state)
{
	(void)state;
	static const char *const names[] = { "", "off" };
	struct bench bench;
	struct media_problem problem = { 0 };
	secure_begin(&bench);
	for (unsigned i = 0; i < 2; i++) {
		struct media *media = bench_open(&bench);
		fake_dataplane_set_engine(bench.dataplane, names[i], KEY_SESSION);
		CHECK_STATUS(media_set_security(media, MEDIA_CALLER, MEDIA_SECURE, ALL_SUITES),
			     ERR_UNAVAILABLE);
		CHECK_OK(media_set_security(media, MEDIA_CALLER, MEDIA_AS_OFFERED, ALL_SUITES));
		CHECK_STATUS(media_receive_offer(media, MEDIA_CALLER, TEXT(CALLER_A), &problem),
			     ERR_NOT_ACCEPTABLE);
		CHECK_NUMBER(problem.objection, MEDIA_OBJECTION_SECURE);
	}
	bench_end(&bench);
}

// What a peer says under this suite, with the octets of a key it heard.
static enum status say_key(struct media *media, enum media_side side, bool is_offer,
			   const struct media_sdes *heard, enum suite suite)
{
	char room[512];
	struct media_sdes line = *heard;
	struct media_problem problem = { 0 };
	struct writer writer = writer_of(room, sizeof(room));
	line.key.suite = (uint8_t)suite;
	writer_string(&writer, SAVP("203.0.113.9", "6000", "a=crypto:"));
	media_sdes_write(&line, &writer);
	struct text sdp = writer_done(&writer);
	enum status status = is_offer ? media_receive_offer(media, side, sdp, &problem)
				      : media_receive_answer(media, side, sdp, &problem);
	CHECK_TRUE(status == OK || problem.objection == MEDIA_OBJECTION_KEYS);
	CHECK_TRUE(status == OK || !strstr(problem.seen, "inline"));
	return status;
}

// Else everything we send could be sent back to us, and be authentic.
static void nobody_may_send_under_our_own_key(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text text;
	secure_begin(&bench);
	struct media *media = secure_open(&bench, MEDIA_SECURE, MEDIA_SECURE);
	bench_offer(media, MEDIA_CALLER, CALLER_A);
	struct media_sdes ours = secure_line(bench_write_offer(media, MEDIA_CALLED, &text));
	CHECK_STATUS(say_key(media, MEDIA_CALLED, false, &ours, SUITE_AES_CM_80),
		     ERR_NOT_ACCEPTABLE);
	struct secure_call call = secure_begin_call(&bench);
	CHECK_STATUS(say_key(call.media, MEDIA_CALLED, true, &call.called_heard, SUITE_AES_CM_80),
		     ERR_NOT_ACCEPTABLE);
	// Another tag's length makes no other key stream.
	CHECK_STATUS(say_key(call.media, MEDIA_CALLED, true, &call.called_heard, SUITE_AES_CM_32),
		     ERR_NOT_ACCEPTABLE);
	CHECK_OK(say_key(call.media, MEDIA_CALLED, true, &call.called_said, SUITE_AES_CM_32));
	bench_end(&bench);
}

#define MUXED_CALLER                                                                               \
	SDP("198.51.100.7", "4000", "\r\na=rtcp-mux\r\na=rtcp:4009 IN IP4 198.51.100.99\r\n")

static void rtcp_goes_with_rtp_when_a_peer_offers_to(void **state)
{
	(void)state;
	struct bench bench;
	struct bench_text offer, answer;
	secure_begin(&bench);
	struct media *media = bench_open(&bench);
	// One who says it in an answer was not asked.
	secure_exchange(media, MUXED_CALLER, CALLED_SDP "a=rtcp-mux\r\n", &offer, &answer);
	assert_null(strstr(offer.room, "rtcp-mux"));
	CHECK_CONTAINS(answer.room, "a=rtcp-mux\r\n");
	const struct message *open = bench_sent(&bench, media, MEDIA_CALLED, 1);
	bench_check_address(&open->open.destination, "198.51.100.7:4000");
	CHECK_TRUE(open->flags & STREAM_MUXED);
	CHECK_NUMBER(open->open.out_index, media->legs[MEDIA_CALLER].rtp_index + 1);
	CHECK_FALSE(bench_sent(&bench, media, MEDIA_CALLED, 0)->flags & STREAM_MUXED);
	open = bench_sent(&bench, media, MEDIA_CALLER, 1);
	bench_check_address(&open->open.destination, "203.0.113.9:6001");
	CHECK_FALSE(open->flags & STREAM_MUXED);
	// It comes with RTP, too: a=rtcp says where one that does not understand sends it.
	bench_check_address(&open->open.source, "198.51.100.7");
	// What is in force is offered again, and may be turned down then.
	bench_offer(media, MEDIA_CALLED, CALLED_SDP);
	CHECK_CONTAINS(bench_write_offer(media, MEDIA_CALLER, &offer), "a=rtcp-mux\r\n");
	bench_answer(media, MEDIA_CALLER,
		     SDP("198.51.100.7", "4000", "\r\na=rtcp:4009 IN IP4 198.51.100.99\r\n"));
	media_connect(media);
	open = bench_sent(&bench, media, MEDIA_CALLED, 1);
	bench_check_address(&open->open.destination, "198.51.100.99:4009");
	CHECK_FALSE(open->flags & STREAM_MUXED);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_supported_line_is_answered_with_a_key_of_ours),
		TEST(what_cannot_be_taken_is_refused_with_its_objection),
		TEST(a_side_that_may_choose_gets_what_it_offers_first),
		TEST(of_two_audio_lines_the_one_the_side_needs_is_taken),
		TEST(a_secure_side_is_offered_one_line),
		TEST(an_answer_must_choose_what_was_offered),
		TEST(our_line_is_in_every_offer_and_stays_the_same),
		TEST(the_tag_of_our_offer_is_ours),
		TEST(the_next_carrier_gets_another_key),
		TEST(a_late_offer_is_secure_too),
		TEST(without_an_engine_nothing_is_secure),
		TEST(nobody_may_send_under_our_own_key),
		TEST(rtcp_goes_with_rtp_when_a_peer_offers_to),
	};
	return RUN_TESTS(tests);
}
