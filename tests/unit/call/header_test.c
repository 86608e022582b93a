// Which headers go from leg to leg, and as what: each row of the table in every direction, the forms of
// values, bounds, and that nothing names the leg it comes from.

#include "call/header/header.h"

#include <stdio.h>
#include <string.h>

#include "tests/check.h"

#define DOMAIN "pstn.example.com"

static const struct header_policy usual = { .domain = DOMAIN };

// A value of that form that passes whole.
static const char *sample(enum header_form form)
{
	static const char *const samples[HEADER_FORM_COUNT] = {
		[HEADER_RAW] = "04c0,ffee;encoding=hex",
		[HEADER_DIVERSIONS] = "<sip:+81312345679@pbx.example.org>;reason=unconditional",
		[HEADER_URIS] = "<sip:+81312345678@pbx.example.org>;reason=unconditional",
		[HEADER_RINGS] = "<urn:alert:service:call-waiting>",
		[HEADER_REFERENCES] = "<https://lis.example.org/where/1>",
		[HEADER_REASONS] = "Q.850;cause=17;text=\"User busy\"",
		[HEADER_SECONDS] = "120",
		[HEADER_OPTIONS] = "histinfo",
		[HEADER_TIMER] = "1800;refresher=uac",
	};
	return samples[form];
}

struct asked { // a message from a leg, and what of it passed
	char octets[32768];
	char room[HEADER_ROOM + 64];
	struct text lines;
	struct header_counters counters;
};

static void ask(struct asked *asked, bool is_request, const char *headers, enum header_way way,
		const struct header_policy *policy)
{
	struct sip_message message;
	struct writer writer = writer_of(asked->room, sizeof asked->room);
	int size = snprintf(asked->octets, sizeof asked->octets,
			    "%s\r\nVia: SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK1\r\n"
			    "From: <sip:+14155550100@acme." DOMAIN ">;tag=fromtag\r\n"
			    "To: <sip:+81312345678@acme." DOMAIN
			    ">;tag=totag\r\nCall-ID: 77@office\r\n"
			    "CSeq: 1 INVITE\r\nContact: <sip:ua@pbx.office.example>\r\n%s\r\n",
			    is_request ? "INVITE sip:+81312345678@acme." DOMAIN " SIP/2.0"
				       : "SIP/2.0 486 Busy Here",
			    headers);
	assert_true(size > 0 && (size_t)size < sizeof asked->octets);
	if (!sip_message_parse((struct text){ asked->octets, (size_t)size }, &message))
		fail_msg("cannot be read:\n%s", asked->octets);
	assert_true(address_parse(TEXT("203.0.113.9:5060"), &message.flow.remote));
	memset(&asked->counters, 0, sizeof asked->counters);
	header_write(&message, way, policy, &writer, &asked->counters);
	assert_false(writer.failed);
	asked->lines = writer_done(&writer);
	asked->room[asked->lines.size] = '\0';
}

static bool is_request(enum header_way way)
{
	return way != HEADER_FROM_CARRIER && way != HEADER_FROM_PBX;
}

static void check_lines(const struct asked *asked, const char *expected)
{
	if (strcmp(asked->room, expected) != 0)
		fail_msg("of\n%s\npassed\n%s\nnot\n%s", asked->octets, asked->room, expected);
}

static unsigned long fate(const struct asked *asked, enum header_fate fate)
{
	return counter_get(&asked->counters.fates[fate]);
}

// "X-*" is asked as "X-Any", the row of all others as "Newfangled". Those of a message's own are in it.
static bool write_name(const struct header_row *row, bool is_compact, char *room, size_t size)
{
	static const char *const once[] = {
		"Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Length", "Max-Forwards"
	};
	struct text name = row->name;
	for (size_t i = 0; i < sizeof once / sizeof *once; i++)
		if (text_is_equal(name, text_of(once[i])))
			return false;
	if (row == &header_rows[header_row_count])
		return text_copy(TEXT("Newfangled"), room, size);
	if (is_compact)
		return row->compact != 0 && snprintf(room, size, "%c", row->compact) > 0;
	bool is_family = name.data[name.size - 1] == '*';
	return snprintf(room, size, "%.*s%s", (int)name.size - is_family, name.data,
			is_family ? "Any" : "") > 0;
}

