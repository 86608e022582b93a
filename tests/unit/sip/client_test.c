// Client transactions by RFC 3261 17.1 and 9.1 and RFC 6026, timer by timer, over a fake clock.

#include "tests/check.h"

#include <string.h>

#include "tests/unit/sip/fixture.h"

static const struct sip_client_limits none = { 0 };
static int owner;

static unsigned live(const struct fixture *fixture)
{
	return (unsigned)counter_get(
		&sip_transaction_counters(fixture->transactions)->client_count);
}

static void check_times(const struct fixture *fixture, uint64_t start_ms, const unsigned *at_ms,
			unsigned count)
{
	CHECK_NUMBER(fixture->sent_count, count);
	for (unsigned i = 0; i < count; i++)
		CHECK_TRUE(fixture->sent[i].at_ms - start_ms - at_ms[i] <= 10 * i);
}

static void timer_a_repeats_an_invite_doubling_without_end(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start_ms = fixture->clock.now_ms;
	struct sip_client *client = fixture_send(fixture, SIP_INVITE, none, &owner);
	fixture_wait(fixture, 31000);
	check_times(fixture, start_ms, (unsigned[]){ 0, 500, 1500, 3500, 7500, 15500 }, 6);
	CHECK_STRING(fixture->sent[0].octets, fixture->sent[5].octets);
	CHECK_TRUE(fixture_did_send(fixture, 0,
				    "INVITE sip:b@192.0.2.9:5071 SIP/2.0\r\nVia: SIP/2.0/UDP "
				    "192.0.2.1:5060;branch=z9hG4bK"));
	sip_client_forget(client);
}

static void timer_b_ends_an_unanswered_invite(void **state)
{
	struct fixture *fixture = *state;
	fixture_send(fixture, SIP_INVITE, none, &owner);
	fixture_wait(fixture, 31900);
	CHECK_NUMBER(fixture->failures, 0);
	fixture_wait(fixture, 200);
	CHECK_NUMBER(fixture->failures, 1);
	assert_ptr_equal(fixture->owner, &owner);
	CHECK_NUMBER(fixture->failure, SIP_FAILURE_TIMEOUT);
	CHECK_NUMBER(live(fixture), 0);
}

static void no_response_in_four_seconds_gives_the_invite_up(void **state)
{
	struct fixture *fixture = *state;
	fixture_send(fixture, SIP_INVITE, (struct sip_client_limits){ .no_response_ms = 4000 },
		     &owner);
	fixture_wait(fixture, 4010);
	CHECK_NUMBER(fixture->failures, 1);
	fixture_forget_sent(fixture);
	fixture_wait(fixture, 28100);
	CHECK_NUMBER(fixture->sent_count, 0); // and it is repeated no more
	CHECK_NUMBER(live(fixture), 0);
}

static void a_late_180_after_giving_up_is_cancelled(void **state)
{
	struct fixture *fixture = *state;
	fixture_send(fixture, SIP_INVITE, (struct sip_client_limits){ .no_response_ms = 4000 },
		     &owner);
	fixture_wait(fixture, 4010);
	unsigned sent = fixture->sent_count;
	fixture_answer(fixture, 0, 180, "late");
	CHECK_NUMBER(fixture->responses, 0);
	CHECK_TRUE(fixture_did_send(fixture, sent, "CANCEL sip:b@192.0.2.9:5071 SIP/2.0\r\n"));
	fixture_answer(fixture, sent, 200, NULL);
	fixture_answer(fixture, 0, 487, "late");
	CHECK_TRUE(fixture_did_send(fixture, sent + 1, "ACK "));
	fixture_wait(fixture, 33000);
	CHECK_NUMBER(live(fixture), 0);
}

static void a_late_200_after_giving_up_is_a_stray_one(void **state)
{
	struct fixture *fixture = *state;
	fixture_send(fixture, SIP_INVITE, (struct sip_client_limits){ .no_response_ms = 4000 },
		     &owner);
	fixture_wait(fixture, 4010);
	fixture_answer(fixture, 0, 200, "late");
	CHECK_NUMBER(fixture->responses, 0);
	CHECK_NUMBER(fixture->strays, 1);
	fixture_wait(fixture, 40000);
	fixture_answer(fixture, 0, 200, "later");
	CHECK_NUMBER(fixture->strays, 2);
}

static void timer_c_cancels_an_invite_that_rings_too_long(void **state)
{
	struct fixture *fixture = *state;
	fixture_send(fixture, SIP_INVITE, (struct sip_client_limits){ .ring_ms = 60000 }, &owner);
	fixture_answer(fixture, 0, 180, "b");
	CHECK_NUMBER(fixture->status, 180);
	fixture_forget_sent(fixture);
	fixture_wait(fixture, 59900);
	CHECK_NUMBER(fixture->failures + fixture->sent_count, 0);
	fixture_wait(fixture, 200);
	CHECK_NUMBER(fixture->failures, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "CANCEL "));
	fixture_wait(fixture, 40000);
	CHECK_NUMBER(live(fixture), 0);
}

