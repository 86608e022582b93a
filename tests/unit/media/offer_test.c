// Session descriptions as peers send them, and as strangers do.

#include "tests/check.h"

#include <string.h>

#include "dataplane/message.h"
#include "media/offer.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"

static const struct media_rules plain = { MEDIA_PLAIN, 0 };

static enum status parse(const char *sdp, struct media_offer *out_offer)
{
	struct media_problem problem = { 0 };
	enum status status = media_offer_parse(text_of(sdp), &plain, out_offer, &problem);
	if (status != OK) {
		assert_non_null(problem.header);
		assert_non_null(problem.expected);
	}
	return status;
}

static void check_address(const struct address *address, const char *expected)
{
	char room[ADDRESS_TEXT_SIZE];
	CHECK_STRING(address_string(address, room), expected);
}

static void an_ordinary_offer_is_read(void **state)
{
	(void)state;
	struct media_offer offer;
	CHECK_OK(parse(HEAD "m=audio 4000 RTP/AVP 8 0 18 101\r\n"
			    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
			    "a=fmtp:101 0-15\r\na=rtpmap:101 telephone-event/8000\r\n"
			    "a=ptime:20\r\na=sendrecv\r\na=ssrc:12 cname:x\r\na=rtcp-mux\r\n",
		       &offer));
	check_address(&offer.rtp, "192.0.2.9:4000");
	check_address(&offer.rtcp, "192.0.2.9:4001");
	CHECK_NUMBER(offer.audio_type, 0);
	CHECK_NUMBER(offer.event_type, 101);
	CHECK_STRING(offer.events, "0-15");
	CHECK_NUMBER(offer.ptime_ms, 20);
	CHECK_NUMBER(offer.direction, MEDIA_SENDRECV);
	CHECK_NUMBER(offer.line_count, 1);
}

static void lone_line_feeds_odd_order_and_unknown_lines_are_taken(void **state)
{
	(void)state;
	struct media_offer offer;
	CHECK_OK(parse("s=-\nnonsense\nx=1\nv=0\n\na=inactive\nm=audio  4002/1   RTP/AVP  0\n"
		       "a=sendonly\nc=IN IP6 2001:db8::7\nb=AS:64",
		       &offer));
	check_address(&offer.rtp, "[2001:db8::7]:4002");
	CHECK_NUMBER(offer.direction, MEDIA_SENDONLY);
	CHECK_NUMBER(offer.event_type, PAYLOAD_TYPE_NONE);
}

static void a_session_direction_holds_for_its_stream(void **state)
{
	(void)state;
	struct media_offer offer;
	CHECK_OK(parse(HEAD "a=recvonly\r\nm=audio 4000 RTP/AVP 0\r\n", &offer));
	CHECK_NUMBER(offer.direction, MEDIA_RECVONLY);
	CHECK_OK(parse(HEAD "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", &offer));
	CHECK_NUMBER(offer.direction, MEDIA_INACTIVE);
}

static void an_unspecified_address_is_hold(void **state)
{
	(void)state;
	struct media_offer offer;
	CHECK_OK(parse("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 0\r\n", &offer));
	CHECK_TRUE(address_is_unspecified(&offer.rtp));
	CHECK_NUMBER(offer.direction, MEDIA_SENDONLY);
}

static void pcmu_may_have_a_number_of_its_own(void **state)
{
	(void)state;
	struct media_offer offer;
	CHECK_OK(parse(HEAD "m=audio 4000 RTP/AVP 97 98\r\na=rtpmap:97 pcmu/8000/1\r\n"
			    "a=rtpmap:98 Telephone-Event/8000\r\n",
		       &offer));
	CHECK_NUMBER(offer.audio_type, 97);
	CHECK_NUMBER(offer.event_type, 98);
	// Not at another clock, not when the number is not listed.
	CHECK_STATUS(parse(HEAD "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 PCMU/16000\r\n", &offer),
		     ERR_UNSUPPORTED);
	CHECK_STATUS(parse(HEAD "m=audio 4000 RTP/AVP 8\r\na=rtpmap:97 PCMU/8000\r\n", &offer),
		     ERR_UNSUPPORTED);
	CHECK_OK(parse(HEAD
		       "m=audio 4000 RTP/AVP 0 96 97\r\n"
		       "a=rtpmap:96 telephone-event/48000\r\na=rtpmap:97 telephone-event/8000\r\n",
		       &offer));
	CHECK_NUMBER(offer.event_type, 97);
}

