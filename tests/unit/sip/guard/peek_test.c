// The look at a message's lines: what it finds, in every way of writing it, and that nothing of a
// stranger leads it astray.

#include "tests/check.h"

#include <stdio.h>

#include "sip/guard/peek.h"

static struct sip_guard_peek look(const char *octets)
{
	struct sip_guard_peek peek;
	sip_guard_peek(text_of(octets), &peek);
	return peek;
}

static void kinds_are_told_apart(void **state)
{
	(void)state;
	CHECK_NUMBER(look("SIP/2.0 200 OK\r\n\r\n").kind, SIP_GUARD_RESPONSE);
	CHECK_NUMBER(look("INVITE sip:a@b SIP/2.0\r\n\r\n").kind, SIP_GUARD_INVITE);
	CHECK_NUMBER(look("\r\n\r\nINVITE sip:a@b SIP/2.0\r\n\r\n").kind, SIP_GUARD_INVITE);
	CHECK_NUMBER(look("ACK sip:a@b SIP/2.0\r\n\r\n").kind, SIP_GUARD_ACK);
	CHECK_NUMBER(look("OPTIONS sip:b SIP/2.0\r\n\r\n").kind, SIP_GUARD_OPTIONS);
	CHECK_NUMBER(look("INVITED sip:a@b SIP/2.0\r\n\r\n").kind, SIP_GUARD_OTHER);
	CHECK_NUMBER(look("BYE sip:a@b SIP/2.0\r\n\r\n").kind, SIP_GUARD_OTHER);
	CHECK_NUMBER(look("INVITE sip:a@b SIP/2.0").kind, SIP_GUARD_OTHER); // no line at all
	CHECK_NUMBER(look("").kind, SIP_GUARD_OTHER);
	CHECK_NUMBER(look("\r\n").kind, SIP_GUARD_OTHER);
}

static void the_host_of_options_is_found(void **state)
{
	(void)state;
	static const char *const targets[][2] = {
		{ "sip:acme.example", "acme.example" },
		{ "sip:acme.example:5060", "acme.example" },
		{ "sip:a@acme.example;transport=tcp", "acme.example" },
		{ "sips:a:b@acme.example?x=y", "acme.example" },
		{ "sip:[2001:db8::1]:5060", "[2001:db8::1" },
		{ "sip:", "" },
		{ "", "" },
	};
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		char room[128];
		snprintf(room, sizeof(room), "OPTIONS %s SIP/2.0\r\n\r\n", targets[i][0]);
		CHECK_TEXT(look(room).host, targets[i][1]);
	}
}

static void a_to_tag_is_found_where_it_counts(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		bool has_tag;
	} rows[] = {
		{ "To: <sip:a@b>;tag=1", true },
		{ "t: <sip:a@b>;tag=1", true },
		{ "TO : <sip:a@b>; x=y ; TAG = 1", true },
		{ "To: sip:a@b;tag=1", true },
		{ "To: <sip:a@b;tag=1>", false },
		{ "To: <sip:a@b>;tagged=1", false },
		{ "To: <sip:a@b>", false },
		{ "Toto: <sip:a@b>;tag=1", false },
		{ "From: <sip:a@b>;tag=1", false },
		{ "To", false },
		{ "To:", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[256];
		snprintf(room, sizeof(room), "BYE sip:a@b SIP/2.0\r\n%s\r\n\r\n", rows[i].line);
		if (look(room).has_to_tag != rows[i].has_tag)
			fail_msg("%s", rows[i].line);
	}
}

static void credentials_and_agents_are_seen(void **state)
{
	(void)state;
	struct sip_guard_peek peek = look("INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=1\r\n"
					  "Via: SIP/2.0/UDP k;branch=2\r\n"
					  "user-agent:  sipcli/v1.8 \r\n"
					  "proxy-authorization: Digest x\r\n\r\n"
					  "To: <sip:a@b>;tag=1\r\n\r\n");
	CHECK_TEXT(peek.via, "SIP/2.0/UDP h;branch=1");
	CHECK_TEXT(peek.user_agent, "sipcli/v1.8");
	CHECK_TRUE(peek.has_credentials);
	CHECK_FALSE(peek.has_to_tag); // that was the body
}

static void scanners_are_known_by_name(void **state)
{
	(void)state;
	CHECK_TRUE(sip_guard_is_scanner(TEXT("friendly-scanner")));
	CHECK_TRUE(sip_guard_is_scanner(TEXT("SIPVicious 0.3.3")));
	CHECK_TRUE(sip_guard_is_scanner(TEXT("sipcli/v1.8")));
	CHECK_TRUE(sip_guard_is_scanner(TEXT("pplsip")));
	CHECK_FALSE(sip_guard_is_scanner(TEXT("baresip v1.0.0 (x86_64/linux)")));
	CHECK_FALSE(sip_guard_is_scanner(TEXT("FPBX-16.0.40(18.20.0)")));
	CHECK_FALSE(sip_guard_is_scanner(TEXT("sip")));
	CHECK_FALSE(sip_guard_is_scanner(TEXT_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kinds_are_told_apart),
		TEST(the_host_of_options_is_found),
		TEST(a_to_tag_is_found_where_it_counts),
		TEST(credentials_and_agents_are_seen),
		TEST(scanners_are_known_by_name),
	};
	return RUN_TESTS(tests);
}
