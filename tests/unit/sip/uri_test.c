// URIs and the name-addr around them: what is taken apart, what is refused, and that libosip2's
// damage (cut at %00, unescaped in place) never shows.

#include "tests/check.h"

#include <string.h>

#include "sip/message.h"
#include "sip/message_uri.h"
#include "sip/value.h"

static void uris_are_taken_apart(void **state)
{
	(void)state;
	static const struct {
		const char *whole, *scheme, *user, *host;
		unsigned port;
		const char *parameters;
	} rows[] = {
		{ "sip:a@b", "sip", "a", "b", 0, "" },
		{ "SIPS:a:pass@b.example:5061;transport=tcp;lr", "SIPS", "a", "b.example", 5061,
		  ";transport=tcp;lr" },
		{ "sip:192.0.2.1", "sip", "", "192.0.2.1", 0, "" },
		{ "sip:a@[2001:db8::1]:5060", "sip", "a", "2001:db8::1", 5060, "" },
		{ "sip:%2B1;ext=5?x=y@b;p", "sip", "%2B1;ext=5?x=y", "b", 0, ";p" },
		{ "sip:a@b?Subject=x&To=y", "sip", "a", "b", 0, "?Subject=x&To=y" },
		{ "tel:+1-201-555-0123;phone-context=b", "tel", "+1-201-555-0123", "", 0,
		  ";phone-context=b" },
		{ "urn:service:sos", "urn", "", "", 0, "" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_uri uri;
		if (!sip_uri_parse(text_of(rows[i].whole), &uri))
			fail_msg("%s is refused", rows[i].whole);
		CHECK_TEXT(uri.whole, rows[i].whole);
		CHECK_TEXT(uri.scheme, rows[i].scheme);
		CHECK_TEXT(uri.user, rows[i].user);
		CHECK_TEXT(uri.host, rows[i].host);
		CHECK_NUMBER(uri.port, rows[i].port);
		CHECK_TEXT(uri.parameters, rows[i].parameters);
	}
}

static void bad_uris_are_refused(void **state)
{
	(void)state;
	static const struct text rows[] = {
		TEXT(""),
		TEXT("sip:"),
		TEXT("sip:@"),
		TEXT("sip:a@"),
		TEXT("sip:@b"),
		TEXT("a@b"),
		TEXT(":a@b"),
		TEXT("1sip:a@b"),
		TEXT("sip:a@b:"),
		TEXT("sip:a@b:0"),
		TEXT("sip:a@b:65536"),
		TEXT("sip:a@b:5x"),
		TEXT("sip:a@b@c"),
		TEXT("sip:a b@c"),
		TEXT("sip:a@b c"),
		TEXT("sip:a@b\r\nX"),
		TEXT("sip:a%0D@b"),
		TEXT("sip:a%0a@b"),
		TEXT("sip:a%@b"),
		TEXT("sip:a%4@b"),
		TEXT("sip:a%4g@b"),
		TEXT("sip:a@b;x=%0d"),
		TEXT("sip:a@[::1"),
		TEXT("sip:a@::1"),
		TEXT("sip:a@[::1]x"),
		TEXT("sip:a\"@b"),
		TEXT("<sip:a@b>"),
		TEXT("sip:a@b>"),
		TEXT("tel:"),
		TEXT("tel:;x"),
		TEXT("tel:a b"),
		TEXT("sip:a\0b@c"),
		TEXT("sip:a@b\0"),
		TEXT("sip:\0@c"),
		TEXT("sip:a@[]"),
		TEXT("sip:a@b;x;y@c"),
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_uri uri;
		if (sip_uri_parse(rows[i], &uri))
			fail_msg("\"%.*s\" passes", TEXT_FORMAT(rows[i]));
	}
}

static void parties_are_taken_apart(void **state)
{
	(void)state;
	static const struct {
		const char *value, *display, *whole, *tag;
	} rows[] = {
		{ "<sip:a@b>", "", "sip:a@b", "" },
		{ "sip:a@b;tag=x", "", "sip:a@b", "x" },
		{ "sip:a@b ;  tag    = x", "", "sip:a@b", "x" },
		{ "\"A \\\"B\\\" <C>, D\" <sip:a@b;lr>;tag=x;y=z", "\"A \\\"B\\\" <C>, D\"",
		  "sip:a@b;lr", "x" },
		{ "A. Watson<sip:a@b>;tag=323", "A. Watson", "sip:a@b", "323" },
		{ "<sip:a@b>;y=\"tag=no\";TAG=yes", "", "sip:a@b", "yes" },
		{ "<urn:service:sos>;tag=1", "", "urn:service:sos", "1" },
		{ "<sip:a@b>;q=0.3, <sip:c@d>", "", "sip:a@b", "" },
		{ "*", "", "", "" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_party party;
		if (!sip_party_parse(text_of(rows[i].value), &party))
			fail_msg("%s is refused", rows[i].value);
		CHECK_TRUE(party.is_present);
		CHECK_TEXT(party.display, rows[i].display);
		CHECK_TEXT(party.uri.whole, rows[i].whole);
		CHECK_TEXT(party.tag, rows[i].tag);
	}
}

static void bad_parties_are_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"<sip:a@b",
		"sip:a@b>",
		"\"A <sip:a@b>", // quotbal
		"\"Watson, Thomas\" < sip:a@b >", // badaspec
		"Bell, Alexander <sip:a@b>;tag=43", // baddn
		"<sip:a@b>;tag=1;tag=2", // two tags
		"<sip:a@b>;tag=",
		"<sip:a@b>;tag=\"x\"",
		"<sip:a@b>;tag=a b",
		"<sip:a@b>;;tag=1",
		"<sip:a@b> junk",
		"sip:user@example.com?Route=%3Csip:sip.example.com%3E", // regbadct
		"<sip:a%0a@b>",
		"<>",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sip_party party;
		if (sip_party_parse(text_of(rows[i]), &party))
			fail_msg("%s passes", rows[i]);
	}
}

