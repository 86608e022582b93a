// Valid messages of RFC 4475, which must come through whole: odd spacing, folding, escapes, lengths.

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include "sip/message_parts.h"
#include "sip/scan.h"

// 3.1.1.1, a short tortuous INVITE
static const char wsinv[] =
	"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
	"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
	"from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = "
	"98asjd8\r\n"
	"MaX-fOrWaRdS: 0068\r\n"
	"Call-ID: wsinv.ndaksdj@192.0.2.1\r\n"
	"Content-Length   : 150\r\n"
	"cseq: 0009\r\n  INVITE\r\n"
	"Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n"
	"s :\r\n"
	"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
	"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
	"Content-Type: application/sdp\r\n"
	"Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>\r\n"
	"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
	" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
	"m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue "
	";\r\n"
	"  secondparam ; q = 0.33\r\n\r\n"
	"v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n"
	"m=audio 49217 RTP/AVP 0 12\r\nm=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n";

// 3.1.1.3, valid use of the % escaping mechanism
static const char esc01[] =
	"INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\r\n"
	"To: sip:%75se%72@example.com\r\n"
	"From: <sip:I%20have%20spaces@example.net>;tag=938\r\n"
	"Max-Forwards: 87\r\ni: esc01.239409asdfakjkn23onasd0-3234\r\nCSeq: 234234 INVITE\r\n"
	"Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bKkdjuw\r\nC: application/sdp\r\n"
	"Contact:\r\n  <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>\r\n"
	"Content-Length: 0\r\n\r\n";

// 3.1.1.6, message with no LWS between display name and <
static const char lwsdisp[] =
	"OPTIONS sip:user@example.com SIP/2.0\r\nTo: sip:user@example.com\r\n"
	"From: caller<sip:caller@example.com>;tag=323\r\nMax-Forwards: 70\r\n"
	"Call-ID: lwsdisp.1234abcd@funky.example.com\r\nCSeq: 60 OPTIONS\r\n"
	"Via: SIP/2.0/UDP funky.example.com;branch=z9hG4bKkdjuw\r\nl: 0\r\n\r\n";

// 3.1.1.9, semicolon-separated parameters in the user part
static const char semiuri[] =
	"OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\r\nTo: sip:j_user@example.com\r\n"
	"From: sip:caller@example.org;tag=33242\r\nMax-Forwards: 3\r\n"
	"Call-ID: semiuri.0ha0isndaksdj\r\nCSeq: 8 OPTIONS\r\nAccept: application/sdp, "
	"application/pkcs7-mime,\r\n"
	"        multipart/mixed, multipart/signed,\r\n        message/sip, message/sipfrag\r\n"
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw\r\nl: 0\r\n\r\n";

// 3.1.1.10, varied and unknown transport types
static const char transports[] =
	"OPTIONS sip:user@example.com SIP/2.0\r\nTo: sip:user@example.com\r\n"
	"From: <sip:caller@example.com>;tag=323\r\nMax-Forwards: 70\r\n"
	"Call-ID:  transports.kijh4akdnaqjkwendsasfdj\r\nAccept: application/sdp\r\nCSeq: 60 "
	"OPTIONS\r\n"
	"Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw\r\n"
	"Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf\r\n"
	"Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj\r\n"
	"Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en\r\n"
	"Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee\r\nl: 0\r\n\r\n";

// 3.1.1.13, unreason
static const char unreason[] =
	"SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \xd1\x81\xd1\x82\xd0\xbe\r\n"
	"Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\n"
	"Call-ID: unreason.1234ksdfak3j2erwedfsASdf\r\nCSeq: 35 INVITE\r\n"
	"From: sip:user@example.com;tag=11141343\r\nTo: sip:user@example.edu;tag=2229\r\n"
	"Content-Length: 0\r\nContact: <sip:user@host198.example.com>\r\n\r\n";

// 3.3.10, a request with unknown schemes in header fields
static const char unksm2[] = "REGISTER sip:example.com SIP/2.0\r\nTo: isbn:2983792873\r\nFrom: "
			     "<http://www.example.com>;tag=3234233\r\n"
			     "Call-ID: unksm2.daksdj@hyphenated-host.example.com\r\nCSeq: 234902 "
			     "REGISTER\r\nMax-Forwards: 70\r\n"
			     "Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw\r\nContact: "
			     "<name:John_Smith>\r\nl: 0\r\n\r\n";

// 3.4.1, INVITE with RFC 2543 syntax
static const char inv2543[] =
	"INVITE sip:UserB@example.com SIP/2.0\r\nVia: SIP/2.0/UDP iftgw.example.com\r\n"
	"From: <sip:+13035551111@ift.client.example.net;user=phone>\r\nRecord-Route: "
	"<sip:UserB@example.com;maddr=ss1.example.com>\r\n"
	"To: sip:+16505552222@ss1.example.net;user=phone\r\nCall-ID: "
	"inv2543.1717@ift.client.example.com\r\n"
	"CSeq: 56 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";

