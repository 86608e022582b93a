// What a carrier answers to the first INVITE, and what the caller hears of it, up to the acknowledged
// 200. Runs on the control thread; never waits.

#include "call/session/answer.h"

#include "base/log.h"
#include "call/end.h"
#include "call/invite.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/watch/audio.h"
#include "config/config.h"

static void tell_caller(struct call *call, const struct sip_message *response, bool has_answer)
{
	char body[CALL_SDP_SIZE];
	char headers[CALL_HEADERS_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	struct writer lines = writer_of(headers, sizeof headers);
	struct sip_answer answer = { .status = response->status };
	leg_write_contact(call->caller, &lines);
	if (has_answer) {
		media_write_answer(call->media, MEDIA_CALLER, &sdp);
		media_connect(call->media); // after the answer: it settles what events are called
		answer.content_type = TEXT("application/sdp");
		answer.body = writer_done(&sdp);
	}
	answer.headers = writer_done(&lines);
	(void)sip_server_reply(call->caller->server, &answer);
	record_ladder_status(call, MEDIA_CALLER, RECORD_OUT, response->status);
}

// 18x: early media when it describes some, else the caller's own ringing tone.
static void provisional(struct leg *leg, const struct sip_message *response)
{
	struct call *call = leg->call;
	struct media_problem problem = { 0 };
	bool has_answer = false;
	record_ladder_status(call, MEDIA_CALLED, RECORD_IN, response->status);
	leg->is_heard = true;
	if (response->status == 100)
		return; // hop by hop (RFC 3261 16.7); the caller had ours
	(void)sip_dialog_update(leg->dialog, response); // without a tag there is no early dialog
	if (response->body.size > 0)
		has_answer = media_receive_answer(call->media, MEDIA_CALLED, response->body,
						  &problem) == OK;
	if (call->record->ringing_ms == 0)
		call->record->ringing_ms = call->calls->clock->wall_ms;
	if (call->state == CALL_TRYING)
		call->state = CALL_RINGING;
	leg->has_early_media |= has_answer;
	tell_caller(call, response, has_answer);
}

// A carrier's refusal: about the called party (the caller hears it) or about the carrier (the next
// one is asked). A carrier's own challenge is no business of the caller's.
static void refused(struct leg *leg, const struct sip_message *response)
{
	struct call *call = leg->call;
	struct log_value reason;
	char seen[96];
	struct writer writer = writer_of(seen, sizeof seen);
	record_ladder_status(call, MEDIA_CALLED, RECORD_IN, response->status);
	leg->client = NULL; // ended with this response
	leg->is_invited = false;
	writer_format(&writer, "%u %.*s", response->status,
		      TEXT_FORMAT(text_of(log_text(&reason, response->reason))));
	if (writer.failed)
		writer = writer_of(seen, 0);
	if (!route_is_definitive(response->status)) {
		(void)refusal_set(&call->failure, REFUSED_CARRIER_FAILED, call->carrier_name,
				  writer_done(&writer), "an answer about the called party");
		record_alert(call, &call->failure);
		call_try_next(call);
		return;
	}
	struct ending ending = { .ended_by = HISTORY_END_CALLED, .status = response->status };
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
	writer_text(&lines, call_method_allow());
	writer_string(&record_route, "Record-Route: <"); // SIP-002
	sip_flow_write_uri(sip_dialog_flow(leg->dialog), NULL, &record_route);
	writer_string(&record_route, ";lr>\r\n");
	struct sip_answer answer = { .status = 200,
				     .headers = writer_done(&lines),
				     .record_route = writer_done(&record_route),
				     .content_type = TEXT("application/sdp"),
				     .body = sdp };
	(void)sip_server_reply(leg->server, &answer); // repeated until the ACK
	record_ladder(call, leg->side, RECORD_OUT, "200");
	wheel_start(call->calls->wheel, &call->ack_timer,
		    call->calls->clock->now_ms + call->calls->config->sip.ack_timeout_s * 1000);
}

static void connect_call(struct call *call)
{
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	struct calls *calls = call->calls;
	media_write_answer(call->media, MEDIA_CALLER, &sdp);
	media_connect(call->media); // after the answer: it settles what events are called
	call->state = CALL_ANSWERED;
	call->caller->is_answered = true;
	call->record->answer_ms = calls->clock->wall_ms;
	call->record->sip_status = 200;
	counter_add(&calls->counters.answered, 1);
	wheel_start(calls->wheel, &call->duration_timer,
		    calls->clock->now_ms + calls->config->sip.max_call_duration_s * 1000ull);
	log_event(LOG_INFO, "call_answered", "call", call->sid, "carrier", call->carrier_name,
		  NULL);
	audio_start(call);
	call_send_200(call->caller, writer_done(&sdp));
}

// The first 2xx makes the call; a repeat means our ACK was lost.
static void accepted(struct leg *leg, const struct sip_message *response)
{
	struct call *call = leg->call;
	struct media_problem problem = { 0 };
	if (leg->is_answered) {
		if (!leg_end_fork(leg, response))
			leg_send_ack(leg);
		return;
	}
	record_ladder_status(call, MEDIA_CALLED, RECORD_IN, response->status);
	struct refusal refusal = { 0 };
	if (sip_dialog_update(leg->dialog, response) != OK) {
		(void)refusal_set(&refusal, REFUSED_ANSWER_SDP, "Contact", TEXT("none"),
				  "a 200 with Contact and To tag");
		call_end_refused(call, &refusal);
		return;
	}
	leg->is_answered = true;
	leg->is_invited = false;
	leg_send_ack(leg);
	bool has_answer = response->body.size > 0 || !leg->has_early_media;
	if (has_answer &&
	    media_receive_answer(call->media, MEDIA_CALLED, response->body, &problem) != OK) {
		(void)refusal_set(&refusal, REFUSED_ANSWER_SDP,
				  problem.header ? problem.header : "SDP", text_of(problem.seen),
				  problem.expected ? problem.expected : "an SDP answer");
		call_end_refused(call, &refusal);
		return;
	}
	connect_call(call);
}

void call_answered(struct leg *leg, const struct sip_message *response)
{
	if (response->status < 200)
		provisional(leg, response);
	else if (response->status < 300)
		accepted(leg, response);
	else
		refused(leg, response);
}

void call_unanswered(struct leg *leg, enum sip_failure failure)
{
	struct call *call = leg->call;
	if (failure == SIP_FAILURE_TRANSPORT || !leg->is_heard) { // TERM-032
		(void)refusal_set(&call->failure, REFUSED_CARRIER_SILENT, call->carrier_name,
				  TEXT("no response"), "any response within the time allowed");
		record_ladder(call, MEDIA_CALLED, RECORD_IN, "(silence)");
		record_alert(call, &call->failure);
		call_try_next(call);
		return;
	}
	struct refusal refusal = { 0 };
	record_ladder(call, MEDIA_CALLED, RECORD_IN, "(no answer)");
	(void)refusal_set(&refusal, REFUSED_NO_ANSWER, call->carrier_name, TEXT("ringing"),
			  "an answer within the time allowed");
	call_end_refused(call, &refusal);
}

void call_acknowledged(struct leg *leg)
{
	struct call *call = leg->call;
	record_ladder(call, leg->side, RECORD_IN, "ACK");
	sip_server_acknowledged(leg->server);
	sip_server_set_owner(leg->server, NULL);
	sip_server_release(leg->server);
	leg->server = NULL;
	wheel_stop(&call->ack_timer);
	if (call->state == CALL_ANSWERED)
		call->state = CALL_UP;
}
