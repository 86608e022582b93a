// What is told of a call: while it is up, and after.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "call/call.h"
#include "dataplane/suite.h"
#include "fake.h"

static void a_live_call_is_told_and_hung_up(void **state)
{
	struct fake *fake = *state;
	fake_add_call(fake, "CA01");
	fake_add_call(fake, "CA02");
	struct history_alert alert = { .call_sid = "CA01", .code = 32201, .text = "fix it" };
	assert_true(history_alert_write(fake->context.history, &alert));
	json_t *answer = fake_ask(fake, "show call CA01");
	assert_string_equal(fake_text(answer, "call.state"), "up");
	assert_string_equal(fake_text(answer, "call.ladder.0.leg"), "caller");
	assert_string_equal(fake_text(answer, "call.ladder.0.direction"), "in");
	assert_string_equal(fake_text(answer, "call.ladder.3.what"), "180");
	assert_string_equal(fake_text(answer, "call.media.0.codec"), "PCMU/8000");
	assert_string_equal(fake_text(answer, "call.alerts.0.text"), "fix it");
	json_t *media =
		json_array_get(json_object_get(json_object_get(answer, "call"), "media"), 0);
	assert_true(json_real_value(json_object_get(media, "loss_percent")) == 25.0);
	assert_true(json_real_value(json_object_get(media, "jitter_ms")) == 1.5);
	assert_int_equal(json_integer_value(json_object_get(media, "ttl_lowest")), 61);
	json_decref(answer);
	fake_expect(fake, "show calls", "calls.1.sid", "CA02");
	fake_expect(fake, "show streams", "streams.3.call", "CA02");
	fake_expect(fake, "show alerts 1", "alerts.0.call", "CA01");
	assert_string_equal(fake_code(fake, "hangup CA02"), "");
	assert_int_equal(fake->calls[0].state, CALL_UP);
	assert_int_equal(fake->calls[1].state, CALL_ENDING);
	assert_string_equal(fake_code(fake, "hangup all"), "");
	assert_int_equal(fake->calls[0].state, CALL_ENDING);
}

// Both legs of one: SRTP towards the caller, RTP towards the called party, who is not heard.
static void a_live_call_tells_all_of_its_streams(void **state)
{
	struct fake *fake = *state;
	fake_add_call(fake, "CA01");
	struct call_facts *facts = &fake->calls[0];
	struct media_figures *caller = &facts->media[MEDIA_CALLER];
	struct media_figures *called = &facts->media[MEDIA_CALLED];
	caller->suite = SUITE_AES_CM_32;
	caller->rtp.arrives_rollover = 3;
	called->rtp.leaves_rollover = 2;
	caller->rtp.drops[STREAM_DROP_AUTHENTICATION] = 5;
	caller->rtcp.drops[STREAM_DROP_AUTHENTICATION] = 1;
	caller->rtp.silent = 75;
	caller->mos = 437;
	(void)address_parse(TEXT("203.0.113.9:4000"), &caller->refused);
	facts->learned_ms[MEDIA_CALLER] = 1700000000000;
	facts->verdicts[MEDIA_CALLED] = facts->causes[MEDIA_CALLED] = DIAGNOSIS_UNREACHABLE;
	caller->unreachable = 9;
	called->rtcp.reports = 4;
	called->rtcp.peer_lost = -2;
	called->rtcp.peer_jitter = 80;
	json_t *answer = fake_ask(fake, "show call CA01");
	json_t *media = json_object_get(json_object_get(answer, "call"), "media");
	json_t *first = json_array_get(media, 0), *second = json_array_get(media, 1);
	assert_string_equal(fake_text(first, "suite"), "AES_CM_128_HMAC_SHA1_32");
	assert_string_equal(fake_text(first, "verdict"), "none");
	assert_string_equal(fake_text(first, "refused"), "203.0.113.9:4000");
	assert_string_equal(fake_text(first, "learned_at"), "2023-11-14T22:13:20.000Z");
	assert_int_equal(fake_number(first, "rollover"), 3);
	assert_int_equal(fake_number(first, "icmp_errors"), 9);
	assert_int_equal(fake_number(json_object_get(first, "srtp"), "rollover_out"), 2);
	assert_int_equal(fake_number(json_object_get(first, "srtp"), "not_authentic"), 6);
	assert_true(json_real_value(json_object_get(first, "silence_percent")) == 50.0);
	assert_true(json_real_value(json_object_get(first, "mos")) == 4.37);
	assert_string_equal(fake_text(second, "suite"), "none");
	assert_true(json_is_null(json_object_get(second, "srtp")));
	assert_true(json_is_null(json_object_get(second, "mos")));
	assert_string_equal(fake_text(second, "verdict"), "unreachable");
	assert_non_null(strstr(fake_text(second, "fix"), "firewall"));
	assert_int_equal(fake_number(json_object_get(second, "rtcp"), "peer_lost"), -2);
	assert_true(json_real_value(json_object_get(json_object_get(second, "rtcp"),
						    "peer_jitter_ms")) == 10.0);
	json_decref(answer);
	answer = fake_ask(fake, "status");
	assert_int_equal(fake_number(json_object_get(answer, "legs"), "srtp"), 1);
	assert_int_equal(fake_number(json_object_get(answer, "legs"), "rtp"), 1);
	json_decref(answer);
}

