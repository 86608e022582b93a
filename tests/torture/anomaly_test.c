// Messages with one part of them gone wrong, in the manner of the PROTOS suite (c07-sip): each part of
// a sound message in turn is overlong, repeated, empty, a format string, a number at a bound, broken
// UTF-8 or what other parsers took for an end. The same ones every time. What they must do is little:
// nothing reads or writes beyond, nobody answers a response or an ACK, nothing is left, and whoever
// behaves is served all the while.

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "call/table.h"
#include "fake/memory.h"
#include "torture/stage.h"

#define SDP                                                                                        \
	"v={0}\r\no={-} {1} {1} IN {IP4} {203.0.113.10}\r\ns={-}\r\nc={IN} {IP4} "                 \
	"{203.0.113.10}\r\n"                                                                       \
	"t={0} {0}\r\nm={audio} {30000} {RTP/AVP} {0} {101}\r\na={rtpmap}:{101} "                  \
	"{telephone-event}/{8000}\r\na={fmtp}:{101} {0-15}\r\na={ptime}:{20}\r\na={sendrecv}\r\n"

// A number sign stands for what tells one message from the next.
static const struct {
	const char *octets;
	bool is_answered; // it may be
} templates[] = {
	{ "{INVITE}{ }{sip}:{+81312345678}@{" NODE_DOMAIN "}{}{ }{SIP}/{2.0}{}\r\n"
	  "{Via}:{ }{SIP/2.0}/{UDP} {203.0.113.10}:{5060};{rport};{branch}={z9hG4bK#}{}\r\n"
	  "{From}: {\"}{Lab}{\"} {<}{sip}:{" NODE_NUMBER "}@{" NODE_DOMAIN "}{>};{tag}={a#}{}\r\n"
	  "{To}: <{sip:+81312345678@" NODE_DOMAIN "}>{}\r\n{Call-ID}: {#@203.0.113.10}\r\n"
	  "{CSeq}: {1}{ }{INVITE}\r\n{Max-Forwards}: {70}\r\n"
	  "{Contact}: <{sip}:{a}@{203.0.113.10};{transport}={udp}>;{expires}={60}{}\r\n"
	  "{Route}: <{sip:192.0.2.1};{lr}>{}\r\n{Record-Route}: {<sip:203.0.113.9;lr>}\r\n"
	  "{Supported}: {100rel}, {timer}\r\n{Session-Expires}: {1800};{refresher}={uac}\r\n"
	  "{P-Asserted-Identity}: {<sip:" NODE_NUMBER
	  "@x>}\r\n{Diversion}: {<sip:+1@x>;reason=x}\r\n"
	  "{User-to-User}: {04abc;encoding=hex}\r\n{Accept}: {application/sdp}\r\n"
	  "{Date}: {Sat, 15 Oct 2005 04:44:56 GMT}\r\n{Content-Type}: "
	  "{application}/{sdp}{}\r\n\r\n" SDP,
	  true },
	{ "INVITE sip:+81312345678@" NODE_DOMAIN " SIP/2.0\r\nVia: SIP/2.0/UDP "
	  "203.0.113.10;branch=z9hG4bK#\r\nFrom: <sip:" NODE_NUMBER "@" NODE_DOMAIN
	  ">;tag=a#\r\nTo: "
	  "<sip:+81312345678@" NODE_DOMAIN ">\r\nCall-ID: #@203.0.113.10\r\nCSeq: 1 INVITE\r\n"
	  "Proxy-Authorization: {Digest} {username}=\"{alice}\", {realm}=\"{pstn.example.com}\", "
	  "{nonce}=\"{0123456789abcdef}\", {uri}=\"{sip:a}\", {response}=\"{0123}\", "
	  "{algorithm}={SHA-256}, {cnonce}=\"{x}\", {qop}={auth}, {nc}={00000001}\r\n"
	  "Contact: <sip:a@203.0.113.10>\r\nContent-Type: {multipart/mixed};{boundary}={b}\r\n"
	  "Content-Length: {0}\r\n\r\n{--}{b}\r\n{Content-Type}: "
	  "{application/sdp}\r\n\r\nv=0\r\n{--b--}",
	  true },
	{ "{SIP/2.0} {200} {OK}\r\nVia: {SIP/2.0/UDP 192.0.2.1:5060};branch={z9hG4bK#}{}\r\n"
	  "From: {<sip:a@x>};tag={a#}\r\nTo: {<sip:b@x>};tag={b}\r\nCall-ID: {#}\r\n"
	  "CSeq: {1} {INVITE}\r\n{Retry-After}: {5}\r\n{Warning}: {399} {x} {\"y\"}\r\n"
	  "{WWW-Authenticate}: {Digest realm=\"x\"}\r\nContact: {<sip:b@198.51.100.11>}\r\n\r\n",
	  false },
	{ "{ACK} {sip:192.0.2.1} SIP/2.0\r\nVia: SIP/2.0/UDP {203.0.113.10};branch={z9hG4bK#}\r\n"
	  "From: {<sip:a@x>;tag=a#}\r\nTo: {<sip:b@x>;tag=b}\r\nCall-ID: {#}\r\nCSeq: {1} "
	  "{ACK}\r\n\r\n",
	  true }, // an ACK whose method has gone wrong is another request
};

