// Bodies of several parts: the description is found where there is one, and nothing else is taken for it.

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "sip/message_parts.h"
#include "sip/multipart/multipart.h"

#define MIXED "multipart/mixed;boundary=b"
#define SDP "Content-Type: application/sdp\r\n\r\nv=0\r\n"
#define PLAIN "Content-Type: text/plain\r\n\r\nhello"

static const struct row {
	const char *name, *type, *body;
	enum sip_multipart_verdict verdict;
	const char *description;
} rows[] = {
	{ "one part", MIXED, "--b\r\n" SDP "\r\n--b--", SIP_MULTIPART_FOUND, "v=0\r\n" },
	{ "after another", MIXED, "--b\r\n" PLAIN "\r\n--b\r\n" SDP "\r\n--b--\r\n",
	  SIP_MULTIPART_FOUND, "v=0\r\n" },
	{ "before another", MIXED, "--b\r\n" SDP "\r\n--b\r\n" PLAIN "\r\n--b--\r\n",
	  SIP_MULTIPART_FOUND, "v=0\r\n" },
	{ "a preamble and an epilogue", MIXED, "v=1\r\n--b\r\n" SDP "\r\n--b--\r\nv=2\r\n",
	  SIP_MULTIPART_FOUND, "v=0\r\n" },
	{ "a quoted boundary", "Multipart/Related; type=x ; boundary=\"b c\"",
	  "--b c\r\n" SDP "\r\n--b c--", SIP_MULTIPART_FOUND, "v=0\r\n" },
	{ "padding", MIXED, "--b \t\r\n" SDP "\r\n--b--", SIP_MULTIPART_FOUND, "v=0\r\n" },
	{ "parameters and case", MIXED,
	  "--b\r\nCONTENT-TYPE : Application/SDP ; x=y\r\nX: y\r\n\r\nv=0\r\n--b--",
	  SIP_MULTIPART_FOUND, "v=0" },
	{ "an encoding that changes nothing", MIXED,
	  "--b\r\nContent-Transfer-Encoding: 8bit\r\n" SDP "\r\n--b--", SIP_MULTIPART_FOUND,
	  "v=0\r\n" },
	{ "an empty part beside it", MIXED, "--b\r\n--b\r\n" SDP "\r\n--b--", SIP_MULTIPART_FOUND,
	  "v=0\r\n" },
	{ "something like the boundary within", MIXED, "--b\r\n" SDP "--bx\r\n--b--",
	  SIP_MULTIPART_MALFORMED, "" }, // RFC 2046 5.1.1: to begin like it is enough
	{ "another type", "application/sdp", "v=0\r\n", SIP_MULTIPART_OTHER, "" },
	{ "no description", MIXED, "--b\r\n" PLAIN "\r\n--b--", SIP_MULTIPART_NONE, "" },
	{ "one within another", MIXED,
	  "--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\n" SDP "\r\n--c--\r\n--b--",
	  SIP_MULTIPART_NONE, "" },
	{ "nothing", MIXED, "--b--", SIP_MULTIPART_NONE, "" },
	{ "no type", "", "v=0", SIP_MULTIPART_OTHER, "" },
	{ "two descriptions", MIXED, "--b\r\n" SDP "\r\n--b\r\n" SDP "\r\n--b--",
	  SIP_MULTIPART_MALFORMED, "" },
	{ "no boundary", "multipart/mixed", "--b\r\n" SDP "\r\n--b--", SIP_MULTIPART_MALFORMED,
	  "" },
	{ "an empty boundary", "multipart/mixed;boundary=\"\"", "--\r\n" SDP "\r\n----",
	  SIP_MULTIPART_MALFORMED, "" },
	{ "another boundary", MIXED, "--c\r\n" SDP "\r\n--c--", SIP_MULTIPART_MALFORMED, "" },
	{ "no end", MIXED, "--b\r\n" SDP, SIP_MULTIPART_MALFORMED, "" },
	{ "no end of the head", MIXED, "--b\r\nContent-Type: application/sdp\r\n--b--",
	  SIP_MULTIPART_MALFORMED, "" },
	{ "more than padding", MIXED, "--bx\r\n" SDP "\r\n--b--", SIP_MULTIPART_MALFORMED, "" },
	{ "an encoding", MIXED, "--b\r\nContent-Transfer-Encoding: base64\r\n" SDP "\r\n--b--",
	  SIP_MULTIPART_MALFORMED, "" },
	{ "bare line feeds", MIXED, "--b\nContent-Type: application/sdp\n\nv=0\n--b--",
	  SIP_MULTIPART_MALFORMED, "" },
	{ "an empty body", MIXED, "", SIP_MULTIPART_MALFORMED, "" },
};