static void timer_d_acknowledges_each_copy_of_a_refusal(void **state)
{
	struct fixture *fixture = *state;
	fixture_send(fixture, SIP_INVITE, none, &owner);
	fixture_answer(fixture, 0, 100, NULL);
	fixture_answer(fixture, 0, 486, "b");
	fixture_wait(fixture, 31900);
	fixture_answer(fixture, 0, 486, "b");
	CHECK_NUMBER(fixture->responses, 2); // 100 and one 486
	CHECK_NUMBER(fixture_count_sent(fixture, "ACK "), 2);
	CHECK_NUMBER(fixture->sent_count, 3);
	fixture_wait(fixture, 200);
	CHECK_NUMBER(live(fixture), 0);
}

static void the_ack_of_a_refusal_is_built_as_17_1_1_3_says(void **state)
{
	struct fixture *fixture = *state;
	struct sip_message invite, ack;
	fixture_send(fixture, SIP_INVITE, none, &owner);
	fixture_answer(fixture, 0, 486, "b");
	CHECK_NUMBER(fixture->sent_count, 2);
	CHECK_TRUE(sip_message_parse(text_of(fixture->sent[0].octets), &invite));
	CHECK_TRUE(sip_message_parse(text_of(fixture->sent[1].octets), &ack));
	CHECK_NUMBER(ack.method, SIP_ACK);
	CHECK_NUMBER(ack.cseq, invite.cseq);
	CHECK_NUMBER(ack.via_count, 1);
	CHECK_TRUE(text_is_equal(ack.via.whole, invite.via.whole));
	CHECK_TRUE(text_is_equal(ack.target.whole, invite.target.whole));
	CHECK_TRUE(text_is_equal(ack.from_value, invite.from_value));
	CHECK_TRUE(text_is_equal(ack.call_id, invite.call_id));
	CHECK_TEXT(ack.to.tag, "b");
	CHECK_TEXT(sip_message_header(&ack, "Max-Forwards", 0), "70");
	CHECK_TEXT(sip_message_header(&ack, "Route", 0), "<sip:192.0.2.9;lr>");
	CHECK_NUMBER(ack.body.size, 0);
}

static void timer_m_gives_every_copy_of_a_200_to_the_user(void **state)
{
	struct fixture *fixture = *state;
	fixture_send(fixture, SIP_INVITE, none, &owner);
	fixture_answer(fixture, 0, 200, "b");
	fixture_wait(fixture, 31900);
	fixture_answer(fixture, 0, 200, "b");
	fixture_answer(fixture, 0, 200, "fork");
	CHECK_NUMBER(fixture->responses, 3);
	CHECK_NUMBER(fixture->sent_count, 1); // the ACK is the user's
	fixture_wait(fixture, 200);
	CHECK_NUMBER(live(fixture), 0);
	fixture_answer(fixture, 0, 200, "b");
	CHECK_NUMBER(fixture->responses, 3);
	CHECK_NUMBER(fixture->strays, 1);
	sip_client_forget(fixture->client); // still the user's, though ended
}

static void timer_e_repeats_a_bye_up_to_t2(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start_ms = fixture->clock.now_ms;
	fixture_send(fixture, SIP_BYE, none, &owner);
	fixture_wait(fixture, 16000);
	check_times(fixture, start_ms, (unsigned[]){ 0, 500, 1500, 3500, 7500, 11500, 15500 }, 7);
}

static void timer_e_slows_down_after_a_provisional_answer(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start_ms = fixture->clock.now_ms;
	fixture_send(fixture, SIP_BYE, none, &owner);
	fixture_answer(fixture, 0, 100, NULL);
	fixture_wait(fixture, 9000);
	check_times(fixture, start_ms, (unsigned[]){ 0, 500, 4500, 8500 }, 4);
}

static void timer_f_ends_an_unanswered_bye(void **state)
{
	struct fixture *fixture = *state;
	fixture_send(fixture, SIP_BYE, none, &owner);
	fixture_wait(fixture, 31900);
	CHECK_NUMBER(fixture->failures, 0);
	fixture_wait(fixture, 200);
	CHECK_NUMBER(fixture->failures, 1);
	CHECK_NUMBER(live(fixture), 0);
}

static void timer_k_absorbs_copies_of_the_answer(void **state)
{
	struct fixture *fixture = *state;
	fixture_send(fixture, SIP_BYE, none, &owner);
	fixture_answer(fixture, 0, 200, "b");
	fixture_wait(fixture, 4900);
	fixture_answer(fixture, 0, 200, "b");
	CHECK_NUMBER(fixture->responses, 1);
	CHECK_NUMBER(fixture->sent_count, 1);
	fixture_wait(fixture, 200);
	CHECK_NUMBER(live(fixture), 0);
	CHECK_NUMBER(fixture->strays, 0);
}

