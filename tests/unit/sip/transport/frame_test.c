// Framing of a stream: every abuse of Content-Length and what comes of it, whole and cut at each octet.

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "sip/message.h"
#include "sip/transport/frame.h"

#define START "OPTIONS sip:a@x.example SIP/2.0\r\n"
#define HEAD START "Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKa\r\n"
#define BARE HEAD "Content-Length: 0\r\n\r\n"
#define TRAIL_SIZE 256

struct row {
	const char *name;
	struct text octets;
	const char *trail; // of verdicts with their sizes, as walk() writes it
	unsigned status; // of a refusal
};

#define ROW(name, octets, trail, status)                                                           \
	{                                                                                          \
		name, TEXT(octets), trail, status                                                  \
	}

// clang-format off
static const struct row rows[] = {
	// what is framed
	ROW("no body", BARE, "message 97", 0),
	ROW("a body", HEAD "Content-Length: 3\r\n\r\nabc", "message 100", 0),
	ROW("compact", HEAD "l:3\r\n\r\nabc", "message 86", 0),
	ROW("spaces", HEAD "CONTENT-LENGTH \t: \t 3 \r\n\r\nabc", "message 105", 0),
	ROW("leading zeros", HEAD "Content-Length: 0003\r\n\r\nabc", "message 103", 0),
	ROW("folded", HEAD "Content-Length:\r\n \t3\r\nX: y\r\n\r\nabc", "message 109", 0),
	ROW("another header folded", HEAD "Subject: a\r\n Content-Length: 9\r\nl: 0\r\n\r\n",
	    "message 116", 0),
	ROW("a name that only begins so", HEAD "Content-Lengths: 9\r\nl: 0\r\n\r\n", "message 104", 0),
	ROW("a response", "SIP/2.0 200 OK\r\nl: 0\r\n\r\n", "message 24", 0),
	ROW("another version", "OPTIONS sip:a@x SIP/7.0\r\nl: 0\r\n\r\n", "message 33", 0),
	ROW("spaces behind the version", "OPTIONS sip:a@x SIP/2.0  \r\nl: 0\r\n\r\n", "message 35", 0),
	ROW("lower version", "OPTIONS sip:a@x sip/2.0\r\nl: 0\r\n\r\n", "message 33", 0),
	ROW("two in a row", BARE HEAD "l: 1\r\n\r\na" BARE, "message 97, message 85, message 97", 0),
	ROW("a body that looks like a message", HEAD "Content-Length: 97\r\n\r\n" BARE "\r\n",
	    "message 195, blank 2", 0),
	// between messages
	ROW("a ping", "\r\n\r\n", "blank 2, ping 2", 0),
	ROW("two pings", "\r\n\r\n\r\n\r\n", "blank 2, ping 2, blank 2, ping 2", 0),
	ROW("CRLF between messages", BARE "\r\n" BARE, "message 97, blank 2, message 97", 0),
	ROW("a pong, then a ping", "\r\n" BARE "\r\n\r\n", "blank 2, message 97, blank 2, ping 2", 0),
	ROW("half a CRLF", "\r", "more", 0),
	// what is not there yet
	ROW("nothing", "", "more", 0),
	ROW("no end of line", "OPTIONS sip:a@x", "more", 0),
	ROW("no empty line", HEAD "Content-Length: 0\r\n", "more", 0),
	ROW("half a body", HEAD "Content-Length: 3\r\n\r\nab", "more", 0),
	// lengths nobody can be sure of
	ROW("missing", HEAD "\r\n", "refuse 78", 400),
	ROW("missing, with a body", HEAD "\r\nabc", "refuse 78", 400),
	ROW("empty", HEAD "Content-Length:\r\n\r\n", "refuse 95", 400),
	ROW("negative (ncl)", HEAD "Content-Length: -999\r\n\r\n", "refuse 100", 400),
	ROW("signed", HEAD "Content-Length: +3\r\n\r\nabc", "refuse 98", 400),
	ROW("hexadecimal", HEAD "Content-Length: 0x3\r\n\r\nabc", "refuse 99", 400),
	ROW("with a fraction", HEAD "Content-Length: 3.0\r\n\r\nabc", "refuse 99", 400),
	ROW("with letters behind", HEAD "Content-Length: 3abc\r\n\r\nabc", "refuse 100", 400),
	ROW("two numbers", HEAD "Content-Length: 3 3\r\n\r\nabc", "refuse 99", 400),
	ROW("a list", HEAD "Content-Length: 3, 3\r\n\r\nabc", "refuse 100", 400),
	ROW("folded into two numbers", HEAD "Content-Length: 1\r\n 0\r\n\r\nabc", "refuse 101", 400),
	ROW("quoted", HEAD "Content-Length: \"3\"\r\n\r\nabc", "refuse 99", 400),
	ROW("twice the same", HEAD "Content-Length: 3\r\nl: 3\r\n\r\nabc", "refuse 103", 400),
	ROW("twice, smuggling", HEAD "Content-Length: 0\r\nContent-Length: 97\r\n\r\n" BARE,
	    "refuse 117", 400),
	ROW("2^32 + 3", HEAD "Content-Length: 4294967299\r\n\r\nabc", "refuse 106", 513),
	ROW("2^64 + 3", HEAD "Content-Length: 18446744073709551619\r\n\r\nabc", "refuse 116", 513),
	ROW("65535 and a head", HEAD "Content-Length: 65535\r\n\r\nabc", "refuse 101", 513),
	ROW("a bare LF", HEAD "X: y\nContent-Length: 0\r\n\r\n", "refuse 102", 400),
	ROW("a bare LF at the end", HEAD "Content-Length: 0\r\n\n", "refuse 96", 400),
	// no SIP
	ROW("HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "alien", 0),
	ROW("TLS", "\x16\x03\x01\x02", "alien", 0),
	ROW("zeros", "\0\0\0\0", "alien", 0),
	ROW("a space first", " " BARE, "alien", 0),
	ROW("an LF first", "\n", "alien", 0),
	ROW("CR and no LF", "\rOPTIONS", "alien", 0),
	ROW("a line", "hello\r\n", "alien", 0),
	ROW("an alien behind a message", BARE "GET / HTTP/1.1\r\n", "message 97, alien", 0),
};
// clang-format on

static const char *const verdicts[] = {
	[FRAME_MORE] = "more",       [FRAME_BLANK] = "blank",   [FRAME_PING] = "ping",
	[FRAME_MESSAGE] = "message", [FRAME_REFUSE] = "refuse", [FRAME_ALIEN] = "alien",
};

struct walk {
	struct frame frame;
	size_t at; // octets taken away
	struct writer trail;
	enum frame_verdict last;
};

static bool is_at_end(const struct walk *walk)
{
	return walk->last == FRAME_REFUSE || walk->last == FRAME_ALIEN;
}

static void note(struct walk *walk, size_t size)
{
	if (walk->trail.used > 0)
		writer_string(&walk->trail, ", ");
	writer_string(&walk->trail, verdicts[walk->last]);
	if (walk->last != FRAME_ALIEN)
		writer_format(&walk->trail, " %zu", size);
}

// Everything that can be found when `count` octets have come.
static void walk_to(struct walk *walk, struct text octets, size_t count)
{
	while (!is_at_end(walk)) {
		size_t size = 0;
		size_t there = count - walk->at;
		char *copy = malloc(there > 0 ? there : 1); // so that a sanitizer sees its end
		assert_non_null(copy);
		memcpy(copy, octets.data + walk->at, there);
		walk->last = frame_read(&walk->frame, (struct text){ copy, there }, &size);
		free(copy);
		if (walk->last == FRAME_MORE) {
			CHECK_NUMBER(size, 0);
			return;
		}
		note(walk, size);
		walk->at += size;
	}
}

static void each_row_is_framed_as_it_deserves_wherever_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		for (size_t step = 1; step <= row->octets.size + 1; step++) {
			char room[TRAIL_SIZE];
			struct walk walk = { .trail = writer_of(room, sizeof(room)) };
			for (size_t count = step; count < row->octets.size; count += step)
				walk_to(&walk, row->octets, count);
			walk_to(&walk, row->octets, row->octets.size);
			const char *trail = writer_string_done(&walk.trail);
			if (strcmp(trail[0] != 0 ? trail : "more", row->trail) != 0)
				fail_msg("%s, %zu octets at a time: %s, not %s", row->name, step,
					 trail, row->trail);
			if (walk.last == FRAME_REFUSE && walk.frame.status != row->status)
				fail_msg("%s: %u, not %u", row->name, walk.frame.status,
					 row->status);
		}
	}
}