static const struct row {
	const char *name, *octets;
	enum sip_method method;
	const char *user, *from_host, *from_tag, *call_id_start;
	unsigned vias;
} rows[] = {
	{ "wsinv", wsinv, SIP_INVITE, "vivekg", "example.com", "98asjd8", "wsinv", 3 },
	{ "esc01", esc01, SIP_INVITE, "sips%3Auser%40example.com", "example.net", "938", "esc01",
	  1 },
	{ "lwsdisp", lwsdisp, SIP_OPTIONS, "user", "example.com", "323", "lwsdisp", 1 },
	{ "semiuri", semiuri, SIP_OPTIONS, "user;par=u%40example.net", "example.org", "33242",
	  "semiuri", 1 },
	{ "transports", transports, SIP_OPTIONS, "user", "example.com", "323", "transports", 5 },
	{ "unreason", unreason, SIP_INVITE, "", "example.com", "11141343", "unreason", 1 },
	{ "unksm2", unksm2, SIP_REGISTER, "", "", "3234233", "unksm2", 1 },
	{ "inv2543", inv2543, SIP_INVITE, "UserB", "ift.client.example.net", "", "inv2543", 1 },
};

static void check_row(const struct row *row, struct sip_message *message)
{
	if (!sip_message_complete(message) || !sip_message_is_sound(message))
		fail_msg("%s: a piece is refused", row->name);
	assert_int_equal(message->method, row->method);
	CHECK_TEXT(message->target.user, row->user);
	CHECK_TEXT(message->from.uri.host, row->from_host);
	CHECK_TEXT(message->from.tag, row->from_tag);
	CHECK_TRUE(text_has_prefix(message->call_id, text_of(row->call_id_start)));
	CHECK_NUMBER(message->via_count, row->vias);
}

static void valid_torture_comes_through(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_message message;
		struct sip_scan_refusal refusal;
		struct text octets = text_of(rows[i].octets);
		char *room = malloc(octets.size);
		assert_non_null(room);
		enum sip_scan_verdict verdict = sip_scan_message(octets, &message, &refusal);
		if (verdict == SIP_SCAN_FOLDED)
			verdict =
				sip_scan_message(sip_scan_unfold(octets, room), &message, &refusal);
		if (verdict != SIP_SCAN_OK)
			fail_msg("%s: verdict %d, %u %s", rows[i].name, verdict, refusal.status,
				 refusal.reason);
		check_row(&rows[i], &message);
		free(room);
	}
}

// 3.1.1.7, long values in header fields: nothing here is beyond our bounds.
static void long_values_come_through(void **state)
{
	(void)state;
	static char octets[SIP_SCAN_HEAD_MAX]; // lint: global (too large for the stack)
	struct sip_message message;
	struct writer writer = writer_of(octets, sizeof(octets));
	writer_string(&writer,
		      "INVITE sip:user@example.com SIP/2.0\r\nTo: \"I have a user name of ");
	for (unsigned i = 0; i < 80; i++)
		writer_string(&writer, "extreme ");
	writer_string(&writer, "proportion\"<sip:user@example.com:6000;unknownparam1=verylong");
	for (unsigned i = 0; i < 60; i++)
		writer_string(&writer, "long");
	writer_string(&writer, "value>\r\nF: sip:");
	for (unsigned i = 0; i < 40; i++)
		writer_string(&writer, "amazinglylongcallername");
	writer_string(&writer, "@example.net;tag=");
	for (unsigned i = 0; i < 60; i++)
		writer_string(&writer, "12982982982982");
	writer_string(&writer, "\r\nCall-ID: longreq.one");
	for (unsigned i = 0; i < 100; i++)
		writer_string(&writer, "really");
	writer_string(&writer, "longcallid\r\nCSeq: 3882340 INVITE\r\nUnknown-");
	for (unsigned i = 0; i < 80; i++)
		writer_string(&writer, "Long");
	writer_string(&writer, "-Name: value\r\n");
	for (unsigned i = 34; i > 0; i--)
		writer_format(&writer, "Via: SIP/2.0/TCP sip%u.example.com\r\n", i);
	writer_string(&writer, "Max-Forwards: 70\r\nl: 0\r\n\r\n");
	CHECK_TRUE(sip_message_parse(writer_done(&writer), &message));
	CHECK_NUMBER(message.via_count, 34);
	CHECK_NUMBER(message.from.tag.size, 840);
}

int main(void)
{
	sip_message_start();
	const struct CMUnitTest tests[] = {
		TEST(valid_torture_comes_through),
		TEST(long_values_come_through),
	};
	return RUN_TESTS(tests);
}