static void check_row(const struct header_row *row, enum header_way way, bool is_compact)
{
	static struct asked asked;
	char name[64], line[256], expected[256] = "";
	const struct header_policy keeps = { .domain = DOMAIN, .keeps_timers = true };
	if (!write_name(row, is_compact, name, sizeof name))
		return;
	bool is_number = strcmp(name, "Expires") == 0 || strcmp(name, "Min-Expires") == 0;
	bool is_tag = strcmp(name, "Require") == 0 || strcmp(name, "Proxy-Require") == 0;
	const char *value = is_number ? "60" : is_tag ? "100rel" : sample(row->form);
	snprintf(line, sizeof line, "%s: %s\r\n", name, value);
	if (row->actions[way] == HEADER_PASS)
		snprintf(expected, sizeof expected, "%.*s: %s\r\n",
			 is_compact ? (int)row->name.size : (int)strlen(name),
			 is_compact ? row->name.data : name, value);
	ask(&asked, is_request(way), line, way, &keeps);
	check_lines(&asked, expected);
}

static void each_row_does_what_it_says_in_every_direction(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= header_row_count; i++)
		for (unsigned way = 0; way < HEADER_WAYS; way++) {
			check_row(&header_rows[i], (enum header_way)way, false);
			check_row(&header_rows[i], (enum header_way)way, true);
		}
}

static void each_name_and_letter_has_one_row(void **state)
{
	(void)state;
	for (unsigned i = 0; i < header_row_count; i++) {
		const struct header_row *row = &header_rows[i];
		if (header_row_of(row->name) != row)
			fail_msg("%s has two rows", row->name.data);
		if (row->compact != 0 && header_row_of((struct text){ &row->compact, 1 }) != row)
			fail_msg("%c has two rows", row->compact);
		assert_true(row->why[0] != '\0');
	}
	assert_ptr_equal(header_row_of(TEXT("x")), header_row_of(TEXT("session-expires")));
	assert_ptr_equal(header_row_of(TEXT("x-")), &header_rows[header_row_count]);
	assert_ptr_equal(header_row_of(TEXT("q")), &header_rows[header_row_count]);
}

struct value {
	const char *line, *expected; // expected "": nothing passes
};

static void check_values(const struct value *values, size_t count, enum header_way way)
{
	static struct asked asked;
	for (size_t i = 0; i < count; i++) {
		char line[2200];
		snprintf(line, sizeof line, "%s\r\n", values[i].line);
		ask(&asked, is_request(way), line, way, &usual);
		check_lines(&asked, values[i].expected);
	}
}

#define CHECK_VALUES(values, way) check_values(values, sizeof(values) / sizeof(*(values)), way)

// DIV-004, DIV-007, DIV-008: other domains as they came, ours and the leg's own places hidden.
static void hosts_of_uris_are_hidden_and_the_order_stays(void **state)
{
	(void)state;
	static const struct value values[] = {
		{ "Diversion: <sip:+1415@10.1.2.3:5080;transport=tcp>;reason=no-answer;counter=2",
		  "Diversion: <sip:+1415@" DOMAIN ">;reason=no-answer;counter=2\r\n" },
		{ "Diversion: \"Desk\" <sip:+1415@[2001:db8::7];user=phone>",
		  "Diversion: \"Desk\" <sip:+1415@" DOMAIN ";user=phone>\r\n" },
		{ "Diversion: <sip:+1415@acme." DOMAIN ">",
		  "Diversion: <sip:+1415@" DOMAIN ">\r\n" },
		{ "Diversion: <sip:+1415@" DOMAIN ">", "Diversion: <sip:+1415@" DOMAIN ">\r\n" },
		{ "Diversion: <sip:+1415@PBX.office.example>",
		  "Diversion: <sip:+1415@" DOMAIN ">\r\n" },
		{ "Diversion: <sip:+1415@pbx>", "Diversion: <sip:+1415@" DOMAIN ">\r\n" },
		{ "Diversion: <sip:+1415@pbx.lan>", "Diversion: <sip:+1415@" DOMAIN ">\r\n" },
		{ "Diversion: <tel:+14155550100>;reason=deflection",
		  "Diversion: <tel:+14155550100>;reason=deflection\r\n" },
		{ "Diversion: sip:+1415@example.org;reason=away",
		  "Diversion: <sip:+1415@example.org>;reason=away\r\n" },
		{ "Diversion: <sip:a@example.org>, <sip:10.1.2.3>, <sip:b@10.1.2.3>, <nonsense, "
		  "<sip:c@example.net>",
		  "Diversion: <sip:a@example.org>, <sip:b@" DOMAIN ">\r\n" },
		{ "Diversion: <sip:a@example.org;maddr=10.1.2.3>", "" },
		{ "Diversion: \"at 10.1.2.3\" <sip:a@example.org>", "" },
		{ "Diversion: <sip:a@example.org>;x=10.1.2.3", "" },
		{ "Diversion: <sip:10.1.2.3>", "" },
		{ "History-Info: <sip:bob@192.168.0.1?Reason=SIP%3Bcause%3D302>;index=1, "
		  "<sip:bob@example.org>;index=1.1",
		  "History-Info: <sip:bob@" DOMAIN
		  "?Reason=SIP%3Bcause%3D302>;index=1, <sip:bob@example.org>;index=1.1\r\n" },
	};
	CHECK_VALUES(values, HEADER_TO_CARRIER);
}

