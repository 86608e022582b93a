// What the operator's command makes of answers, without a daemon.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/trunkctl/csv.h"
#include "tools/trunkctl/format.h"
#include "tools/trunkctl/show.h"

static const char *show(const char *json, char *room, size_t size)
{
	char *text = NULL;
	size_t used = 0;
	json_t *answer = json_loads(json, 0, NULL);
	assert_non_null(answer);
	FILE *out = open_memstream(&text, &used);
	show_answer(answer, out);
	fclose(out);
	json_decref(answer);
	snprintf(room, size, "%s", text);
	free(text);
	return room;
}

static void values_stand_below_each_other(void **state)
{
	(void)state;
	char room[512];
	show("{\"status\":\"ok\",\"disaster_recovery_method\":\"POST\",\"sid\":\"TK1\"}", room,
	     sizeof(room));
	const char *first = strstr(room, "POST"), *second = strstr(room, "TK1");
	assert_non_null(first);
	assert_non_null(second);
	assert_int_equal(first - room, second - strchr(room, '\n') - 1);
}

// What an object calls its status is no outcome of the command: a suspended account says so.
static void a_status_of_an_object_is_shown(void **state)
{
	(void)state;
	char room[512];
	show("{\"status\":\"ok\",\"sid\":\"AC1\",\"account\":{\"sid\":\"AC1\",\"status\":"
	     "\"suspended\"}}",
	     room, sizeof(room));
	assert_string_equal(room, "sid                AC1\nstatus             suspended\n");
	show("{\"status\":\"ok\",\"caller_id\":{\"sid\":\"CI1\",\"status\":\"pending\"}}", room,
	     sizeof(room));
	assert_non_null(strstr(room, "status             pending\n"));
	show("{\"status\":\"ok\",\"level\":\"info\"}", room, sizeof(room));
	assert_null(strstr(room, "ok"));
}

// Of a number that is asked about, what is wrong with it; not the columns of a list of numbers.
static void what_is_wrong_with_a_number_is_told(void **state)
{
	(void)state;
	char room[1024];
	show("{\"status\":\"ok\",\"numbers\":[{\"number\":\"4155\",\"valid\":false,\"problem\":"
	     "\"no plus\","
	     "\"sid\":null,\"why_not\":\"it is no account's\",\"account\":null}]}",
	     room, sizeof(room));
	assert_non_null(strstr(room, "NUMBER"));
	assert_non_null(strstr(room, "4155"));
	assert_non_null(strstr(room, "no plus"));
	assert_non_null(strstr(room, "it is no account's"));
}

// TRUNK-002: exactly four headings, each with what belongs to it.
static void a_trunk_is_told_in_four_groups(void **state)
{
	(void)state;
	char room[1024];
	show("{\"status\":\"ok\",\"trunk\":{\"general\":{\"sid\":\"TK1\",\"recording\":\"do-not-"
	     "record\"},"
	     "\"termination\":{\"domain\":\"acme\"},\"origination\":{\"cnam\":false,\"origination_"
	     "uris\":"
	     "[{\"uri\":\"sip:a\",\"goes_to\":\"a:5060 by UDP\"}]},\"numbers\":{\"numbers\":[]}}}",
	     room, sizeof(room));
	const char *general = strstr(room, "General\n  sid                TK1\n");
	const char *termination = strstr(room, "\nTermination\n  domain             acme\n");
	const char *origination = strstr(room, "\nOrigination\n  cnam               disabled\n");
	const char *numbers = strstr(room, "\nNumbers\n");
	assert_true(general == room && termination > general && origination > termination &&
		    numbers > origination);
	assert_non_null(strstr(origination, "a:5060 by UDP"));
	unsigned headings = 0;
	for (const char *line = room; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		headings += *line >= 'A' && *line <= 'Z';
	}
	assert_int_equal(headings, 4);
}

// CNAM-008: where it goes into a file there is no colour.
static void the_switch_of_names_says_that_it_is_on(void **state)
{
	(void)state;
	char room[1024];
	show("{\"status\":\"ok\",\"trunk\":{\"general\":{\"sid\":\"TK1\"},\"origination\":{"
	     "\"cnam\":true}}}",
	     room, sizeof(room));
	assert_non_null(strstr(room, "\nOrigination\n  cnam               ENABLED\n"));
	assert_null(strchr(room, '\033'));
}