static void a_parameter_is_found_by_its_name(void **state)
{
	(void)state;
	struct sip_uri uri;
	bool is_present;
	CHECK_TRUE(sip_uri_parse(TEXT("sip:a@b;LR;transport=tcp;x=?lr=no"), &uri));
	(void)sip_uri_parameter(&uri, "lr", &is_present);
	CHECK_TRUE(is_present);
	CHECK_TEXT(sip_uri_parameter(&uri, "Transport", &is_present), "tcp");
	CHECK_TRUE(is_present);
	CHECK_TEXT(sip_uri_parameter(&uri, "x", &is_present), "");
	CHECK_TRUE(is_present);
	(void)sip_uri_parameter(&uri, "maddr", &is_present);
	CHECK_FALSE(is_present);
}

static void lists_split_outside_quotes_and_brackets(void **state)
{
	(void)state;
	struct text rest = TEXT("\"a,\\\",b\" <sip:x,y@z>;p=1 , <c> ,d");
	CHECK_TEXT(sip_value_list(&rest), "\"a,\\\",b\" <sip:x,y@z>;p=1");
	CHECK_TEXT(sip_value_list(&rest), "<c>");
	CHECK_TEXT(sip_value_list(&rest), "d");
	assert_null(rest.data);
}

// Millions of these must not leak or fill anything up.
static void judging_many_uris_needs_no_memory(void **state)
{
	(void)state;
	struct sip_uri uri;
	for (unsigned i = 0; i < 20000; i++) {
		CHECK_TRUE(sip_uri_parse(TEXT("sip:a@b;a=1;b=2;c=3?x=y&z=w"), &uri));
		CHECK_FALSE(sip_uri_parse(TEXT("sip:a@b:5x"), &uri));
	}
}

int main(void)
{
	sip_message_start();
	const struct CMUnitTest tests[] = {
		TEST(uris_are_taken_apart),
		TEST(bad_uris_are_refused),
		TEST(parties_are_taken_apart),
		TEST(bad_parties_are_refused),
		TEST(a_parameter_is_found_by_its_name),
		TEST(lists_split_outside_quotes_and_brackets),
		TEST(judging_many_uris_needs_no_memory),
	};
	return RUN_TESTS(tests);
}