// In memory of exactly that size, for the address sanitizer.
static enum sip_multipart_verdict split(const char *type, struct text body, char **out_copy,
					struct text *out_description)
{
	*out_copy = malloc(body.size + (body.size == 0));
	assert_non_null(*out_copy);
	memcpy(*out_copy, body.data, body.size);
	return sip_multipart_description(text_of(type), (struct text){ *out_copy, body.size },
					 out_description);
}

static void the_description_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text description = TEXT_NONE;
		char *copy;
		enum sip_multipart_verdict verdict =
			split(rows[i].type, text_of(rows[i].body), &copy, &description);
		if (verdict != rows[i].verdict ||
		    (verdict == SIP_MULTIPART_FOUND &&
		     !text_is_equal(description, text_of(rows[i].description))))
			fail_msg("%s: verdict %d, \"%.*s\"", rows[i].name, verdict,
				 TEXT_FORMAT(description));
		free(copy);
	}
}

static void a_body_cut_anywhere_is_read_no_further(void **state)
{
	(void)state;
	static const struct text whole = TEXT("--b\r\n" PLAIN "\r\n--b\r\n" SDP "\r\n--b--");
	for (size_t size = 0; size < whole.size; size++) {
		struct text description;
		char *copy;
		assert_int_equal(
			split(MIXED, (struct text){ whole.data, size }, &copy, &description),
			SIP_MULTIPART_MALFORMED);
		free(copy);
	}
}

static enum sip_multipart_verdict repeated(const char *piece, unsigned count, const char *before,
					   const char *after)
{
	static char room[65536]; // lint: global (too large for the stack)
	struct writer writer = writer_of(room, sizeof(room));
	struct text description;
	writer_string(&writer, before);
	for (unsigned i = 0; i < count; i++)
		writer_string(&writer, piece);
	writer_string(&writer, after);
	assert_false(writer.failed);
	return sip_multipart_description(TEXT(MIXED), writer_done(&writer), &description);
}

static void parts_and_their_heads_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(repeated("\r\n--b\r\n" PLAIN, SIP_MULTIPART_PARTS_MAX, "", "\r\n--b--"),
			 SIP_MULTIPART_NONE);
	assert_int_equal(
		repeated("\r\n--b\r\n" PLAIN, SIP_MULTIPART_PARTS_MAX + 1, "", "\r\n--b--"),
		SIP_MULTIPART_MALFORMED);
	assert_int_equal(
		repeated("X: y\r\n", SIP_MULTIPART_HEADERS_MAX, "--b\r\n", "\r\nx\r\n--b--"),
		SIP_MULTIPART_NONE);
	assert_int_equal(
		repeated("X: y\r\n", SIP_MULTIPART_HEADERS_MAX + 1, "--b\r\n", "\r\nx\r\n--b--"),
		SIP_MULTIPART_MALFORMED);
	assert_int_equal(repeated("c", 70, "--", ""), SIP_MULTIPART_MALFORMED);
}

// What the parts of a message's body are to everybody above.
static void a_messages_body_is_its_description(void **state)
{
	(void)state;
	static const char head[] =
		"INVITE sip:b@x.example SIP/2.0\r\nVia: SIP/2.0/UDP "
		"a;branch=z9hG4bKa\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n"
		"Call-ID: c\r\nCSeq: 1 INVITE\r\nContent-Type: " MIXED "\r\n\r\n";
	char room[1024];
	struct sip_message message;
	struct writer writer = writer_of(room, sizeof(room));
	writer_format(&writer, "%s--b\r\n" PLAIN "\r\n--b\r\n" SDP "\r\n--b--", head);
	CHECK_TRUE(sip_message_parse(writer_done(&writer), &message));
	CHECK_TEXT(message.content_type, "application/sdp");
	CHECK_TEXT(message.body, "v=0\r\n");
	writer = writer_of(room, sizeof(room));
	writer_format(&writer, "%s--b\r\n" PLAIN "\r\n--b--", head);
	CHECK_FALSE(sip_message_parse(writer_done(&writer), &message));
	writer = writer_of(room, sizeof(room));
	writer_format(&writer, "%s--b\r\n" SDP, head);
	CHECK_FALSE(sip_message_parse(writer_done(&writer), &message));
}

int main(void)
{
	sip_message_start();
	const struct CMUnitTest tests[] = {
		TEST(the_description_is_found),
		TEST(a_body_cut_anywhere_is_read_no_further),
		TEST(parts_and_their_heads_are_bounded),
		TEST(a_messages_body_is_its_description),
	};
	return RUN_TESTS(tests);
}
