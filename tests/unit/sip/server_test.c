// Server transactions by RFC 3261 17.2 and RFC 6026, timer by timer, over a fake clock.

#include "tests/check.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/sip/fixture.h"

static const struct fixture_request invite = { .method = "INVITE" };
static const struct fixture_request ack = { .method = "ACK" };

static void reply(struct fixture *fixture, unsigned status)
{
	CHECK_OK(sip_server_reply(fixture->server, &(struct sip_answer){ .status = status }));
}

static void release(struct fixture *fixture)
{
	sip_server_release(fixture->server);
	fixture->server = NULL;
}

static unsigned live(const struct fixture *fixture)
{
	return (unsigned)counter_get(
		&sip_transaction_counters(fixture->transactions)->server_count);
}

static void an_invite_gets_its_100_at_once(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 100 Trying\r\n"));
	CHECK_FALSE(fixture_sent_has(fixture, 0, "test.example>;tag=\r\n"));
	CHECK_NUMBER(fixture->sent[0].flow.remote.port, 5071);
	CHECK_TRUE(fixture_sent_has(
		fixture, 0,
		"Via: SIP/2.0/UDP "
		"10.1.1.1:5062;branch=z9hG4bKone;received=192.0.2.9;rport=5071\r\n"));
}

static void refuse_at_once(struct fixture *fixture, struct sip_server *server,
			   const struct sip_message *request)
{
	(void)fixture, (void)request;
	CHECK_OK(sip_server_reply(server, &(struct sip_answer){ .status = 403 }));
	sip_server_release(server);
}

static void an_invite_refused_at_once_gets_no_100(void **state)
{
	struct fixture *fixture = *state;
	fixture->on_request = refuse_at_once;
	fixture_ask(fixture, &invite);
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 403 Forbidden\r\n"));
	CHECK_TRUE(fixture_sent_has(fixture, 0, "received=192.0.2.9")); // AUTH-007
	CHECK_TRUE(fixture->sent[0].size <= 420);
	fixture_ask(fixture, &ack);
	fixture_wait(fixture, 5020);
	CHECK_NUMBER(live(fixture), 0);
}

static void refuse_a_stranger(struct fixture *fixture, struct sip_server *server,
			      const struct sip_message *request)
{
	(void)fixture, (void)request;
	sip_server_refuse(server, &(struct sip_answer){ .status = 403 });
}

// Whoever forges a source address gets one answer sent there, and costs no memory.
static void a_stranger_is_answered_once_and_forgotten(void **state)
{
	struct fixture *fixture = *state;
	fixture->on_request = refuse_a_stranger;
	fixture_ask(fixture, &invite);
	CHECK_NUMBER(live(fixture), 0);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 403 Forbidden\r\n"));
	fixture_ask(fixture, &ack);
	fixture_wait(fixture, 40000);
	CHECK_NUMBER(fixture->sent_count, 1);
	fixture_ask(fixture, &invite);
	CHECK_STRING(fixture->sent[0].octets, fixture->sent[1].octets); // its To tag too
}

static void give_back(struct fixture *fixture, struct sip_server *server,
		      const struct sip_message *request)
{
	(void)fixture, (void)request;
	sip_server_release(server);
}

static void a_request_released_unanswered_is_answered_500(void **state)
{
	struct fixture *fixture = *state;
	fixture->on_request = give_back;
	fixture_ask(fixture, &(struct fixture_request){ .method = "OPTIONS" });
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 500 "));
}

static void a_repeated_invite_gets_the_last_answer_again(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	reply(fixture, 180);
	fixture_ask(fixture, &invite);
	CHECK_NUMBER(fixture->requests, 1);
	CHECK_NUMBER(fixture_count_sent(fixture, "SIP/2.0 180 "), 2);
	CHECK_STRING(fixture->sent[1].octets, fixture->sent[2].octets);
}

static void timer_g_repeats_a_refusal_doubling_to_t2(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	fixture_forget_sent(fixture);
	reply(fixture, 486);
	uint64_t start = fixture->clock.now_ms;
	fixture_wait(fixture, 12000);
	static const unsigned at_ms[] = { 0, 500, 1500, 3500, 7500, 11500 };
	CHECK_NUMBER(fixture->sent_count, 6);
	for (unsigned i = 0; i < 6; i++)
		CHECK_TRUE(fixture->sent[i].at_ms - start - at_ms[i] <= 10 * i);
}

