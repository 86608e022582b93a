// What a carrier answers to the first INVITE, and what the caller hears of it, up to the acknowledged
// 200. Runs on the control thread; never waits.

#include "call/session/answer.h"

#include "base/log.h"
#include "call/origination/redirect.h"
#include "call/target/attempt.h"
#include "call/target/target.h"
#include "call/end.h"
#include "call/invite.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/change.h"
#include "call/session/early.h"
#include "call/session/reliable.h"
#include "call/transfer/transfer.h"
#include "call/watch/audio.h"
#include "call/watch/peer.h"
#include "config/config.h"

// 18x: early media when it describes some, else the caller's own ringing tone. What one fork of several
// no longer does (199, RFC 6228) is no business of a caller who has one dialog.
static void provisional(struct leg *leg, const struct sip_message *response)
{
	struct call *call = leg->call;
	struct media_problem problem = { 0 };
	bool has_answer = false;
	record_ladder_status(call, MEDIA_CALLED, RECORD_IN, response->status);
	leg->is_heard = true;
	if (response->status == 100)
		return; // hop by hop (RFC 3261 16.7); the caller had ours
	leg_note_allow(leg, response);
	// Without a tag there is no early dialog.
	bool has_dialog =
		response->to.tag.size > 0 && sip_dialog_update(leg->dialog, response) == OK;
	if (has_dialog && !early_take(leg, response))
		return;
	if (response->body.size > 0)
		has_answer = media_receive_answer(call->media, MEDIA_CALLED, response->body,
						  &problem) == OK;
	if (has_answer && has_dialog)
		early_keep(leg, response);
	if (call->record->ringing_ms == 0)
		call->record->ringing_ms = call->calls->clock->wall_ms;
	if (call->state == CALL_TRYING)
		call->state = CALL_RINGING;
	leg->has_early_media |= has_answer;
	if (call->caller == NULL)
		transfer_progress(call, response->status);
	else if (response->status != 199)
		reliable_tell(call, response->status, has_answer,
			      sip_message_has_option(response, "Require", "100rel"));
}

// A carrier's refusal: about the called party (the caller hears it) or about the carrier (the next
// one is asked). A carrier's own challenge is no business of the caller's.
static void refused(struct leg *leg, const struct sip_message *response)
{
	struct call *call = leg->call;
	char seen[192];
	struct writer writer = writer_of(seen, sizeof seen);
	record_ladder_status(call, MEDIA_CALLED, RECORD_IN, response->status);
	leg->client = NULL; // ended with this response
	leg->is_invited = false;
	peer_write_refusal(response, &writer);
	if (call->direction == CALL_TO_PBX && response->status == 302) { // D-24
		redirect_follow(leg, response);
		return;
	}
	if (!config_codes_have(&call->calls->config->sip.definitive_codes, response->status)) {
		bool is_timer = response->status == 422; // SIP-019
		attempt_note_failed(call,
				    target_refusal(attempt_target(call)->kind, response->status),
				    writer_done(&writer),
				    is_timer ? "an answer to an INVITE without session timer"
					     : "an answer about the called party");
		if (response->status == 503) // RFC 3263 4.3: another address may have room
			attempt_next_address(call);
		else
			attempt_next_target(call);
		return;
	}
	struct ending ending = { .ended_by = HISTORY_END_CALLED, .status = response->status };
	if (sip_message_header(response, "Reason", 0).data != NULL) // its cause, for the record
		ending.reason = writer_string_done(&writer);
	call_end(call, &ending);
}

void call_send_200(struct leg *leg, struct text sdp)
{
	struct call *call = leg->call;
	char headers[CALL_HEADERS_SIZE];
	char route[160];
	struct writer lines = writer_of(headers, sizeof headers);
	struct writer record_route = writer_of(route, sizeof route);
	leg_write_contact(leg, &lines);
	writer_text(&lines, call_allow(leg));
	writer_text(&lines, call_supported(leg));
	writer_string(&record_route, "Record-Route: <"); // SIP-002
	sip_flow_write_uri(sip_dialog_flow(leg->dialog), NULL, &record_route);
	writer_string(&record_route, ";lr>\r\n");
	struct sip_answer answer = { .status = 200,
				     .headers = writer_done(&lines),
				     .record_route = writer_done(&record_route),
				     .content_type =
					     sdp.size > 0 ? TEXT("application/sdp") : TEXT_NONE,
				     .body = sdp };
	(void)sip_server_reply(leg->server, &answer); // repeated until the ACK
	record_ladder(call, leg->side, RECORD_OUT, "200");
	wheel_start(call->calls->wheel, &call->ack_timer,
		    call->calls->clock->now_ms + call->calls->config->sip.ack_timeout_s * 1000);
}

void call_connect(struct call *call)
{
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	struct calls *calls = call->calls;
	if (call->caller == NULL) { // the target of a transfer
		transfer_answered(call);
		return;
	}
	if (!reliable_allows_final(call))
		return;
	struct text description = reliable_final_body(call, &sdp);
	reliable_finish(call);
	media_connect(call->media); // after the answer: it settles what events are called
	call->state = CALL_ANSWERED;
	attempt_clear(call);
	call->caller->is_answered = true;
	call->record->answer_ms = calls->clock->wall_ms;
	call->record->sip_status = 200;
	counter_add(&calls->counters.answered[call->direction], 1);
	wheel_start(calls->wheel, &call->duration_timer,
		    calls->clock->now_ms + calls->config->sip.max_call_duration_s * 1000ull);
	log_event(LOG_INFO, "call_answered", "call", call->sid, "carrier", call->carrier_name,
		  NULL);
	if (call->called != NULL) // else it will be joined with somebody
		audio_start(call);
	call_send_200(call->caller, description);
}

