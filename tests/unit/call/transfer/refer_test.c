// What a REFER asks for, of well-meaning and of hostile senders: one target, one dialog to replace.

#include "call/transfer/refer.h"

#include <stdio.h>
#include <string.h>

#include "tests/check.h"

static struct sip_message message; // what was read last; borrows from the room
static char room[8192];

static enum refusal_cause read_refer(const char *headers, struct refer *refer)
{
	struct refusal refusal = { 0 };
	int size = snprintf(room, sizeof room,
			    "REFER sip:trunkd@192.0.2.1 SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK1\r\n"
			    "From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=2\r\n"
			    "Call-ID: 77@office\r\nCSeq: 4 REFER\r\n%s\r\n\r\n",
			    headers);
	assert_true(size > 0 && (size_t)size < sizeof room);
	sip_message_start();
	if (!sip_message_parse((struct text){ room, (size_t)size }, &message))
		fail_msg("cannot be read:\n%s", room);
	enum refusal_cause cause = refer_parse(&message, refer, &refusal);
	assert_true(cause == REFUSED_NOT || cause == REFUSED_REFER_TO);
	if (cause != REFUSED_NOT)
		assert_true(refusal.header[0] != '\0' && refusal.expected[0] != '\0');
	return cause;
}

static void check_text(struct text text, const char *expected)
{
	if (!text_is_equal(text, text_of(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", TEXT_FORMAT(text), expected);
}

static void targets_are_taken_apart(void **state)
{
	static const struct {
		const char *header, *scheme, *user, *host, *bare;
	} rows[] = {
		{ "Refer-To: <sip:+442071838750@acme.example>", "sip", "+442071838750",
		  "acme.example", "sip:+442071838750@acme.example" },
		{ "r: sip:bob@192.0.2.9:5070", "sip", "bob", "192.0.2.9",
		  "sip:bob@192.0.2.9:5070" },
		{ "Refer-To: \"Bob, the boss\" <sips:bob@x.example;transport=tcp>;x=y", "sips",
		  "bob", "x.example", "sips:bob@x.example;transport=tcp" },
		{ "Refer-To: <TEL:+44-20-7183-8750>", "TEL", "+44-20-7183-8750", "",
		  "TEL:+44-20-7183-8750" },
		{ "Refer-To: <sip:bob@x.example;method=INVITE?Subject=a&X-b=c>", "sip", "bob",
		  "x.example", "sip:bob@x.example;method=INVITE" },
		{ "Refer-To: <sip:bob@x.example?>", "sip", "bob", "x.example",
		  "sip:bob@x.example" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct refer refer;
		CHECK_NUMBER(read_refer(rows[i].header, &refer), REFUSED_NOT);
		check_text(refer.target.scheme, rows[i].scheme);
		check_text(refer.target.user, rows[i].user);
		check_text(refer.target.host, rows[i].host);
		check_text(refer.bare, rows[i].bare);
		CHECK_FALSE(refer.has_replaces);
		CHECK_FALSE(refer.is_quiet);
	}
}

// XFER-007
static void what_is_no_single_target_is_refused(void **state)
{
	static const char *const rows[] = {
		"Subject: none",
		"Refer-To: <sip:a@x.example>, <sip:b@x.example>",
		"Refer-To: <http://x.example/>",
		"Refer-To: <mailto:a@x.example>",
		"Refer-To: *",
		"Refer-To: <>",
		"Refer-To: <sip:>",
		"Refer-To: <sip:a%00b@x.example>",
		"Refer-To: <sip:a@x.example",
		"Refer-To: sip:a@x.example?Replaces=1",
		"Refer-To: <sip:a@x.example;method=BYE>",
		"Refer-To: <sip:a@x.example;method=invite>",
		"Refer-To: <tel:+44>\r\nReferred-By: nobody",
		"Refer-To: <tel:+44>\r\nReferred-By: <sip:a@x>\r\nb: <sip:c@x>",
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct refer refer;
		if (read_refer(rows[i], &refer) != REFUSED_REFER_TO)
			fail_msg("taken: %s", rows[i]);
	}
}

static void a_dialog_to_replace_is_unescaped(void **state)
{
	struct refer refer;
	(void)state;
	CHECK_NUMBER(read_refer("Refer-To: <sip:b@x.example?X=1&"
				"replaces=98%40office%3Bfrom-tag%3Daa.b%3Bto-tag%3D7%3Bearly-only>"
				"\r\nRefer-Sub: FALSE ;x",
				&refer),
		     REFUSED_NOT);
	CHECK_TRUE(refer.has_replaces && refer.is_quiet && refer.replaces.is_early_only);
	check_text(refer.replaces.call_id, "98@office");
	check_text(refer.replaces.to_tag, "7");
	check_text(refer.replaces.from_tag, "aa.b");
}

static void what_is_no_dialog_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"a",
		"a%3Bto-tag%3D1",
		"a%3Bfrom-tag%3D1",
		"%3Bto-tag%3D1%3Bfrom-tag%3D2",
		"a%3Bto-tag%3D%3Bfrom-tag%3D2",
		"a%3Bto-tag%3D1%3Bto-tag%3D1%3Bfrom-tag%3D2",
		"a%3Bto-tag%3D1%20x%3Bfrom-tag%3D2",
		"a%3Bto-tag%3D1%3Bfrom-tag%3D2%3B",
		"a%00%3Bto-tag%3D1%3Bfrom-tag%3D2",
		"a%09%3Bto-tag%3D1%3Bfrom-tag%3D2",
		"a%20b%3Bto-tag%3D1%3Bfrom-tag%3D2",
		"a%2C%3Bto-tag%3D1%3Bfrom-tag%3D2",
		"a%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2",
	};
	char header[512];
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct refer refer;
		snprintf(header, sizeof header, "Refer-To: <sip:b@x.example?Replaces=%s>", rows[i]);
		if (read_refer(header, &refer) != REFUSED_REFER_TO)
			fail_msg("taken: %s", rows[i]);
	}
}

static void a_long_dialog_is_refused(void **state)
{
	char value[2 * REPLACES_SIZE];
	struct replaces replaces;
	(void)state;
	for (size_t size = REPLACES_SIZE - 40; size < REPLACES_SIZE + 40; size++) {
		memset(value, 'a', size);
		(void)snprintf(value + size, sizeof value - size, ";to-tag=1;from-tag=2");
		bool fits = size + strlen(";to-tag=1;from-tag=2") < REPLACES_SIZE;
		CHECK_NUMBER(replaces_parse(text_of(value), &replaces), fits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_taken_apart),
		cmocka_unit_test(what_is_no_single_target_is_refused),
		cmocka_unit_test(a_dialog_to_replace_is_unescaped),
		cmocka_unit_test(what_is_no_dialog_is_refused),
		cmocka_unit_test(a_long_dialog_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