static void timer_h_ends_a_refusal_nobody_acknowledges(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	reply(fixture, 486);
	release(fixture);
	fixture_wait(fixture, 31900);
	CHECK_NUMBER(live(fixture), 1);
	fixture_wait(fixture, 200);
	CHECK_NUMBER(live(fixture), 0);
	CHECK_NUMBER(counter_get(&sip_transaction_counters(fixture->transactions)->timeouts), 1);
}

static void timer_i_absorbs_acks_after_a_refusal(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	reply(fixture, 486);
	release(fixture);
	fixture_ask(fixture, &ack);
	fixture_forget_sent(fixture);
	fixture_wait(fixture, 4900);
	fixture_ask(fixture, &ack);
	fixture_ask(fixture, &invite);
	CHECK_NUMBER(fixture->acks, 0);
	CHECK_NUMBER(fixture->sent_count, 0);
	CHECK_NUMBER(live(fixture), 1);
	fixture_wait(fixture, 200);
	CHECK_NUMBER(live(fixture), 0);
}

static void timer_j_keeps_the_answer_of_a_bye(void **state)
{
	struct fixture *fixture = *state;
	const struct fixture_request bye = { .method = "BYE", .to_tag = "x" };
	fixture_ask(fixture, &bye);
	CHECK_NUMBER(fixture->sent_count, 0); // no 100 for a non-INVITE
	fixture_ask(fixture, &bye); // absorbed: nothing to repeat yet
	reply(fixture, 200);
	release(fixture);
	fixture_wait(fixture, 31900);
	fixture_ask(fixture, &bye);
	CHECK_NUMBER(fixture->requests, 1);
	CHECK_NUMBER(fixture->sent_count, 2);
	fixture_wait(fixture, 200);
	CHECK_NUMBER(live(fixture), 0);
}

static void timer_l_absorbs_an_invite_after_its_200(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	reply(fixture, 200);
	fixture_ask(fixture, &(struct fixture_request){
				     .method = "ACK", .branch = "z9hG4bKother", .to_tag = "x" });
	CHECK_NUMBER(fixture->acks, 1);
	sip_server_acknowledged(fixture->server);
	release(fixture);
	fixture_forget_sent(fixture);
	fixture_wait(fixture, 31900);
	fixture_ask(fixture, &invite);
	CHECK_NUMBER(fixture->requests, 1);
	CHECK_NUMBER(fixture->sent_count, 0);
	fixture_wait(fixture, 200);
	CHECK_NUMBER(live(fixture), 0);
}

static void a_200_is_repeated_until_acknowledged(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	reply(fixture, 200);
	fixture_wait(fixture, 3600);
	CHECK_NUMBER(fixture_count_sent(fixture, "SIP/2.0 200 "), 4); // 0, 0.5, 1.5, 3.5 s
	sip_server_acknowledged(fixture->server);
	fixture_wait(fixture, 10000);
	CHECK_NUMBER(fixture_count_sent(fixture, "SIP/2.0 200 "), 4);
}

static void a_200_is_repeated_no_longer_than_64_t1(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	reply(fixture, 200);
	fixture_wait(fixture, 33000);
	fixture_forget_sent(fixture);
	CHECK_NUMBER(live(fixture), 0);
	fixture_wait(fixture, 33000);
	CHECK_NUMBER(fixture->sent_count, 0);
	CHECK_STATUS(sip_server_reply(fixture->server, &(struct sip_answer){ .status = 200 }),
		     ERR_CONFLICT); // ended, but still the user's
}

static void an_ack_with_the_branch_of_an_accepted_invite_is_the_users(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	reply(fixture, 200);
	fixture_ask(fixture, &(struct fixture_request){ .method = "ACK", .to_tag = "x" });
	CHECK_NUMBER(fixture->acks, 1);
}