static void rtcp_goes_where_the_attribute_says(void **state)
{
	(void)state;
	struct media_offer offer;
	CHECK_OK(parse(HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp:5555\r\n", &offer));
	check_address(&offer.rtcp, "192.0.2.9:5555");
	CHECK_OK(parse(HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp:5555 IN IP4 192.0.2.10\r\n", &offer));
	check_address(&offer.rtcp, "192.0.2.10:5555");
	CHECK_OK(parse(HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp:5555 IN IP6 ::1\r\n", &offer));
	check_address(&offer.rtcp, "192.0.2.9:4001");
	CHECK_OK(parse(HEAD "m=audio 65535 RTP/AVP 0\r\n", &offer));
	CHECK_NUMBER(offer.rtcp.family, ADDRESS_NONE);
}

static void the_first_stream_we_may_take_is_taken(void **state)
{
	(void)state;
	struct media_offer offer;
	CHECK_OK(parse(HEAD "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
			    "m=audio 4000 RTP/SAVP 0\r\n"
			    "m=audio 4002 RTP/AVP 0\r\nc=IN IP4 192.0.2.10\r\n"
			    "m=audio 4004 RTP/AVP 0\r\n"
			    "m=image 4006 udptl t38\r\n",
		       &offer));
	check_address(&offer.rtp, "192.0.2.10:4002");
	CHECK_NUMBER(offer.line_count, 5);
	CHECK_NUMBER(offer.audio_line, 2);
	CHECK_STRING(offer.lines[0].kind, "video");
	CHECK_STRING(offer.lines[1].profile, "RTP/SAVP");
	CHECK_STRING(offer.lines[4].format, "t38");
}

static const struct {
	const char *body;
	enum status status;
} refusals[] = {
	{ "", ERR_MALFORMED },
	{ HEAD, ERR_MALFORMED }, // no stream at all
	{ HEAD "m=audio\r\n", ERR_MALFORMED },
	{ HEAD "m=audio x RTP/AVP 0\r\n", ERR_MALFORMED },
	{ HEAD "m=audio 65536 RTP/AVP 0\r\n", ERR_MALFORMED },
	{ HEAD "m=audio 4000 RTP/AVP\r\n", ERR_MALFORMED },
	{ HEAD "m=au\"dio 4000 RTP/AVP 0\r\n", ERR_MALFORMED },
	{ HEAD "m=averylongmediakind 4000 RTP/AVP 0\r\n", ERR_MALFORMED },
	{ HEAD "m=audio 4000 RTP/AVP 8\r\n", ERR_UNSUPPORTED }, // MEDIA-003
	{ HEAD "m=audio 4000 RTP/AVP 18 101\r\n", ERR_UNSUPPORTED },
	{ HEAD "m=audio 4000 RTP/AVP 1000 00x\r\n", ERR_UNSUPPORTED },
	{ HEAD "m=audio 4000 RTP/SAVP 0\r\n", ERR_NOT_ACCEPTABLE }, // D-30
	{ HEAD "m=audio 4000 RTP/SAVPF 0\r\n", ERR_NOT_ACCEPTABLE },
	{ HEAD "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n", ERR_NOT_ACCEPTABLE },
	{ HEAD "m=audio 4000 TCP/RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE },
	{ HEAD "m=audio 0 RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE },
	{ HEAD "m=video 4000 RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE },
	{ HEAD "m=audio 4000 RTP/SAVP 0\r\nm=audio 4000 RTP/AVP 8\r\n", ERR_UNSUPPORTED },
	{ "v=0\r\nm=audio 4000 RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE }, // no c=
	{ "v=0\r\nc=IN IP4 pbx.example\r\nm=audio 4000 RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE },
	{ "v=0\r\nc=IN IP4 224.2.36.42/127\r\nm=audio 4000 RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE },
	{ "v=0\r\nc=IN IP4 255.255.255.255\r\nm=audio 4000 RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE },
	{ "v=0\r\nc=IN IP6 ff02::1\r\nm=audio 4000 RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE },
	{ "v=0\r\nc=IN IP4 192.0.2.1:99\r\nm=audio 4000 RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE },
	{ "v=0\r\nc=IN IP6 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n", ERR_NOT_ACCEPTABLE },
};

static void what_cannot_be_taken_is_refused_with_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct media_offer offer = { .line_count = 77 };
		enum status status = parse(refusals[i].body, &offer);
		if (status != refusals[i].status)
			fail_msg("row %zu: %s", i, status_name(status));
		CHECK_NUMBER(offer.line_count, 77); // untouched
	}
}

static void a_plain_stream_beside_a_secure_name_is_plain(void **state)
{
	(void)state;
	struct media_offer offer;
	CHECK_OK(parse(HEAD
		       "m=audio 4000 RTP/AVPF 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n",
		       &offer));
	CHECK_STRING(offer.lines[0].profile, "RTP/AVPF");
}

static void an_endless_description_is_refused_or_bounded(void **state)
{
	(void)state;
	static char room[MEDIA_OFFER_SIZE_MAX + 2];
	struct media_offer offer;
	memset(room, 'a', sizeof(room) - 1);
	CHECK_STATUS(parse(room, &offer), ERR_MALFORMED);
	struct writer writer = writer_of(room, sizeof(room));
	writer_string(&writer, HEAD);
	for (unsigned i = 0; i <= MEDIA_LINES_MAX; i++)
		writer_string(&writer, "m=audio 4000 RTP/AVP 0\r\n");
	CHECK_STATUS(parse(writer_string_done(&writer), &offer), ERR_MALFORMED);
	// Attributes beyond the limit are not looked at.
	writer = writer_of(room, sizeof(room));
	writer_string(&writer, HEAD "m=audio 4000 RTP/AVP 0 101\r\n");
	for (unsigned i = 0; i < MEDIA_ATTRIBUTES_MAX; i++)
		writer_string(&writer, "a=x\r\n");
	writer_string(&writer, "a=rtpmap:101 telephone-event/8000\r\n");
	CHECK_OK(parse(writer_string_done(&writer), &offer));
	CHECK_NUMBER(offer.event_type, PAYLOAD_TYPE_NONE);
}

static void only_event_lists_are_repeated(void **state)
{
	(void)state;
	struct media_offer offer;
	CHECK_OK(parse(HEAD "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
			    "a=fmtp:101 0-15;x=y\r\n",
		       &offer));
	CHECK_STRING(offer.events, "");
}

static void a_problem_shows_the_line_without_what_could_harm(void **state)
{
	(void)state;
	struct media_offer offer;
	struct media_problem problem = { 0 };
	CHECK_STATUS(media_offer_parse(TEXT(HEAD "m=audio 4000 RTP/AVP 8 \x01\"\xff\r\n"), &plain,
				       &offer, &problem),
		     ERR_UNSUPPORTED);
	CHECK_STRING(problem.header, "SDP m=");
	CHECK_STRING(problem.seen, "m=audio 4000 RTP/AVP 8 ...");
	CHECK_STRING(problem.expected, "PCMU/8000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_ordinary_offer_is_read),
		TEST(lone_line_feeds_odd_order_and_unknown_lines_are_taken),
		TEST(a_session_direction_holds_for_its_stream),
		TEST(an_unspecified_address_is_hold),
		TEST(pcmu_may_have_a_number_of_its_own),
		TEST(rtcp_goes_where_the_attribute_says),
		TEST(the_first_stream_we_may_take_is_taken),
		TEST(what_cannot_be_taken_is_refused_with_its_status),
		TEST(a_plain_stream_beside_a_secure_name_is_plain),
		TEST(an_endless_description_is_refused_or_bounded),
		TEST(only_event_lists_are_repeated),
		TEST(a_problem_shows_the_line_without_what_could_harm),
	};
	return RUN_TESTS(tests);
}
