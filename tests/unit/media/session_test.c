// What we say towards a side: complete, ours alone, with a version that tells the truth.

#include "tests/unit/media/bench.h"

#include <stdio.h>

static const char *write(struct media_session *session, const struct media_words *words,
			 struct bench_text *text)
{
	struct writer writer = writer_of(text->room, sizeof(text->room));
	media_session_write(session, words, &writer);
	const char *string = writer_string_done(&writer);
	assert_non_null(string);
	return string;
}

static struct media_words words_of(const char *local)
{
	struct media_words words = { .direction = MEDIA_SENDRECV, .event_type = 101, .events = "" };
	CHECK_TRUE(address_parse(text_of(local), &words.local));
	return words;
}

static uint64_t version_of(const char *sdp)
{
	struct cursor cursor = cursor_of(text_of(strstr(sdp, "o=- ") + 4));
	(void)cursor_word(&cursor);
	cursor_skip_space(&cursor);
	uint64_t version = cursor_unsigned(&cursor, UINT64_MAX);
	CHECK_FALSE(cursor.failed);
	return version;
}

static void a_description_is_complete_and_in_order(void **state)
{
	(void)state;
	struct media_session session;
	struct bench_text text;
	struct media_words words = words_of("192.0.2.1:10002");
	char expected[512];
	media_session_init(&session);
	words.ptime_ms = 20;
	snprintf(expected, sizeof(expected),
		 "v=0\r\no=- %llu %llu IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
		 "m=audio 10002 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
		 "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 "
		 "0-16\r\na=ptime:20\r\na=sendrecv\r\n",
		 (unsigned long long)session.id, (unsigned long long)session.id);
	CHECK_STRING(write(&session, &words, &text), expected);
}

static void the_version_grows_only_with_a_change(void **state)
{
	(void)state;
	struct media_session session;
	struct bench_text text;
	struct media_words words = words_of("192.0.2.1:10002");
	media_session_init(&session);
	uint64_t first = version_of(write(&session, &words, &text));
	CHECK_NUMBER(version_of(write(&session, &words, &text)), first);
	words.direction = MEDIA_SENDONLY;
	CHECK_NUMBER(version_of(write(&session, &words, &text)), first + 1);
	CHECK_CONTAINS(text.room, "a=sendonly\r\n");
	CHECK_NUMBER(version_of(write(&session, &words, &text)), first + 1);
	words.direction = MEDIA_SENDRECV;
	CHECK_NUMBER(version_of(write(&session, &words, &text)), first + 2);
}

static void other_lines_are_refused_in_their_places(void **state)
{
	(void)state;
	struct media_session session;
	struct bench_text text;
	struct media_words words = words_of("[2001:db8::1]:10002");
	struct media_offer layout = { .line_count = 3, .audio_line = 1 };
	layout.lines[0] = (struct media_line){ "video", "RTP/SAVPF", "96" };
	layout.lines[1] = (struct media_line){ "audio", "RTP/AVPF", "0" };
	layout.lines[2] = (struct media_line){ "image", "udptl", "t38" };
	words.layout = &layout;
	words.event_type = PAYLOAD_TYPE_NONE;
	media_session_init(&session);
	CHECK_CONTAINS(write(&session, &words, &text),
		       "c=IN IP6 2001:db8::1\r\nt=0 0\r\nm=video 0 RTP/SAVPF 96\r\n"
		       "m=audio 10002 RTP/AVPF 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
		       "m=image 0 udptl t38\r\n");
}

static void what_does_not_fit_fails_as_a_whole(void **state)
{
	(void)state;
	struct media_session session;
	struct media_words words = words_of("192.0.2.1:10002");
	char room[100];
	struct writer writer = writer_of(room, sizeof(room));
	media_session_init(&session);
	media_session_write(&session, &words, &writer);
	CHECK_TRUE(writer.failed);
	CHECK_NUMBER(writer_done(&writer).size, 0);
}

static void the_widest_layout_fits(void **state)
{
	(void)state;
	struct media_session session;
	struct bench_text text;
	struct media_words words = words_of("[2001:db8:1111:2222:3333:4444:5555:6666]:10002");
	struct media_offer layout = { .line_count = MEDIA_LINES_MAX, .audio_line = 15 };
	for (unsigned i = 0; i < MEDIA_LINES_MAX; i++) {
		memset(layout.lines[i].kind, 'k', sizeof(layout.lines[i].kind) - 1);
		memset(layout.lines[i].profile, 'p', sizeof(layout.lines[i].profile) - 1);
		memset(layout.lines[i].format, 'f', sizeof(layout.lines[i].format) - 1);
	}
	words.layout = &layout;
	words.events = "0-15,16,20-30,40-50,6-7";
	words.ptime_ms = 200;
	media_session_init(&session);
	(void)write(&session, &words, &text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_description_is_complete_and_in_order),
		TEST(the_version_grows_only_with_a_change),
		TEST(other_lines_are_refused_in_their_places),
		TEST(what_does_not_fit_fails_as_a_whole),
		TEST(the_widest_layout_fits),
	};
	return RUN_TESTS(tests);
}