static void a_cancel_is_answered_and_ends_the_invite_once(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	fixture_forget_sent(fixture);
	fixture_ask(fixture, &(struct fixture_request){ .method = "CANCEL" });
	CHECK_NUMBER(fixture->cancels, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 200 OK\r\n"));
	CHECK_TRUE(fixture_sent_has(fixture, 0, "CSeq: 1 CANCEL\r\n"));
	CHECK_TRUE(fixture_did_send(fixture, 1, "SIP/2.0 487 Request Terminated\r\n"));
	fixture_ask(fixture, &(struct fixture_request){ .method = "CANCEL" });
	CHECK_NUMBER(fixture->cancels, 1);
	CHECK_TRUE(fixture_did_send(fixture, 2, "SIP/2.0 200 OK\r\n"));
}

static void a_server_released_while_it_is_cancelled_lives_on(void **state)
{
	struct fixture *fixture = *state;
	fixture->releases = true;
	fixture_ask(fixture, &invite);
	fixture_ask(fixture, &(struct fixture_request){ .method = "CANCEL" });
	CHECK_NUMBER(fixture->cancels, 1);
	assert_null(fixture->server);
	fixture_forget_sent(fixture);
	fixture_ask(fixture, &invite);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 487 "));
	fixture_ask(fixture, &ack);
	fixture_wait(fixture, 5020);
	CHECK_NUMBER(live(fixture), 0);
}

static void a_cancel_after_the_answer_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	reply(fixture, 200);
	fixture_forget_sent(fixture);
	fixture_ask(fixture, &(struct fixture_request){ .method = "CANCEL" });
	CHECK_NUMBER(fixture->cancels, 0);
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 200 OK\r\n"));
}

static void a_cancel_of_nothing_is_answered_481(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &(struct fixture_request){ .method = "CANCEL" });
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 481 "));
	fixture->is_known = false;
	fixture_ask(fixture, &(struct fixture_request){ .method = "CANCEL" });
	CHECK_NUMBER(fixture->sent_count, 1);
}

// RFC 3261 22.1; another port of the same host may be a NAT's doing.
static void a_cancel_of_another_host_ends_nothing(void **state)
{
	struct fixture *fixture = *state;
	const struct address caller = fixture->flow.remote;
	fixture_ask(fixture, &invite);
	fixture_forget_sent(fixture);
	CHECK_TRUE(address_parse(TEXT("192.0.2.66:5071"), &fixture->flow.remote));
	fixture_ask(fixture, &(struct fixture_request){ .method = "CANCEL" });
	CHECK_NUMBER(fixture->cancels, 0);
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 481 "));
	CHECK_NUMBER(fixture->sent[0].flow.remote.octets[3], 66);
	CHECK_NUMBER(counter_get(&sip_transaction_counters(fixture->transactions)->foreign_cancels),
		     1);
	fixture->flow.remote = caller;
	fixture->flow.remote.port++;
	fixture_ask(fixture, &(struct fixture_request){ .method = "CANCEL" });
	CHECK_NUMBER(fixture->cancels, 1);
}

// Two PBXs behind two NATs have one sent-by, and both count their branches from one.
static void the_same_via_from_another_host_is_another_transaction(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	CHECK_NUMBER(fixture->requests, 1);
	fixture_ask(fixture, &invite);
	CHECK_NUMBER(fixture->requests, 1); // its own again
	release(fixture);
	fixture_forget_sent(fixture);
	CHECK_TRUE(address_parse(TEXT("192.0.2.66:5071"), &fixture->flow.remote));
	fixture_ask(fixture, &(struct fixture_request){ .method = "INVITE", .call_id = "call-2" });
	CHECK_NUMBER(fixture->requests, 2);
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 100 "));
	CHECK_NUMBER(fixture->sent[0].flow.remote.octets[3], 66);
}