static void a_head_without_an_end_is_refused_at_its_bound(void **state)
{
	(void)state;
	static char octets[FRAME_HEAD_MAX + 100];
	struct writer writer = writer_of(octets, sizeof(octets));
	struct frame frame = { 0 };
	size_t size = 0;
	writer_string(&writer, START);
	while (writer.used < FRAME_HEAD_MAX)
		writer_string(&writer, "X-Long: abcdefghijklmnopqrstuvwxyz\r\n");
	struct text text = writer_done(&writer);
	CHECK_NUMBER(frame_read(&frame, (struct text){ text.data, FRAME_HEAD_MAX - 1 }, &size),
		     FRAME_MORE);
	CHECK_NUMBER(frame_read(&frame, text, &size), FRAME_REFUSE);
	CHECK_NUMBER(frame.status, 513);
	CHECK_TRUE(size < FRAME_HEAD_MAX && octets[size - 1] == '\n'); // whole lines
}

static void a_line_without_an_end_is_no_sip(void **state)
{
	(void)state;
	static char octets[FRAME_HEAD_MAX];
	struct frame frame = { 0 };
	size_t size = 0;
	memset(octets, 'a', sizeof(octets));
	CHECK_NUMBER(frame_read(&frame, (struct text){ octets, sizeof(octets) }, &size),
		     FRAME_ALIEN);
}