static void an_explanation_is_told_check_by_check(void **state)
{
	(void)state;
	char *text = NULL;
	size_t used = 0;
	json_t *answer = json_loads(
		"{\"status\":\"ok\",\"explanation\":{\"outcome\":\"403 "
		"Forbidden\",\"challenged\":false,"
		"\"source\":\"192.0.2.7:5060\",\"transport\":\"udp\",\"request_uri\":\"sip:+1@x\","
		"\"trunk\":\"office\",\"account\":\"Acme\",\"alert_code\":32201,\"header\":"
		"\"source\","
		"\"seen\":\"192.0.2.7\",\"expected\":\"another\",\"fix\":\"mend it\",\"steps\":["
		"{\"result\":\"passed\",\"check\":\"host\",\"text\":\"It is "
		"ours.\",\"detail\":\"\"},"
		"{\"result\":\"refused\",\"check\":\"source\",\"text\":\"It is known.\","
		"\"detail\":\"bad\\u001b[2J\"}],\"targets\":[{\"name\":\"gw\",\"host\":\"192.0.2."
		"9\","
		"\"transport\":\"udp\",\"priority\":10,\"weight\":5,\"media\":\"RTP\",\"state\":"
		"\"up\"}],"
		"\"sdp\":\"v=0\\r\\ns=-\\r\\n\"}}",
		0, NULL);
	FILE *out = open_memstream(&text, &used);
	assert_non_null(answer);
	show_answer(answer, out);
	fclose(out);
	static const char *const parts[] = {
		"INVITE sip:+1@x from 192.0.2.7:5060 by udp",
		"trunk office of account Acme",
		"passed",
		"It is ours.",
		"refused",
		"403 Forbidden, alert 32201",
		"mend it",
		"1. gw at 192.0.2.9 by udp, RTP, priority 10 weight 5, up",
		"  v=0\n  s=-\n",
	};
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strstr(text, parts[i]))
			fail_msg("%s is not in\n%s", parts[i], text);
	assert_null(strchr(text, 27));
	free(text);
	json_decref(answer);
}

static void a_list_is_a_table_for_spreadsheets(void **state)
{
	(void)state;
	char *text = NULL;
	size_t used = 0;
	json_t *answer = json_loads(
		"{\"status\":\"ok\",\"calls\":["
		"{\"sid\":\"CA1\",\"from\":\"+14155550100\",\"n\":3,\"loss\":0.5,\"x\":null},"
		"{\"sid\":\"a\\\"b,c\",\"from\":\"=cmd|x\",\"n\":4,\"secure\":true},"
		"{\"sid\":\"-1+2\",\"from\":\"+1+2\",\"n\":5}]}",
		0, NULL);
	assert_non_null(answer);
	FILE *out = open_memstream(&text, &used);
	assert_true(csv_print(answer, out));
	fclose(out);
	assert_string_equal(text, "\"sid\",\"from\",\"n\",\"loss\",\"x\"\r\n"
				  "\"CA1\",\"+14155550100\",3,0.5,\r\n"
				  "\"a\"\"b,c\",\"'=cmd|x\",4,,\r\n"
				  "\"'-1+2\",\"'+1+2\",5,,\r\n");
	free(text);
	json_decref(answer);
	answer = json_loads("{\"status\":\"ok\",\"level\":\"info\"}", 0, NULL);
	assert_false(csv_print(answer, stdout));
	json_decref(answer);
}

static void values_have_units(void **state)
{
	static const struct {
		const char *key, *json, *text;
	} cases[] = {
		{ "duration_s", "0", "0 s" },
		{ "duration_s", "59.94", "59.9 s" },
		{ "talk_s", "65.2", "1 min 05 s" },
		{ "uptime_s", "7260", "2 h 01 min" },
		{ "uptime_s", "180000", "2 d 02 h" },
		{ "bought_s", "1795950379", "2026-11-29 11:06:19 UTC" },
		{ "jitter_ms", "0.312", "0.31 ms" },
		{ "loss_percent", "0.0", "0 %" },
		{ "octets", "999", "999 B" },
		{ "octets", "85656", "85.7 kB" },
		{ "started_at", "\"2026-11-21T20:47:38.123Z\"", "2026-11-21 20:47:38.123 UTC" },
		{ "at", "\"2026-11-21T20:47:38.123Z\"", "2026-11-21 20:47:38.123 UTC" },
		{ "what", "\"2026-11-21T20:47:38.123Z\"", "2026-11-21T20:47:38.123Z" },
		{ "talk_s", "null", "-" },
		{ "ready", "true", "yes" },
		{ "names", "[\"a\", \"b\"]", "a, b" },
		{ "names", "[]", "-" },
		{ "name", "\"\"", "-" },
		{ "packets", "500", "500" },
	};
	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char room[FORMAT_SIZE];
		json_t *value = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);
		assert_string_equal(format_value(cases[i].key, value, room), cases[i].text);
		json_decref(value);
	}
}