// RFC 3261 17.2.3: the sent-by counts like the branch, for a CANCEL too.
static void a_cancel_of_another_sent_by_is_of_nothing(void **state)
{
	struct fixture *fixture = *state;
	static const char *const vias[] = { "10.1.1.2:5062", "10.1.1.1:5063", "10.1.1.1" };
	fixture_ask(fixture, &invite);
	for (size_t i = 0; i < sizeof(vias) / sizeof(*vias); i++) {
		char octets[512];
		int size = snprintf(octets, sizeof(octets),
				    "CANCEL sip:b@test.example SIP/2.0\r\n"
				    "Via: SIP/2.0/UDP %s;branch=z9hG4bKone\r\nMax-Forwards: 70\r\n"
				    "From: <sip:a@test.example>;tag=theirs\r\n"
				    "To: <sip:b@test.example>\r\nCall-ID: call-1\r\n"
				    "CSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n",
				    vias[i]);
		fixture_forget_sent(fixture);
		fixture_receive_text(fixture, (struct text){ octets, (size_t)size });
		CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 481 "));
	}
	CHECK_NUMBER(fixture->cancels, 0);
}

static void a_copy_on_another_way_is_answered_482(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &invite);
	fixture_forget_sent(fixture);
	fixture_ask(fixture, &(struct fixture_request){ .method = "INVITE", .branch = "z9hG4bK2" });
	CHECK_NUMBER(fixture->requests, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 482 "));
	CHECK_TRUE(fixture_sent_has(fixture, 0, "branch=z9hG4bK2"));
}

static void an_unknown_domain_hears_nothing(void **state)
{
	struct fixture *fixture = *state;
	fixture->is_known = false;
	fixture_ask(fixture, &invite);
	fixture_ask(fixture, &(struct fixture_request){ .method = "OPTIONS", .cseq = 2 });
	fixture_receive(fixture,
			"INVITE sip:x@nowhere.example SIP/2.0\r\nVia: SIP/2.0/UDP "
			"10.1.1.1;branch=z9hG4bKx\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n");
	CHECK_NUMBER(fixture->requests + fixture->sent_count, 0);
	CHECK_NUMBER(counter_get(&sip_transaction_counters(fixture->transactions)->unknown_domain),
		     3);
}

static void a_malformed_request_is_refused_in_no_more_octets_than_it_had(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &(struct fixture_request){ .method = "OPTIONS",
							.extra = "Max-Forwards: 70\r\n" });
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 400 Header Repeated\r\n"));
	CHECK_TRUE(fixture_sent_has(fixture, 0, ";received=192.0.2.9;rport=5071\r\n"));
	static const char small[] = "OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h\r\n"
				    "i: 1\r\nCSeq: 1 OPTIONS\r\n\r\n";
	fixture_receive(fixture, small);
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_NUMBER(
		counter_get(&sip_transaction_counters(fixture->transactions)->dropped_malformed),
		1);
	fixture_ask(fixture,
		    &(struct fixture_request){ .method = "ACK", .extra = "Max-Forwards: 70\r\n" });
	CHECK_NUMBER(fixture->sent_count, 1);
	CHECK_NUMBER(fixture->requests, 0);
}

static void a_folded_request_is_unfolded_and_answered(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture, &(struct fixture_request){ .method = "INVITE",
							.extra = "Subject: a\r\n b\r\n" });
	CHECK_NUMBER(fixture->requests, 1);
	CHECK_TRUE(fixture_did_send(fixture, 0, "SIP/2.0 100 "));
}

static void too_many_transactions_refuse_new_calls_alone(void **state)
{
	struct fixture *fixture = *state;
	fixture->on_request = refuse_at_once;
	char branch[32], call_id[32];
	struct fixture_request many = { .method = "INVITE", .branch = branch, .call_id = call_id };
	for (unsigned i = 0; i < 9; i++) {
		struct writer writer = writer_of(branch, sizeof(branch));
		writer_format(&writer, "z9hG4bK%u", i);
		(void)writer_string_done(&writer);
		writer = writer_of(call_id, sizeof(call_id));
		writer_format(&writer, "many-%u", i);
		(void)writer_string_done(&writer);
		fixture_ask(fixture, &many);
	}
	CHECK_NUMBER(fixture_count_sent(fixture, "SIP/2.0 503 "), 1);
	CHECK_TRUE(fixture_sent_has(fixture, 8, "Retry-After: "));
	fixture_forget_sent(fixture);
	fixture_ask(fixture, &(struct fixture_request){ .method = "OPTIONS", .call_id = "o" });
	CHECK_NUMBER(fixture->sent_count, 0);
	fixture_ask(fixture, &(struct fixture_request){ .method = "BYE", .to_tag = "x" });
	CHECK_NUMBER(fixture->sent_count, 1); // what ends calls still comes through
}