static void a_cancel_waits_for_a_provisional_answer(void **state)
{
	struct fixture *fixture = *state;
	struct sip_client *client = fixture_send(fixture, SIP_INVITE, none, &owner);
	sip_client_cancel(client);
	CHECK_NUMBER(fixture->sent_count, 1);
	fixture_answer(fixture, 0, 180, "b");
	CHECK_NUMBER(fixture->sent_count, 2);
	sip_client_cancel(client);
	CHECK_NUMBER(fixture->sent_count, 2);
	struct sip_message invite, cancel;
	CHECK_TRUE(sip_message_parse(text_of(fixture->sent[0].octets), &invite));
	CHECK_TRUE(sip_message_parse(text_of(fixture->sent[1].octets), &cancel));
	CHECK_NUMBER(cancel.method, SIP_CANCEL);
	CHECK_NUMBER(cancel.cseq, invite.cseq);
	CHECK_TRUE(text_is_equal(cancel.via.whole, invite.via.whole));
	CHECK_TRUE(text_is_equal(cancel.to_value, invite.to_value)); // without the 180's tag
	CHECK_TEXT(sip_message_header(&cancel, "Route", 0), "<sip:192.0.2.9;lr>");
	fixture_answer(fixture, 1, 200, NULL);
	fixture_answer(fixture, 0, 487, "b");
	CHECK_NUMBER(fixture->status, 487);
	CHECK_TRUE(fixture_did_send(fixture, 2, "ACK "));
	fixture_wait(fixture, 33000);
	CHECK_NUMBER(live(fixture), 0);
}

static void a_200_that_crosses_the_cancel_is_the_users(void **state)
{
	struct fixture *fixture = *state;
	struct sip_client *client = fixture_send(fixture, SIP_INVITE, none, &owner);
	fixture_answer(fixture, 0, 180, "b");
	sip_client_cancel(client);
	fixture_answer(fixture, 0, 200, "b");
	CHECK_NUMBER(fixture->status, 200);
	CHECK_NUMBER(fixture->responses, 2);
	sip_client_forget(client);
}

static void a_cancel_without_any_final_answer_ends_after_64_t1(void **state)
{
	struct fixture *fixture = *state;
	struct sip_client *client = fixture_send(fixture, SIP_INVITE, none, &owner);
	fixture_answer(fixture, 0, 180, "b");
	sip_client_cancel(client);
	fixture_wait(fixture, 33000);
	CHECK_NUMBER(fixture->failures, 1);
	CHECK_NUMBER(live(fixture), 0);
}

static void a_forgotten_invite_is_still_acknowledged(void **state)
{
	struct fixture *fixture = *state;
	struct sip_client *client = fixture_send(fixture, SIP_INVITE, none, &owner);
	sip_client_forget(client);
	fixture_answer(fixture, 0, 486, "b");
	CHECK_NUMBER(fixture->responses, 0);
	CHECK_TRUE(fixture_did_send(fixture, 1, "ACK "));
}

static void forgetting_inside_the_callbacks_is_safe(void **state)
{
	struct fixture *fixture = *state;
	fixture->forgets = true;
	fixture_send(fixture, SIP_INVITE, none, &owner);
	fixture_answer(fixture, 0, 200, "b");
	fixture_answer(fixture, 0, 200, "b");
	CHECK_NUMBER(fixture->responses, 1);
	CHECK_NUMBER(fixture->strays, 1);
	fixture_forget_sent(fixture);
	fixture_send(fixture, SIP_BYE, none, &owner);
	fixture_answer(fixture, 0, 481, NULL);
	fixture_send(fixture, SIP_BYE, none, &owner);
	fixture_wait(fixture, 40000);
	CHECK_NUMBER(fixture->failures, 1);
	CHECK_NUMBER(live(fixture), 0);
}

static void sending_the_next_invite_inside_the_callbacks_is_safe(void **state)
{
	struct fixture *fixture = *state;
	fixture->forgets = fixture->resends = true;
	fixture_send(fixture, SIP_INVITE, (struct sip_client_limits){ .no_response_ms = 4000 },
		     &owner);
	fixture_wait(fixture, 4010);
	CHECK_NUMBER(fixture->failures, 1);
	unsigned next = fixture->sent_count - 1;
	CHECK_TRUE(fixture_did_send(fixture, next, "INVITE "));
	fixture->resends = true;
	fixture_answer(fixture, next, 503, "b"); // to the second: acknowledged, then a third
	CHECK_TRUE(fixture_did_send(fixture, next + 1, "ACK "));
	CHECK_TRUE(fixture_did_send(fixture, next + 2, "INVITE "));
	fixture->resends = true;
	fixture_answer(fixture, next + 2, 200, "b");
	CHECK_TRUE(fixture_did_send(fixture, next + 3, "INVITE "));
	fixture_wait(fixture, 70000);
	CHECK_NUMBER(live(fixture), 0);
}