// What is put in place of a part: the piece, that many times. Chosen by where buffers, counters and
// other people's parsers end.
static const struct anomaly {
	struct text piece;
	unsigned count;
} anomalies[] = {
	{ TEXT(""), 1 },
	{ TEXT("a"), 127 },
	{ TEXT("a"), 128 },
	{ TEXT("a"), 255 },
	{ TEXT("a"), 256 },
	{ TEXT("a"), 257 },
	{ TEXT("a"), 1024 },
	{ TEXT("a"), 2048 },
	{ TEXT("a"), 2049 },
	{ TEXT("a"), 8193 },
	{ TEXT("a"), 32768 },
	{ TEXT(" "), 300 },
	{ TEXT("\t"), 300 },
	{ TEXT("\r\n "), 100 },
	{ TEXT("\r\n"), 2 },
	{ TEXT("\r"), 3 },
	{ TEXT("\n"), 3 },
	{ TEXT("\0"), 1 },
	{ TEXT("\0"), 300 },
	{ TEXT("a\0b"), 1 },
	{ TEXT("\x7f\x01\x02\x1b[31m"), 1 },
	{ TEXT(","), 1 },
	{ TEXT(","), 70 },
	{ TEXT(";"), 1 },
	{ TEXT(";"), 70 },
	{ TEXT(";a=b"), 64 },
	{ TEXT(";a=b"), 65 },
	{ TEXT("="), 5 },
	{ TEXT(":"), 5 },
	{ TEXT("/"), 5 },
	{ TEXT("@"), 5 },
	{ TEXT("\""), 1 },
	{ TEXT("\""), 301 },
	{ TEXT("\\"), 1 },
	{ TEXT("\\\""), 300 },
	{ TEXT("<"), 300 },
	{ TEXT(">"), 300 },
	{ TEXT("<>"), 300 },
	{ TEXT("("), 300 },
	{ TEXT("["), 1 },
	{ TEXT("[::1]"), 1 },
	{ TEXT("[:::::]"), 3 },
	{ TEXT("%"), 1 },
	{ TEXT("%n"), 50 },
	{ TEXT("%s"), 50 },
	{ TEXT("%x%999999d"), 5 },
	{ TEXT("%00"), 1 },
	{ TEXT("%0d%0aX:"), 1 },
	{ TEXT("%zz"), 5 },
	{ TEXT("0"), 1 },
	{ TEXT("-1"), 1 },
	{ TEXT("+1"), 1 },
	{ TEXT("00000000000000000000001"), 1 },
	{ TEXT("1e9"), 1 },
	{ TEXT("0x10"), 1 },
	{ TEXT("127"), 1 },
	{ TEXT("128"), 1 },
	{ TEXT("255"), 1 },
	{ TEXT("256"), 1 },
	{ TEXT("65535"), 1 },
	{ TEXT("65536"), 1 },
	{ TEXT("2147483647"), 1 },
	{ TEXT("2147483648"), 1 },
	{ TEXT("4294967295"), 1 },
	{ TEXT("4294967296"), 1 },
	{ TEXT("18446744073709551616"), 1 },
	{ TEXT("9"), 400 },
	{ TEXT("\xc0\xaf"), 20 }, // overlong '/'
	{ TEXT("\xed\xa0\x80"), 20 }, // half of a surrogate pair
	{ TEXT("\xf8\x88\x80\x80\x80"), 20 },
	{ TEXT("\x80"), 300 },
	{ TEXT("\xff\xfe"), 50 },
	{ TEXT("\xef\xbb\xbf"), 1 },
	{ TEXT("\xe2\x80\xae"), 5 }, // writes backwards
	{ TEXT("INVITE sip:a@b SIP/2.0\r\n"), 2 },
	{ TEXT("../../etc/passwd"), 3 },
};