static void nothing_a_terminal_would_obey_is_printed(void **state)
{
	(void)state;
	char room[4096];
	const char *text =
		show("{\"status\":\"ok\",\"calls\":[{\"sid\":\"CA1\\u001b[2J\\u009b31m\\u0007\\n\","
		     "\"from\":\"\\u007f\\u00e4\"}]}",
		     room, sizeof(room));
	assert_non_null(strstr(text, "CA1?[2J?31m??"));
	assert_non_null(strstr(text, "?\xc3\xa4"));
	for (; *text; text++)
		assert_true((unsigned char)*text >= ' ' || *text == '\n');
}

static void a_call_is_told_as_a_ladder(void **state)
{
	(void)state;
	char room[8192];
	const char *text = show(
		"{\"status\":\"ok\",\"call\":{\"sid\":\"CA77\",\"state\":\"ended\",\"from\":\"+"
		"14155550100\","
		"\"to\":\"+442071838750\",\"trunk\":\"office\",\"carrier\":\"north\",\"started_"
		"at\":"
		"\"2026-11-21T20:47:38.123Z\",\"duration_s\":3.5,\"talk_s\":2.0,\"sip_status\":200,"
		"\"reason\":\"OK\",\"ended_by\":\"called\",\"caller_address\":\"10.0.0.2:5060\","
		"\"called_address\":\"10.0.1.2:5060\",\"caller_transport\":\"tls\","
		"\"caller_tls\":\"1.3\",\"caller_cipher\":\"TLS_AES_256_GCM_SHA384\","
		"\"called_transport\":\"udp\",\"called_tls\":null,\"ladder\":["
		"{\"ms\":0,\"leg\":\"caller\",\"direction\":\"in\",\"what\":\"INVITE\"},"
		"{\"ms\":2,\"leg\":\"called\",\"direction\":\"out\",\"what\":\"INVITE\"},"
		"{\"ms\":60,\"leg\":\"called\",\"direction\":\"in\",\"what\":\"180\"},"
		"{\"ms\":61,\"leg\":\"caller\",\"direction\":\"out\",\"what\":\"180\"}],"
		"\"media\":[{\"from\":\"caller\",\"codec\":\"PCMU/"
		"8000\",\"local\":\"192.0.2.1:10000\","
		"\"remote\":\"10.0.0.2:40000\",\"packets\":100,\"octets\":17200,\"lost\":1,"
		"\"loss_percent\":0.99,\"jitter_ms\":0.4,\"ttl_lowest\":63,\"drops\":{\"ttl\":2},"
		"\"suite\":\"AES_CM_128_HMAC_SHA1_80\",\"mos\":4.41,\"verdict\":\"ttl\","
		"\"last_verdict\":\"ttl\"}],"
		"\"alerts\":[]}}",
		room, sizeof(room));
	assert_string_equal(
		text,
		"call CA77  ended\n"
		"  +14155550100 calls +442071838750\n"
		"  trunk office, carrier north\n"
		"  began 2026-11-21 20:47:38.123 UTC, lasted 3.5 s, talked 2 s\n"
		"  caller by tls 1.3 TLS_AES_256_GCM_SHA384, carrier by udp\n"
		"  ended by the carrier's side: OK (SIP 200)\n"
		"\n"
		"             caller                      trunkd                      carrier\n"
		"          10.0.0.2:5060                                           10.0.1.2:5060\n"
		"      0.000 s   | -------- INVITE --------> |                           |\n"
		"      0.002 s   |                           | -------- INVITE --------> |\n"
		"      0.060 s   |                           | <--------- 180 ---------- |\n"
		"      0.061 s   | <--------- 180 ---------- |                           |\n"
		"\n"
		"  legs\n"
		"    caller  10.0.0.2:40000  ->  192.0.2.1:10000  PCMU/8000  SRTP "
		"AES_CM_128_HMAC_SHA1_80\n"
		"\n"
		"  media\n"
		"    direction          packets   octets  lost    loss   jitter  lowest TTL  MOS  "
		"dropped\n"
		"    caller -> carrier      100  17.2 kB     1  0.99 %  0.40 ms          63  4.4   "
		"     "
		"2\n"
		"    dropped from the caller for ttl: 2 packets\n"
		"    the carrier does not hear the caller: ttl\n");
}