static void a_branch_without_cookie_is_matched_as_rfc_2543_does(void **state)
{
	struct fixture *fixture = *state;
	const struct fixture_request first = { .method = "INVITE", .branch = "1" };
	fixture_ask(fixture, &first);
	reply(fixture, 486);
	fixture_ask(fixture, &first);
	CHECK_NUMBER(fixture->requests, 1);
	release(fixture);
	fixture_ask(fixture, &(struct fixture_request){
				     .method = "INVITE", .branch = "1", .call_id = "call-2" });
	CHECK_NUMBER(fixture->requests, 2);
	fixture_ask(fixture,
		    &(struct fixture_request){ .method = "ACK", .branch = "1", .to_tag = "x" });
	CHECK_NUMBER(fixture->acks, 0);
}

static void answers_of_a_dialog_carry_the_record_route(void **state)
{
	struct fixture *fixture = *state;
	fixture_ask(fixture,
		    &(struct fixture_request){ .method = "INVITE",
					       .extra = "Record-Route: <sip:192.0.2.7;lr>\r\n"
							"Record-Route: <sip:192.0.2.8;lr>\r\n" });
	reply(fixture, 180);
	CHECK_TRUE(fixture_sent_has(fixture, 1,
				    "Record-Route: <sip:192.0.2.7;lr>\r\nRecord-Route: "
				    "<sip:192.0.2.8;lr>\r\n"));
	const struct sip_answer answer = { .status = 183,
					   .record_route =
						   TEXT("Record-Route: <sip:192.0.2.1;lr>\r\n") };
	CHECK_OK(sip_server_reply(fixture->server, &answer)); // SIP-002: ours on top
	CHECK_TRUE(fixture_sent_has(
		fixture, 2,
		"\r\nRecord-Route: <sip:192.0.2.1;lr>\r\nRecord-Route: <sip:192.0.2.7;lr>\r\n"));
	reply(fixture, 486);
	CHECK_FALSE(fixture_sent_has(fixture, 3, "Record-Route"));
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_invite_gets_its_100_at_once),
		CASE(an_invite_refused_at_once_gets_no_100),
		CASE(a_stranger_is_answered_once_and_forgotten),
		CASE(a_request_released_unanswered_is_answered_500),
		CASE(a_repeated_invite_gets_the_last_answer_again),
		CASE(timer_g_repeats_a_refusal_doubling_to_t2),
		CASE(timer_h_ends_a_refusal_nobody_acknowledges),
		CASE(timer_i_absorbs_acks_after_a_refusal),
		CASE(timer_j_keeps_the_answer_of_a_bye),
		CASE(timer_l_absorbs_an_invite_after_its_200),
		CASE(a_200_is_repeated_until_acknowledged),
		CASE(a_200_is_repeated_no_longer_than_64_t1),
		CASE(an_ack_with_the_branch_of_an_accepted_invite_is_the_users),
		CASE(a_cancel_is_answered_and_ends_the_invite_once),
		CASE(a_server_released_while_it_is_cancelled_lives_on),
		CASE(a_cancel_after_the_answer_changes_nothing),
		CASE(a_cancel_of_nothing_is_answered_481),
		CASE(a_cancel_of_another_host_ends_nothing),
		CASE(the_same_via_from_another_host_is_another_transaction),
		CASE(a_cancel_of_another_sent_by_is_of_nothing),
		CASE(a_copy_on_another_way_is_answered_482),
		CASE(an_unknown_domain_hears_nothing),
		CASE(a_malformed_request_is_refused_in_no_more_octets_than_it_had),
		CASE(a_folded_request_is_unfolded_and_answered),
		CASE(too_many_transactions_refuse_new_calls_alone),
		CASE(a_branch_without_cookie_is_matched_as_rfc_2543_does),
		CASE(answers_of_a_dialog_carry_the_record_route),
	};
	return RUN_TESTS(tests);
}