static void the_longest_message_passes_and_one_octet_more_does_not(void **state)
{
	(void)state;
	static char octets[SIP_MESSAGE_MAX];
	for (unsigned beyond = 0; beyond < 2; beyond++) {
		struct writer writer = writer_of(octets, sizeof(octets));
		struct frame frame = { 0 };
		size_t size = 0;
		writer_format(&writer, HEAD "l: %u\r\n\r\n", SIP_MESSAGE_MAX - 88 + beyond);
		CHECK_NUMBER(writer.used, 88);
		CHECK_NUMBER(frame_read(&frame, (struct text){ octets, 88 }, &size),
			     beyond == 0 ? FRAME_MORE : FRAME_REFUSE);
		if (beyond > 0)
			continue;
		CHECK_NUMBER(frame_wanted(&frame), SIP_MESSAGE_MAX);
		CHECK_NUMBER(frame_read(&frame, (struct text){ octets, sizeof(octets) }, &size),
			     FRAME_MESSAGE);
		CHECK_NUMBER(size, SIP_MESSAGE_MAX);
	}
}

static void a_blank_is_no_message_begun(void **state)
{
	(void)state;
	struct frame frame = { 0 };
	size_t size = 0;
	CHECK_NUMBER(frame_read(&frame, TEXT("\r\n"), &size), FRAME_BLANK);
	CHECK_FALSE(frame_is_open(&frame));
	CHECK_NUMBER(frame_read(&frame, TEXT("O"), &size), FRAME_MORE);
	CHECK_TRUE(frame_is_open(&frame));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_row_is_framed_as_it_deserves_wherever_it_is_cut),
		TEST(a_head_without_an_end_is_refused_at_its_bound),
		TEST(a_line_without_an_end_is_no_sip),
		TEST(the_longest_message_passes_and_one_octet_more_does_not),
		TEST(a_blank_is_no_message_begun),
	};
	return RUN_TESTS(tests);
}