#define ROOM 65536

static void write_piece(struct writer *writer, const struct anomaly *anomaly)
{
	for (unsigned i = 0; i < anomaly->count; i++)
		writer_text(writer, anomaly->piece);
}

// The template with the anomaly in place of the nth part. False: it has no such part.
static bool write_anomaly(struct writer *writer, const char *octets, unsigned nth,
			  const struct anomaly *anomaly, unsigned number)
{
	unsigned part = 0;
	bool is_replaced = false, is_within = false;
	for (; *octets != '\0'; octets++) {
		if (*octets == '{' || *octets == '}') {
			is_within = *octets == '{' && part++ == nth;
			if (is_within)
				write_piece(writer, anomaly);
			is_replaced |= is_within;
		} else if (!is_within && *octets == '#') {
			writer_format(writer, "anomaly%u", number);
		} else if (!is_within) {
			writer_char(writer, *octets);
		}
	}
	return is_replaced;
}

// Whoever is called refuses.
static void refuse_calls(struct stage *stage)
{
	const struct wire_packet *packet;
	while ((packet = stage_take(stage, &stage->carrier)) != NULL)
		if (packet->message.is_request && packet->message.method == SIP_INVITE)
			stage_answer(stage, packet, 486);
}

static void check_answers(struct stage *stage, bool may_answer, struct text octets)
{
	const struct wire *wire = &stage->node->wire;
	for (unsigned i = stage->seen; i < wire->count; i++)
		if (!wire->packets[i]->is_inbound && !may_answer)
			fail_msg("answered: %.*s", TEXT_FORMAT(octets));
	stage->seen = wire->count;
}

static void throw_anomalies(struct stage *stage, unsigned template, unsigned *number)
{
	char *room = memory_take(ROOM);
	bool has_part = true;
	for (unsigned nth = 0; has_part; nth++) {
		for (size_t i = 0; i < sizeof(anomalies) / sizeof(anomalies[0]); i++) {
			struct writer writer = writer_of(room, ROOM);
			has_part = write_anomaly(&writer, templates[template].octets, nth,
						 &anomalies[i], ++*number);
			if (!has_part)
				break;
			assert_false(writer.failed);
			stage_throw(stage, &stage->caller, writer_done(&writer));
			refuse_calls(stage);
			check_answers(stage, templates[template].is_answered, writer_done(&writer));
		}
	}
	free(room);
}

static bool is_served(struct stage *stage, unsigned number)
{
	char room[512];
	struct writer writer = writer_of(room, sizeof(room));
	writer_format(&writer,
		      "OPTIONS sip:" NODE_DOMAIN " SIP/2.0\r\nVia: SIP/2.0/UDP "
		      "203.0.113.10;branch=z9hG4bKserved%u\r\nFrom: <sip:a@x>;tag=a\r\nTo: "
		      "<sip:b@x>\r\nCall-ID: served%u\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
		      "User-Agent: whoever behaves, and says so at some length\r\n\r\n",
		      number, number);
	stage_throw(stage, &stage->caller, writer_done(&writer));
	const struct wire_packet *answer = stage_take(stage, &stage->caller);
	return answer != NULL && answer->message.status == 200;
}

static void nothing_breaks(void **state)
{
	(void)state;
	unsigned number = 0;
	for (unsigned i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		struct stage stage;
		stage_open(&stage, SIP_UDP);
		throw_anomalies(&stage, i, &number);
		if (!is_served(&stage, number))
			fail_msg("nobody is served after template %u", i);
		stage_close(&stage);
	}
	printf("%u anomalies\n", number);
	assert_true(number > 10000); // or the templates have lost their parts
}

int main(void)
{
	log_set_level(LOG_ERROR);
	const struct CMUnitTest tests[] = { TEST(nothing_breaks) };
	return RUN_TESTS(tests);
}