static void an_answer_with_other_vias_is_dropped_and_counted(void **state)
{
	struct fixture *fixture = *state;
	struct sip_client *client = fixture_send(fixture, SIP_INVITE, none, &owner);
	char octets[2048], branch[40];
	struct sip_message invite;
	CHECK_TRUE(sip_message_parse(text_of(fixture->sent[0].octets), &invite));
	CHECK_TRUE(text_copy(invite.via.branch, branch, sizeof(branch)));
	static const char *const vias[] = {
		"Via: SIP/2.0/UDP 203.0.113.5:5060;branch=%s\r\n", // SIP-011: an ALG's work
		"Via: SIP/2.0/UDP 192.0.2.1:5061;branch=%s\r\n",
		"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=%s, SIP/2.0/UDP 10.0.0.1\r\n",
	};
	for (unsigned i = 0; i < sizeof(vias) / sizeof(vias[0]); i++) {
		struct writer writer = writer_of(octets, sizeof(octets));
		writer_string(&writer, "SIP/2.0 200 OK\r\n");
		const char *mark = strstr(vias[i], "%s");
		writer_text(&writer, (struct text){ vias[i], (size_t)(mark - vias[i]) });
		writer_string(&writer, branch);
		writer_string(&writer, mark + 2);
		writer_string(&writer,
			      "From: <sip:us@192.0.2.1>;tag=ours\r\nTo: <sip:b@192.0.2.9>;tag=b\r\n"
			      "Call-ID: out-1\r\nCSeq: 7 INVITE\r\nContact: <sip:b@192.0.2.9>\r\n"
			      "Content-Length: 0\r\n\r\n");
		fixture_receive_text(fixture, writer_done(&writer));
	}
	CHECK_NUMBER(fixture->responses + fixture->strays, 0);
	CHECK_NUMBER(counter_get(&sip_transaction_counters(fixture->transactions)->wrong_via), 3);
	sip_client_forget(client);
}

static void what_cannot_be_sent_at_all_says_so(void **state)
{
	struct fixture *fixture = *state;
	struct sip_client *client = fixture_send(fixture, SIP_INVITE, none, &owner);
	fixture->send_status = ERR_BUSY; // as good as lost
	fixture_wait(fixture, 1000);
	CHECK_NUMBER(fixture->failures, 0);
	fixture->send_status = ERR_SYSTEM;
	fixture_wait(fixture, 10000);
	CHECK_NUMBER(fixture->failures, 1);
	CHECK_NUMBER(fixture->failure, SIP_FAILURE_TRANSPORT);
	CHECK_NUMBER(live(fixture), 0);
	struct sip_request request = { .method = SIP_BYE };
	CHECK_STATUS(sip_client_send(fixture->transactions, &request, none, NULL, &client),
		     ERR_SYSTEM);
	CHECK_NUMBER(live(fixture), 0);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(timer_a_repeats_an_invite_doubling_without_end),
		CASE(timer_b_ends_an_unanswered_invite),
		CASE(no_response_in_four_seconds_gives_the_invite_up),
		CASE(a_late_180_after_giving_up_is_cancelled),
		CASE(a_late_200_after_giving_up_is_a_stray_one),
		CASE(timer_c_cancels_an_invite_that_rings_too_long),
		CASE(timer_d_acknowledges_each_copy_of_a_refusal),
		CASE(the_ack_of_a_refusal_is_built_as_17_1_1_3_says),
		CASE(timer_m_gives_every_copy_of_a_200_to_the_user),
		CASE(timer_e_repeats_a_bye_up_to_t2),
		CASE(timer_e_slows_down_after_a_provisional_answer),
		CASE(timer_f_ends_an_unanswered_bye),
		CASE(timer_k_absorbs_copies_of_the_answer),
		CASE(a_cancel_waits_for_a_provisional_answer),
		CASE(a_200_that_crosses_the_cancel_is_the_users),
		CASE(a_cancel_without_any_final_answer_ends_after_64_t1),
		CASE(a_forgotten_invite_is_still_acknowledged),
		CASE(forgetting_inside_the_callbacks_is_safe),
		CASE(sending_the_next_invite_inside_the_callbacks_is_safe),
		CASE(an_answer_with_other_vias_is_dropped_and_counted),
		CASE(what_cannot_be_sent_at_all_says_so),
	};
	return RUN_TESTS(tests);
}