static void an_ended_call_is_told_from_the_history(void **state)
{
	struct fake *fake = *state;
	struct history_call *call = history_call_open(fake->context.history);
	snprintf(call->sid, sizeof(call->sid), "CA77");
	snprintf(call->from, sizeof(call->from), "M\xfcller"); // Latin-1, as strangers send it
	snprintf(call->ladder, sizeof(call->ladder),
		 "0 caller> INVITE\ngarbage\n900 caller> BYE\n");
	call->start_ms = 1700000000000;
	call->answer_ms = call->start_ms + 500;
	call->end_ms = call->start_ms + 2500;
	call->sip_status = 200;
	call->ended_by = HISTORY_END_CALLER;
	call->caller.packets = 100;
	call->called.is_recovered = 1;
	snprintf(call->called.verdict, sizeof(call->called.verdict), "stopped");
	snprintf(call->caller.suite, sizeof(call->caller.suite), "AES_CM_128_HMAC_SHA1_80");
	call->caller.mos = 441;
	call->caller.drops_replay = 3;
	history_call_close(fake->context.history, call);
	json_t *answer = fake_ask(fake, "show call CA77");
	assert_string_equal(fake_text(answer, "call.state"), "ended");
	assert_string_equal(fake_text(answer, "call.from"), "M?ller");
	assert_string_equal(fake_text(answer, "call.ended_by"), "caller");
	assert_string_equal(fake_text(answer, "call.ended_at"), "2023-11-14T22:13:22.500Z");
	assert_string_equal(fake_text(answer, "call.media.0.suite"), "AES_CM_128_HMAC_SHA1_80");
	assert_string_equal(fake_text(answer, "call.media.0.verdict"), "none");
	assert_string_equal(fake_text(answer, "call.media.1.suite"), "none");
	assert_string_equal(fake_text(answer, "call.media.1.verdict"), "none"); // heard again
	assert_string_equal(fake_text(answer, "call.media.1.last_verdict"), "stopped");
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(answer, "call"), "ladder")), 2);
	assert_true(json_real_value(json_object_get(json_object_get(answer, "call"), "talk_s")) ==
		    2.0);
	json_decref(answer);
	fake_expect(fake, "show history", "calls.0.sid", "CA77");
}

// wanted NULL: it is there, and null.
static void check(json_t *answer, const char *key, const char *wanted)
{
	json_t *value = json_object_get(json_object_get(answer, "call"), key);
	if (wanted)
		assert_string_equal(json_string_value(value), wanted);
	else
		assert_true(json_is_null(value));
}

// The suite is known as long as the connection stands.
static void a_live_call_tells_its_transports(void **state)
{
	struct fake *fake = *state;
	fake_add_call(fake, "CA01");
	struct call_way *ways = fake->calls[0].ways;
	ways[MEDIA_CALLER] = (struct call_way){ "tls", 0x0304, 2 };
	ways[MEDIA_CALLED] = (struct call_way){ "tls", 0x0303, 9 };
	json_t *answer = fake_ask(fake, "show call CA01");
	check(answer, "caller_transport", "tls");
	check(answer, "caller_tls", "1.3");
	check(answer, "caller_cipher", "TLS_AES_256_GCM_SHA384");
	check(answer, "called_tls", "1.2");
	check(answer, "called_cipher", NULL);
	json_decref(answer);
	ways[MEDIA_CALLER] = (struct call_way){ "udp", 0, 0 };
	answer = fake_ask(fake, "show call CA01");
	check(answer, "caller_transport", "udp");
	check(answer, "caller_tls", NULL);
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_set_up, fake_tear_down)
		TEST(a_live_call_is_told_and_hung_up),
		TEST(a_live_call_tells_all_of_its_streams),
		TEST(an_ended_call_is_told_from_the_history),
		TEST(a_live_call_tells_its_transports),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