static void the_ledger_of_ports_comes_after_its_totals(void **state)
{
	(void)state;
	char room[4096];
	const char *text = show(
		"{\"status\":\"ok\",\"ports\":{\"total\":5000,\"used\":1},\"pairs\":[{"
		"\"local\":\"192.0.2.2:10000\",\"state\":\"held\",\"call\":\"CA01\",\"age_s\":7,"
		"\"worker\":0,\"leaked\":false,\"why\":\"call is up\"}]}",
		room, sizeof(room));
	const char *totals = strstr(text, "5000"), *row = strstr(text, "192.0.2.2:10000");
	assert_non_null(totals);
	assert_non_null(row);
	assert_true(totals < row);
	assert_non_null(strstr(row, "call is up"));
}

static void lists_come_after_their_totals(void **state)
{
	(void)state;
	char room[1024];
	const char *shown = show("{\"status\":\"ok\",\"count\":1,\"connections\":[{\"peer\":"
				 "\"192.0.2.9:5061\",\"tls\":\"1.3\"}]}",
				 room, sizeof(room));
	assert_non_null(strstr(shown, "count              1\nPEER "));
	assert_non_null(strstr(shown, "192.0.2.9:5061  1.3"));
	shown = show(
		"{\"status\":\"ok\",\"dns\":{\"hits\":7},\"answers\":[{\"name\":\"sip.example\","
		"\"type\":\"A\",\"records\":[\"192.0.2.1\",\"192.0.2.2\"]}]}",
		room, sizeof(room));
	assert_non_null(strstr(shown, "hits               7\nNAME "));
	assert_non_null(strstr(shown, "192.0.2.1, 192.0.2.2"));
	shown = show("{\"status\":\"ok\",\"count\":0,\"connections\":[]}", room, sizeof(room));
	assert_string_equal(shown, "count              0\nno connections\n");
}

static void certificates_come_after_what_is_offered_and_pem_stays_pem(void **state)
{
	(void)state;
	char room[4096];
	const char *text = show(
		"{\"status\":\"ok\",\"certificates\":[{\"certificate\":\"rsa\",\"names\":\"*.a\","
		"\"days_left\":7}],\"covered\":\"yes\",\"versions\":[\"1.2\"],\"suites\":[\"AES128-"
		"SHA\"]}",
		room, sizeof(room));
	const char *suite = strstr(text, "AES128-SHA"), *row = strstr(text, "CERTIFICATE");
	assert_non_null(suite);
	assert_non_null(row);
	assert_true(suite < row);
	assert_non_null(strstr(row, "*.a"));
	text = show("{\"status\":\"ok\",\"pem\":\"# CN=ca\\n-----\\n\"}", room, sizeof(room));
	assert_string_equal(text, "# CN=ca\n-----\n");
}

#define LONG                                                                                       \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"     \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void an_answer_of_any_shape_is_printed(void **state)
{
	static const char *const ANSWERS[] = {
		"{}",
		"{\"status\":\"ok\"}",
		"{\"call\":{}}",
		"{\"call\":{\"caller_address\":\"" LONG "\",\"called_address\":\"" LONG
		"\",\"ladder\":[{}]}}",
		"{\"call\":{\"ladder\":[{},{\"what\":7,\"ms\":\"x\"}],\"media\":[{},{}],\"alerts\":"
		"[{}]}}",
		"{\"commands\":[]}",
		"{\"commands\":[{\"command\":\"a\",\"arguments\":\"\",\"text\":\"b\"}],\"kinds\":[{"
		"}]}",
		"{\"workers\":[{\"verdicts\":{\"a\":1}}]}",
		"{\"calls\":[{}]}",
		"{\"calls\":[]}",
		"{\"sid\":\"x\",\"warnings\":[1,null]}",
	};
	(void)state;
	char room[8192];
	for (unsigned i = 0; i < sizeof(ANSWERS) / sizeof(ANSWERS[0]); i++)
		assert_non_null(show(ANSWERS[i], room, sizeof(room)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_stand_below_each_other),
		cmocka_unit_test(a_status_of_an_object_is_shown),
		cmocka_unit_test(what_is_wrong_with_a_number_is_told),
		cmocka_unit_test(a_trunk_is_told_in_four_groups),
		cmocka_unit_test(the_switch_of_names_says_that_it_is_on),
		cmocka_unit_test(an_explanation_is_told_check_by_check),
		cmocka_unit_test(a_list_is_a_table_for_spreadsheets),
		cmocka_unit_test(values_have_units),
		cmocka_unit_test(nothing_a_terminal_would_obey_is_printed),
		cmocka_unit_test(a_call_is_told_as_a_ladder),
		cmocka_unit_test(the_ledger_of_ports_comes_after_its_totals),
		cmocka_unit_test(lists_come_after_their_totals),
		cmocka_unit_test(certificates_come_after_what_is_offered_and_pem_stays_pem),
		cmocka_unit_test(an_answer_of_any_shape_is_printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
