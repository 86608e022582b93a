// The scan against RFC 3261's grammar, RFC 4475's torture, and what libosip2 alone would accept:
// each message and the reaction it deserves.

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "sip/message_parts.h"
#include "sip/scan.h"

#define VIA "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa\r\n"
#define FROM "From: <sip:a@x.example>;tag=1\r\n"
#define TO "To: <sip:b@x.example>\r\n"
#define ID "Call-ID: c\r\n"
#define CSEQ "CSeq: 1 INVITE\r\n"
#define MF "Max-Forwards: 70\r\n"
#define REST VIA FROM TO ID CSEQ MF
#define LINE "INVITE sip:b@x.example SIP/2.0\r\n"
#define HEAD LINE REST
#define RESPONSE "SIP/2.0 200 OK\r\n"

struct row {
	const char *name;
	struct text octets;
	enum sip_scan_verdict verdict;
	unsigned status; // of a refusal
};

#define ROW(name, octets, verdict, status)                                                         \
	{                                                                                          \
		name, TEXT(octets), SIP_SCAN_##verdict, status                                     \
	}

// clang-format off
static const struct row rows[] = {
	// what must pass
	ROW("the least", HEAD "\r\n", OK, 0),
	ROW("leading CRLF", "\r\n\r\n" HEAD "\r\n", OK, 0),
	ROW("space before the colon", HEAD "X-Foo \t: bar\r\n\r\n", OK, 0),
	ROW("compact forms", LINE "v: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa\r\nf: <sip:a@x>;tag=1\r\n"
	    "t: <sip:b@x>\r\ni: c\r\nCSEQ: 1 INVITE\r\nl: 0\r\n\r\n", OK, 0),
	ROW("spaces in the Via", LINE "Via: SIP / 2.0 / UDP 10.0.0.1 : 5060 ; branch = z9hG4bKa\r\n"
	    FROM TO ID CSEQ "\r\n", OK, 0),
	ROW("leading zeros", LINE VIA FROM TO ID "CSeq: 0009 INVITE\r\nMax-Forwards: 0068\r\n\r\n",
	    OK, 0),
	ROW("no Max-Forwards", LINE VIA FROM TO ID CSEQ "\r\n", OK, 0),
	ROW("empty value", HEAD "Subject:\r\n\r\n", OK, 0),
	ROW("controls in quoted pairs", HEAD "X-Odd: \"\\\x07 \\\0 \\\x7f\"\r\n\r\n", OK, 0),
	ROW("odd unknown value", HEAD "X-Odd: ;;,,;;,;\r\n\r\n", OK, 0),
	ROW("two lists of option tags", HEAD "Require: a , b-1.x\r\nProxy-Require: c\r\nRequire: d\r\n\r\n",
	    OK, 0),
	ROW("an empty Require", HEAD "Require:\r\n\r\n", OK, 0),
	ROW("an odd Require in a response", RESPONSE REST "Require: a b\r\n\r\n", OK, 0),
	ROW("an odd Require in an ACK", "ACK sip:b@x.example SIP/2.0\r\n" VIA FROM TO ID
	    "CSeq: 1 ACK\r\nRequire: a b\r\n\r\n", OK, 0),
	ROW("an odd Require in a CANCEL", "CANCEL sip:b@x.example SIP/2.0\r\n" VIA FROM TO ID
	    "CSeq: 1 CANCEL\r\nRequire: a b\r\n\r\n", OK, 0),
	ROW("a body cut short", HEAD "Content-Length: 2\r\n\r\nabcdef", OK, 0),
	ROW("a second message behind", HEAD "Content-Length: 0\r\n\r\n" HEAD "\r\n", OK, 0),
	ROW("IPv6 sent-by", LINE "Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKa\r\n"
	    FROM TO ID CSEQ "\r\n", OK, 0),
	ROW("no reason phrase", "SIP/2.0 200 \r\n" REST "\r\n", OK, 0),
	ROW("utf-8 in the reason", "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\n" REST "\r\n", OK, 0),
	ROW("unknown transport", LINE "Via: SIP/2.0/UNKNOWN 10.0.0.1;branch=z9hG4bKa\r\n"
	    FROM TO ID CSEQ "\r\n", OK, 0),
	ROW("user with parameters", "INVITE sip:user;par=u%40example.net@x.example SIP/2.0\r\n" REST "\r\n",
	    OK, 0),
	ROW("tel", "INVITE tel:+15551234567;phone-context=a SIP/2.0\r\n" REST "\r\n", OK, 0),
	ROW("lower version", "INVITE sip:b@x.example sip/2.0\r\n" REST "\r\n", OK, 0),
	// what is no message
	ROW("a ping", "\r\n\r\n", KEEPALIVE, 0),
	ROW("a pong", "\r\n", KEEPALIVE, 0),
	ROW("nothing", "", DROP, 0),
	ROW("four zeros", "\0\0\0\0", DROP, 0),
	ROW("HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", DROP, 0),
	ROW("one word", "jaK", DROP, 0),
	ROW("a line", "INVITE\r\n\r\n", DROP, 0),
	ROW("space first", " " HEAD "\r\n", DROP, 0),
	// Require, Proxy-Require
	ROW("Require of two words", HEAD "Require: 100rel foo\r\n\r\n", REFUSE, 400),
	ROW("Require with a parameter", HEAD "Require: 100rel;x=1\r\n\r\n", REFUSE, 400),
	ROW("Require in quotes", HEAD "Require: \"100rel\"\r\n\r\n", REFUSE, 400),
	ROW("Require that ends in a comma", HEAD "Require: 100rel,\r\n\r\n", REFUSE, 400),
	ROW("Require of commas", HEAD "Require: ,\r\n\r\n", REFUSE, 400),
	ROW("the second Require", HEAD "Require: 100rel\r\nRequire: <a>\r\n\r\n", REFUSE, 400),
	ROW("Proxy-Require of two words", HEAD "Proxy-Require: a b\r\n\r\n", REFUSE, 400),
	// Content-Length
	ROW("CL -1", HEAD "Content-Length: -1\r\n\r\n", REFUSE, 400),
	ROW("CL -999 (ncl)", HEAD "Content-Length: -999\r\n\r\n", REFUSE, 400),
	ROW("CL +5", HEAD "Content-Length: +5\r\n\r\nabcde", REFUSE, 400),
	ROW("CL 5abc", HEAD "Content-Length: 5abc\r\n\r\nabcde", REFUSE, 400),
	ROW("CL 0x5", HEAD "Content-Length: 0x5\r\n\r\nabcde", REFUSE, 400),
	ROW("CL 2^32+1", HEAD "Content-Length: 4294967297\r\n\r\na", REFUSE, 400),
	ROW("CL of 20 digits", HEAD "Content-Length: 99999999999999999999\r\n\r\n", REFUSE, 400),
	ROW("CL empty", HEAD "Content-Length:\r\n\r\n", REFUSE, 400),
	ROW("CL twice", HEAD "Content-Length: 0\r\nl: 0\r\n\r\n", REFUSE, 400),
	ROW("CL too long (clerr)", HEAD "Content-Length: 9999\r\n\r\nabc", REFUSE, 400),
	// CSeq
	ROW("no CSeq", LINE VIA FROM TO ID MF "\r\n", DROP, 0),
	ROW("CSeq -1", LINE VIA FROM TO ID "CSeq: -1 INVITE\r\n\r\n", REFUSE, 400),
	ROW("CSeq abc", LINE VIA FROM TO ID "CSeq: abc\r\n\r\n", REFUSE, 400),
	ROW("CSeq 2^31", LINE VIA FROM TO ID "CSeq: 2147483648 INVITE\r\n\r\n", REFUSE, 400),
	ROW("CSeq beyond 2^32 (scalar02)", LINE VIA FROM TO ID "CSeq: 36893488147419103232 INVITE\r\n\r\n",
	    REFUSE, 400),
	ROW("CSeq of another method (mismatch01)", LINE VIA FROM TO ID "CSeq: 1 OPTIONS\r\n\r\n",
	    REFUSE, 400),
	ROW("CSeq without space", LINE VIA FROM TO ID "CSeq: 1INVITE\r\n\r\n", REFUSE, 400),
	ROW("CSeq twice", HEAD CSEQ "\r\n", REFUSE, 400),
	// Max-Forwards
	ROW("MF 256", LINE VIA FROM TO ID CSEQ "Max-Forwards: 256\r\n\r\n", REFUSE, 400),
	ROW("MF 300 (scalar02)", LINE VIA FROM TO ID CSEQ "Max-Forwards: 300\r\n\r\n", REFUSE, 400),
	ROW("MF -1", LINE VIA FROM TO ID CSEQ "Max-Forwards: -1\r\n\r\n", REFUSE, 400),
	ROW("MF twice", HEAD MF "\r\n", REFUSE, 400),
	// other single headers
	ROW("two From (multi01)", HEAD FROM "\r\n", REFUSE, 400),
	ROW("two To", HEAD "t: <sip:c@x>\r\n\r\n", REFUSE, 400),
	ROW("two Call-ID", HEAD "i: d\r\n\r\n", REFUSE, 400),
	ROW("two Content-Type", HEAD "Content-Type: a/b\r\nc: a/c\r\n\r\n", REFUSE, 400),
	ROW("Expires beyond 2^32", HEAD "Expires: 10000000000000\r\n\r\n", REFUSE, 400),
	ROW("spaces in Call-ID", LINE VIA FROM TO "Call-ID: a b\r\n" CSEQ "\r\n", REFUSE, 400),
	// mandatory headers
	ROW("no Via", LINE FROM TO ID CSEQ "\r\n", DROP, 0),
	ROW("no From (insuf)", LINE VIA TO ID CSEQ "\r\n", REFUSE, 400),
	ROW("no To", LINE VIA FROM ID CSEQ "\r\n", REFUSE, 400),
	ROW("no Call-ID", LINE VIA FROM TO CSEQ "\r\n", REFUSE, 400),
	ROW("no From, To or Call-ID", LINE VIA CSEQ "\r\n", REFUSE, 400),
	// start lines
	ROW("SIP/3.0", "INVITE sip:b@x.example SIP/3.0\r\n" REST "\r\n", REFUSE, 505),
	ROW("SIP/7.0 (badvers)", "INVITE sip:b@x.example SIP/7.0\r\n" REST "\r\n", REFUSE, 505),
	ROW("SIP/2.00", "INVITE sip:b@x.example SIP/2.00\r\n" REST "\r\n", REFUSE, 505),
	ROW("SIP/x", "INVITE sip:b@x.example SIP/x\r\n" REST "\r\n", REFUSE, 400),
	ROW("SIP/4294967298.0", "INVITE sip:b@x.example SIP/4294967298.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("method with (", "INV(ITE sip:b@x.example SIP/2.0\r\n" REST "\r\n", DROP, 0),
	ROW("unknown method", "NEWMETHOD sip:b@x.example SIP/2.0\r\n" VIA FROM TO ID
	    "CSeq: 1 NEWMETHOD\r\n\r\n", REFUSE, 501),
	ROW("lower-case method", "invite sip:b@x.example SIP/2.0\r\n" VIA FROM TO ID
	    "CSeq: 1 invite\r\n\r\n", REFUSE, 501),
	ROW("escaped method (esc02)", "RE%47IST%45R sip:x.example SIP/2.0\r\n" VIA FROM TO ID
	    "CSeq: 1 RE%47IST%45R\r\n\r\n", REFUSE, 501),
	ROW("unknown scheme (unkscm)", "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n"
	    VIA FROM TO ID "CSeq: 1 OPTIONS\r\n\r\n", REFUSE, 416),
	ROW("scheme of two words (novelsc)", "OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n"
	    VIA FROM TO ID "CSeq: 1 OPTIONS\r\n\r\n", REFUSE, 416),
	ROW("http", "OPTIONS http://x.example SIP/2.0\r\n" VIA FROM TO ID "CSeq: 1 OPTIONS\r\n\r\n",
	    REFUSE, 416),
	ROW("URI in brackets (ltgtruri)", "INVITE <sip:b@x.example> SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("space in the URI (lwsruri)", "INVITE sip:b@x.example; lr SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("two spaces (lwsstart)", "INVITE  sip:b@x.example  SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("spaces behind (trws)", "INVITE sip:b@x.example SIP/2.0  \r\n" REST "\r\n", REFUSE, 400),
	ROW("headers in the URI (escruri)", "INVITE sip:b@x.example?Route=%3Csip:e.example%3E SIP/2.0\r\n"
	    REST "\r\n", REFUSE, 400),
	ROW("%00 in the user", "INVITE sip:null-%00-null@x.example SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("%0d", "INVITE sip:a%0d@x.example SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("%0A", "INVITE sip:a%0A@x.example SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("half an escape", "INVITE sip:a%4@x.example SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("port 99999", "INVITE sip:b@x.example:99999 SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("port 0", "INVITE sip:b@x.example:0 SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("port abc", "INVITE sip:b@x.example:abc SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("two @", "INVITE sip:a@b@x.example SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("no host", "INVITE sip:b@ SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	ROW("no scheme", "INVITE x.example SIP/2.0\r\n" REST "\r\n", REFUSE, 400),
	// lines
	ROW("NUL at the start of a line", HEAD "\0X: y\r\n\r\n", REFUSE, 400),
	ROW("NUL in a value", HEAD "X: a\0b\r\n\r\n", REFUSE, 400),
	ROW("BEL in a value", HEAD "X: a\ab\r\n\r\n", REFUSE, 400),
	ROW("control before the colon", HEAD "X\001: a\r\n\r\n", REFUSE, 400),
	ROW("bare LF", HEAD "X-A: b\nRoute: <sip:evil.example>\r\n\r\n", REFUSE, 400),
	ROW("bare CR", HEAD "X-A: b\rRoute: <sip:evil.example>\r\n\r\n", REFUSE, 400),
	ROW("LF everywhere", "INVITE sip:b@x.example SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\n\n",
	    DROP, 0),
	ROW("no empty line", HEAD, REFUSE, 400),
	ROW("half a line", HEAD "X-A: b", REFUSE, 400),
	ROW("no colon", HEAD "nonsense\r\n\r\n", REFUSE, 400),
	ROW("no name", HEAD ": nonsense\r\n\r\n", REFUSE, 400),
	ROW("space in the name", HEAD "X Foo: nonsense\r\n\r\n", REFUSE, 400),
	ROW("folded", HEAD "Subject: a\r\n b\r\n\r\n", FOLDED, 0),
	// Via
	ROW("Via of SIP/1.0", LINE "Via: SIP/1.0/UDP 10.0.0.1;branch=z9hG4bKa\r\n" FROM TO ID CSEQ "\r\n",
	    REFUSE, 400),
	ROW("Via with port 0", LINE "Via: SIP/2.0/UDP 10.0.0.1:0;branch=z9hG4bKa\r\n" FROM TO ID CSEQ "\r\n",
	    REFUSE, 400),
	ROW("Via of separators (badinv01)", LINE "Via: SIP/2.0/UDP 192.0.2.15;;,;,,\r\n" FROM TO ID CSEQ
	    "\r\n", REFUSE, 400),
	ROW("two branches", LINE "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;branch=b\r\n" FROM TO ID CSEQ
	    "\r\n", REFUSE, 400),
	ROW("an empty Via between", LINE "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa,,SIP/2.0/UDP b\r\n"
	    FROM TO ID CSEQ "\r\n", REFUSE, 400),
	// never answered
	ROW("malformed ACK", "ACK sip:b@x.example SIP/2.0\r\n" VIA FROM TO ID "CSeq: 1 INVITE\r\n\r\n",
	    DROP, 0),
	ROW("status 99", "SIP/2.0 99 x\r\n" REST "\r\n", DROP, 0),
	ROW("status 700", "SIP/2.0 700 x\r\n" REST "\r\n", DROP, 0),
	ROW("status -200", "SIP/2.0 -200 x\r\n" REST "\r\n", DROP, 0),
	ROW("status 200x", "SIP/2.0 200x OK\r\n" REST "\r\n", DROP, 0),
	ROW("status 4294967301 (bigcode)", "SIP/2.0 4294967301 better not\r\n" REST "\r\n", DROP, 0),
	ROW("status without a space", "SIP/2.0 200\r\n" REST "\r\n", DROP, 0),
	ROW("response of SIP/7.0", "SIP/7.0 200 OK\r\n" REST "\r\n", DROP, 0),
	ROW("response with CL -1", RESPONSE REST "Content-Length: -1\r\n\r\n", DROP, 0),
	ROW("response with a large CSeq (scalarlg)", RESPONSE VIA FROM TO ID
	    "CSeq: 9292394834772304023312 INVITE\r\n\r\n", DROP, 0),
	ROW("response with two Call-ID", RESPONSE REST ID "\r\n", DROP, 0),
};
// clang-format on

static enum sip_scan_verdict scan(struct text octets, struct sip_message *message,
				  struct sip_scan_refusal *refusal)
{
	// A copy of exactly its size: the sanitizer sees every octet read beyond it.
	char *copy = malloc(octets.size > 0 ? octets.size : 1);
	assert_non_null(copy);
	memcpy(copy, octets.data, octets.size);
	enum sip_scan_verdict verdict =
		sip_scan_message((struct text){ copy, octets.size }, message, refusal);
	free(copy);
	return verdict;
}

static void each_hazard_gets_its_reaction(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_message message;
		struct sip_scan_refusal refusal;
		enum sip_scan_verdict verdict = scan(rows[i].octets, &message, &refusal);
		if (verdict != rows[i].verdict)
			fail_msg("%s: verdict %d, not %d", rows[i].name, verdict, rows[i].verdict);
		if (verdict == SIP_SCAN_REFUSE && refusal.status != rows[i].status)
			fail_msg("%s: %u %s, not %u", rows[i].name, refusal.status, refusal.reason,
				 rows[i].status);
	}
}

static void a_message_cut_anywhere_is_read_no_further(void **state)
{
	(void)state;
	static const struct text whole =
		TEXT("INVITE sip:b;x=%41@[2001:db8::1]:5060;lr SIP/2.0\r\n"
		     "Via: SIP / 2.0 / UDP 10.0.0.1:5060;branch=\"q\\\"\";rport, SIP/2.0/UDP h\r\n"
		     "From: \"a\\\"b\" <sip:a@x>;tag=1\r\nTo: b <sip:b@x>\r\nCall-ID: c\r\n"
		     "CSeq: 1 INVITE\r\nContent-Length: 3\r\n\r\nabc");
	struct sip_message message;
	struct sip_scan_refusal refusal;
	for (size_t size = 0; size < whole.size; size++)
		assert_int_not_equal(scan((struct text){ whole.data, size }, &message, &refusal),
				     SIP_SCAN_OK);
	assert_int_equal(scan(whole, &message, &refusal), SIP_SCAN_OK);
}

static struct text repeated(char *room, size_t size, const char *start, const char *part,
			    unsigned count, const char *end)
{
	struct writer writer = writer_of(room, size);
	writer_string(&writer, start);
	for (unsigned i = 0; i < count; i++)
		writer_string(&writer, part);
	writer_string(&writer, end);
	assert_false(writer.failed);
	return writer_done(&writer);
}

static void caps_bound_what_is_counted(void **state)
{
	(void)state;
	static const struct {
		const char *start, *part, *end;
		unsigned most;
		unsigned status; // one more than the most
	} caps[] = {
		{ HEAD, "Y: y\r\n", "\r\n", SIP_HEADERS_MAX - 6, 400 },
		{ HEAD "Y: ", ";a", "\r\n\r\n", SIP_SCAN_PIECES_MAX, 400 },
		{ HEAD "Y: ", "a,", "\r\n\r\n", SIP_SCAN_PIECES_MAX, 400 },
		{ HEAD "Y: ", "&a", "\r\n\r\n", SIP_SCAN_PIECES_MAX, 400 },
		{ HEAD "Y: ", "a", "\r\n\r\n", SIP_SCAN_VALUE_MAX, 400 },
		{ HEAD, "Via: SIP/2.0/UDP h\r\n", "\r\n", SIP_SCAN_VIA_MAX - 1, 400 },
	};
	char room[SIP_SCAN_HEAD_MAX];
	struct sip_message message;
	struct sip_scan_refusal refusal;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		struct text fits = repeated(room, sizeof(room), caps[i].start, caps[i].part,
					    caps[i].most, caps[i].end);
		if (scan(fits, &message, &refusal) != SIP_SCAN_OK)
			fail_msg("cap %zu: %s", i, refusal.reason);
		struct text above = repeated(room, sizeof(room), caps[i].start, caps[i].part,
					     caps[i].most + 1, caps[i].end);
		assert_int_equal(scan(above, &message, &refusal), SIP_SCAN_REFUSE);
		CHECK_NUMBER(refusal.status, caps[i].status);
	}
}

static void a_head_too_large_is_refused_513(void **state)
{
	(void)state;
	static char room[2 * SIP_SCAN_HEAD_MAX]; // lint: global (too large for the stack)
	char line[1600];
	struct sip_message message;
	struct sip_scan_refusal refusal;
	memset(line, 'a', sizeof(line));
	memcpy(line, "Y: ", 3);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	struct text large = repeated(room, sizeof(room), HEAD, line, 12, "\r\n");
	assert_int_equal(scan(large, &message, &refusal), SIP_SCAN_REFUSE);
	if (refusal.status != 513)
		fail_msg("%u %s", refusal.status, refusal.reason);
}

static void the_fields_are_where_they_were(void **state)
{
	(void)state;
	static const char octets[] =
		"INVITE sip:+1555@x.example:5070;lr SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bKa, "
		"SIP/2.0/TCP b.example;branch=z9hG4bKb\r\n"
		"v: SIP/2.0/UDP c.example\r\n"
		"From: \"A, B\" <sip:a@x.example>;tag=1\r\n"
		"To: <sip:+1555@x.example>\r\nCall-ID: c@d\r\nCSeq: 7 INVITE\r\n"
		"Max-Forwards: 19\r\nContact: <sip:a@10.0.0.1:5062;ob>\r\n"
		"Content-Type: application/sdp;x=y\r\nContent-Length: 3\r\n\r\nv=0zz";
	struct sip_message message;
	CHECK_TRUE(sip_message_parse(TEXT(octets), &message));
	CHECK_TRUE(message.is_request);
	CHECK_NUMBER(message.method, SIP_INVITE);
	CHECK_TEXT(message.target.user, "+1555");
	CHECK_TEXT(message.target.host, "x.example");
	CHECK_NUMBER(message.target.port, 5070);
	CHECK_TEXT(message.target.parameters, ";lr");
	CHECK_TEXT(message.via.branch, "z9hG4bKa");
	CHECK_TEXT(message.via.host, "10.0.0.1");
	CHECK_NUMBER(message.via.port, 5062);
	CHECK_TRUE(message.via.has_rport);
	CHECK_TEXT(message.via.whole, "SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bKa");
	CHECK_NUMBER(message.via_count, 3);
	CHECK_TEXT(message.from.display, "\"A, B\"");
	CHECK_TEXT(message.from.tag, "1");
	CHECK_TEXT(message.to.tag, "");
	CHECK_TEXT(message.call_id, "c@d");
	CHECK_NUMBER(message.cseq, 7);
	CHECK_NUMBER(message.max_forwards, 19);
	CHECK_TEXT(message.contact.uri.whole, "sip:a@10.0.0.1:5062;ob");
	CHECK_TEXT(message.content_type, "application/sdp");
	CHECK_TEXT(message.body, "v=0");
	CHECK_TEXT(sip_message_header(&message, "Via", 1), "SIP/2.0/UDP c.example");
	assert_null(sip_message_header(&message, "Via", 2).data);
	assert_null(sip_message_header(&message, "Route", 0).data);
}

static void folded_lines_are_unfolded_into_one(void **state)
{
	(void)state;
	static const struct text folded =
		TEXT("\r\n\r\n" HEAD "Subject: a\r\n \tb\r\nContent-Length:\r\n 5\r\n\r\nx\r\n y");
	char room[1024];
	struct sip_message message;
	struct sip_scan_refusal refusal;
	assert_int_equal(sip_scan_message(folded, &message, &refusal), SIP_SCAN_FOLDED);
	struct text plain = sip_scan_unfold(folded, room);
	CHECK_NUMBER(plain.size, folded.size);
	assert_int_equal(sip_scan_message(plain, &message, &refusal), SIP_SCAN_OK);
	CHECK_TEXT(sip_message_header(&message, "Subject", 0), "a   \tb");
	CHECK_TEXT(message.body, "x\r\n y"); // the body is left alone
}

static void options_are_found_in_lists_and_compact_forms(void **state)
{
	(void)state;
	static const char octets[] = HEAD "k: 100rel , Timer\r\nSupported: path\r\n\r\n";
	struct sip_message message;
	CHECK_TRUE(sip_message_parse(TEXT(octets), &message));
	CHECK_TRUE(sip_message_has_option(&message, "Supported", "timer"));
	CHECK_TRUE(sip_message_has_option(&message, "Supported", "path"));
	CHECK_FALSE(sip_message_has_option(&message, "Supported", "replaces"));
	CHECK_FALSE(sip_message_has_option(&message, "Require", "timer"));
}

static void methods_and_reasons_have_their_text(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SIP_UNKNOWN; i++)
		assert_int_equal(sip_method_of(sip_method_text((enum sip_method)i)), i);
	assert_int_equal(sip_method_of(TEXT("invite")), SIP_UNKNOWN);
	CHECK_STRING(sip_reason(487), "Request Terminated");
	CHECK_STRING(sip_reason(299), "");
}

int main(void)
{
	sip_message_start();
	const struct CMUnitTest tests[] = {
		TEST(each_hazard_gets_its_reaction),
		TEST(a_message_cut_anywhere_is_read_no_further),
		TEST(caps_bound_what_is_counted),
		TEST(a_head_too_large_is_refused_513),
		TEST(the_fields_are_where_they_were),
		TEST(folded_lines_are_unfolded_into_one),
		TEST(options_are_found_in_lists_and_compact_forms),
		TEST(methods_and_reasons_have_their_text),
	};
	return RUN_TESTS(tests);
}