// SIP data between commas is data, and a text that names the leg does not pass.
static void raw_values_are_left_alone_or_stay(void **state)
{
	(void)state;
	static const struct value values[] = {
		{ "User-to-User: 04abc,def;encoding=hex,<\"x",
		  "User-to-User: 04abc,def;encoding=hex,<\"x\r\n" },
		{ "user-TO-user : 1", "User-to-User: 1\r\n" },
		{ "User-to-User:", "" },
		{ "s: Ware, Bestellung 12:34:56 v1.2.3",
		  "Subject: Ware, Bestellung 12:34:56 v1.2.3\r\n" },
		{ "Subject: call from 10.1.2.3.", "" },
		{ "Subject: call from 10.1.2.3:99999", "" },
		{ "Subject: [2001:db8::7]", "" },
		{ "Subject: fe80::1%eth0", "" },
		{ "Subject: 203.0.113.10", "" },
		{ "Subject: x203.0.113.9x", "" },
		{ "Subject: PBX.OFFICE.example has it", "" },
		{ "Subject: 77@office", "" },
		{ "Subject: fromtag", "" },
		{ "Subject: our totag", "" },
		{ "Subject: acme." DOMAIN, "" },
		{ "X-Host: acme." DOMAIN, "" },
		{ "X-Shop: " DOMAIN, "X-Shop: " DOMAIN "\r\n" },
		{ "X-203.0.113.9: a", "" },
		{ "Call-Info: <http://10.1.2.3/a.png>;purpose=icon", "" },
		{ "Call-Info: <https://example.org/a,b.png>;purpose=icon",
		  "Call-Info: <https://example.org/a,b.png>;purpose=icon\r\n" },
		{ "Geolocation: <cid:a@b.example>", "" },
		{ "Geolocation: <cid:a@b.example>, <https://lis.example.org/1>",
		  "Geolocation: <https://lis.example.org/1>\r\n" },
		{ "Alert-Info: <http://example.org/ring.wav>, <urn:alert:tone:normal>;appearance=1",
		  "Alert-Info: <urn:alert:tone:normal>;appearance=1\r\n" },
	};
	CHECK_VALUES(values, HEADER_TO_CARRIER);
}

// RFC 3326, RFC 6432: the cause passes, its text where it names nothing.
static void reasons_pass_with_cause_and_text(void **state)
{
	(void)state;
	static const struct value values[] = {
		{ "Reason: Q.850;cause=34;text=\"No circuit\";location=LN",
		  "Reason: Q.850;cause=34;text=\"No circuit\"\r\n" },
		{ "Reason: Q.850 ; cause = 16 , SIP;cause=200;text=\"Call completed elsewhere\"",
		  "Reason: Q.850;cause=16, SIP;cause=200;text=\"Call completed elsewhere\"\r\n" },
		{ "Reason: SIP;cause=503;text=\"gateway 198.51.100.7 is down\"",
		  "Reason: SIP;cause=503\r\n" },
		{ "Reason: SIP;cause=x", "" },
		{ "Reason: SIP", "" },
		{ "Reason: Q.850;cause=1\r\nReason: SIP;cause=404",
		  "Reason: Q.850;cause=1\r\nReason: SIP;cause=404\r\n" },
		{ "Retry-After: 120 (I am at 10.1.2.3);duration=60", "Retry-After: 120\r\n" },
		{ "Retry-After: soon", "" },
	};
	CHECK_VALUES(values, HEADER_FROM_CARRIER);
}

// SIP-017, SIP-018, D-27.
static void the_timer_tag_alone_leaves_the_option_tags(void **state)
{
	(void)state;
	static struct asked asked;
	static const struct value values[] = {
		{ "Supported: timer", "" },
		{ "Supported: histinfo, timer,uui", "Supported: histinfo, uui\r\n" },
		{ "k: TIMER ,privacy", "Supported: privacy\r\n" },
		{ "k: privacy\r\nSupported: timer, histinfo",
		  "Supported: privacy\r\nSupported: histinfo\r\n" },
		{ "Supported:", "" },
		{ "Require: timer, x", "" },
		{ "x: 1800", "" },
		{ "Min-SE: 90", "" },
	};
	CHECK_VALUES(values, HEADER_TO_CARRIER);
	CHECK_VALUES(values, HEADER_TO_PBX);
	ask(&asked, true, "k: timer, a\r\nx: 90\r\nMin-SE: 90\r\n", HEADER_TO_PBX, &usual);
	check_lines(&asked, "Supported: a\r\n");
	CHECK_NUMBER(fate(&asked, HEADER_FATE_TIMER), 3);
	CHECK_NUMBER(fate(&asked, HEADER_FATE_HIDDEN), 0);
}