// The answer of the fork that took the call: in its 2xx, or else in what it said before. In force may be
// another fork's.
static enum status take_description(struct leg *leg, const struct sip_message *response,
				    struct media_problem *problem)
{
	bool is_changed;
	struct text said = early_description(leg, response, &is_changed);
	// What a 2xx repeats after an UPDATE is older than that (RFC 6337 3.1).
	if (response->body.size > 0 && !is_changed)
		said = response->body;
	if (said.size == 0 && leg->has_early_media)
		return OK;
	return media_receive_answer(leg->call->media, MEDIA_CALLED, said, problem);
}

// The first 2xx makes the call; a repeat means our ACK was lost.
static void accepted(struct leg *leg, const struct sip_message *response)
{
	struct call *call = leg->call;
	struct media_problem problem = { 0 };
	if (leg->is_answered) {
		if (!leg_end_fork(leg, response) && !leg->is_ack_owed)
			leg_send_ack(leg);
		return;
	}
	record_ladder_status(call, MEDIA_CALLED, RECORD_IN, response->status);
	struct refusal refusal = { 0 };
	if (sip_dialog_update(leg->dialog, response) != OK) {
		(void)refusal_set(&refusal, REFUSED_ANSWER_SDP, "Contact", TEXT("none"),
				  "a 200 with Contact and To tag");
		leg->is_cancelled = true; // it is too late for that
		leg_hang_up(leg, response);
		call_end_refused(call, &refusal);
		return;
	}
	leg_note_allow(leg, response);
	leg->is_answered = true;
	leg->is_invited = false;
	leg_send_ack(leg);
	enum status status = take_description(leg, response, &problem);
	if (status != OK) {
		bool is_codec = status == ERR_UNSUPPORTED && call->direction == CALL_TO_PBX;
		(void)refusal_set(&refusal,
				  is_codec ? REFUSED_URI_CODEC : REFUSED_ANSWER_SDP, // D-28
				  problem.header ? problem.header : "SDP", text_of(problem.seen),
				  problem.expected ? problem.expected : "an SDP answer");
		call_end_refused(call, &refusal);
		return;
	}
	early_clear(leg);
	call_connect(call);
}

void call_answered(struct leg *leg, const struct sip_message *response)
{
	attempt_heard(leg->call);
	if (response->status < 200)
		provisional(leg, response);
	else if (response->status < 300)
		accepted(leg, response);
	else
		refused(leg, response);
}

// TERM-032; D-19: a way that leads nowhere is 504, silence on it 408.
static void note_silence(struct leg *leg, enum sip_failure failure)
{
	struct call *call = leg->call;
	char seen[ADDRESS_TEXT_SIZE + 32];
	struct writer writer = writer_of(seen, sizeof seen);
	bool is_silent = failure == SIP_FAILURE_TIMEOUT;
	writer_string(&writer, is_silent ? "no response from " : "no connection to ");
	address_write(&leg->peer, &writer);
	const struct target_causes *causes = target_causes(attempt_target(call)->kind);
	record_ladder(call, MEDIA_CALLED, RECORD_IN, is_silent ? "(silence)" : "(no connection)");
	attempt_note_failed(call, is_silent ? causes->silent : causes->unreachable,
			    writer_done(&writer), "any response within the time allowed");
	attempt_silent(call);
}

void call_unanswered(struct leg *leg, enum sip_failure failure)
{
	struct call *call = leg->call;
	if (failure == SIP_FAILURE_TRANSPORT || !leg->is_heard) {
		note_silence(leg, failure);
		attempt_next_address(call);
		return;
	}
	struct refusal refusal = { 0 };
	record_ladder(call, MEDIA_CALLED, RECORD_IN, "(no answer)");
	const struct target *target = attempt_target(call);
	const struct target_causes *causes = target_causes(target->kind);
	bool has_rung = call->state == CALL_RINGING;
	target_refuse(target, has_rung ? causes->no_answer : causes->stalled,
		      has_rung ? TEXT("ringing") : TEXT("100 Trying, and nothing more"),
		      "an answer within the time allowed", &refusal);
	call_end_refused(call, &refusal);
}

// Both sides do when another host took the call (call/transfer/pickup.h).
static bool owes_ack(const struct leg *leg)
{
	return leg != NULL && leg->server != NULL && sip_server_has_final(leg->server);
}

static void forget_acknowledged(struct leg *leg)
{
	sip_server_acknowledged(leg->server);
	sip_server_set_owner(leg->server, NULL);
	sip_server_release(leg->server);
	leg->server = NULL;
	if (!owes_ack(leg_other(leg)))
		wheel_stop(&leg->call->ack_timer);
}

static void be_up(struct call *call)
{
	if (call->state == CALL_ANSWERED && !owes_ack(call->caller) && !owes_ack(call->called))
		call->state = CALL_UP;
	change_settle(call);
}

void call_acknowledged(struct leg *leg, const struct sip_message *ack)
{
	record_ladder(leg->call, leg->side, RECORD_IN, "ACK");
	forget_acknowledged(leg);
	if (leg->is_offered && !change_take_answer(leg, ack))
		return;
	be_up(leg->call);
}

void call_overtaken(struct leg *leg)
{
	if (leg->server == NULL || !sip_server_has_final(leg->server) || leg->is_offered)
		return;
	forget_acknowledged(leg);
	be_up(leg->call);
}