static void who_is_nobody_says_nothing_of_himself(void **state)
{
	(void)state;
	static struct asked asked;
	const struct header_policy private = { .domain = DOMAIN, .is_private = true };
	ask(&asked, true,
	    "Subject: me\r\nOrganization: mine\r\nCall-Info: <https://example.org/me>\r\n"
	    "History-Info: <sip:me@example.org>;index=1\r\nUser-to-User: 00\r\n",
	    HEADER_TO_CARRIER, &private);
	check_lines(&asked, "User-to-User: 00\r\n");
}

static void too_much_is_cut_by_whole_headers(void **state)
{
	(void)state;
	static struct asked asked;
	static char lines[24000];
	struct writer writer = writer_of(lines, sizeof lines);
	for (unsigned i = 0; i < 60; i++)
		writer_format(&writer, "X-%u: %u\r\n", i, i);
	writer_string(&writer, "User-to-User: 00\r\n");
	assert_non_null(writer_string_done(&writer));
	ask(&asked, true, lines, HEADER_TO_CARRIER, &usual);
	assert_true(text_has_prefix(asked.lines, TEXT("User-to-User: 00\r\nX-0: 0\r\n")));
	CHECK_NUMBER(fate(&asked, HEADER_FATE_PASSED), HEADER_LINES_MAX);
	CHECK_NUMBER(fate(&asked, HEADER_FATE_CUT), 61 - HEADER_LINES_MAX);

	writer = writer_of(lines, sizeof lines);
	for (unsigned i = 0; i < 5; i++)
		writer_format(&writer, "X-%u: %0700u\r\n", i, 0);
	writer_format(&writer, "X-long: %0*u\r\nX-last: 1\r\n", HEADER_VALUE_MAX + 1, 0);
	assert_non_null(writer_string_done(&writer));
	ask(&asked, true, lines, HEADER_TO_CARRIER, &usual);
	assert_true(asked.lines.size <= HEADER_ROOM);
	CHECK_NUMBER(fate(&asked, HEADER_FATE_PASSED), 3); // two of them, and the last
	CHECK_NUMBER(fate(&asked, HEADER_FATE_CUT), 4);
	assert_true(text_has_suffix_same(asked.lines, TEXT("X-last: 1\r\n")));
}

// What is told as it is, such as the type of a body in INFO.
static void a_value_is_told_when_it_names_nothing_of_its_leg(void **state)
{
	static struct asked asked;
	static const struct {
		const char *value;
		bool may;
	} rows[] = {
		{ "application/dtmf-relay", true },
		{ "application/x-game; v=1.0", true },
		{ "", true },
		{ "application/x;at=203.0.113.9", false }, // whose it is
		{ "application/x;at=10.9.8.7", false }, // any address
		{ "application/x;at=PBX.office.example", false }, // its Contact
		{ "application/x;call=77@office", false },
		{ "application/x;trunk=acme." DOMAIN, false },
		{ "application/x\r\nEvil: 1", false },
		{ "application/x\nEvil: 1", false },
	};
	struct sip_message message;
	char room[HEADER_VALUE_MAX + 1];
	(void)state;
	ask(&asked, true, "", HEADER_INSIDE, &usual);
	assert_true(sip_message_parse(text_of(asked.octets), &message));
	assert_true(address_parse(TEXT("203.0.113.9:5060"), &message.flow.remote));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CHECK_TRUE(header_may_tell(&message, DOMAIN, text_of(rows[i].value)) ==
			   rows[i].may);
	memset(room, 'x', sizeof room);
	CHECK_TRUE(header_may_tell(&message, DOMAIN, (struct text){ room, sizeof room - 1 }));
	CHECK_FALSE(header_may_tell(&message, DOMAIN, (struct text){ room, sizeof room }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_does_what_it_says_in_every_direction),
		cmocka_unit_test(each_name_and_letter_has_one_row),
		cmocka_unit_test(hosts_of_uris_are_hidden_and_the_order_stays),
		cmocka_unit_test(raw_values_are_left_alone_or_stay),
		cmocka_unit_test(reasons_pass_with_cause_and_text),
		cmocka_unit_test(the_timer_tag_alone_leaves_the_option_tags),
		cmocka_unit_test(who_is_nobody_says_nothing_of_himself),
		cmocka_unit_test(too_much_is_cut_by_whole_headers),
		cmocka_unit_test(a_value_is_told_when_it_names_nothing_of_its_leg),
	};
	sip_message_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
