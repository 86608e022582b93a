// A change of an answered call, passed through. Runs on the control thread.

#include "call/session/reinvite.h"

#include "call/end.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/answer.h"
#include "call/watch/audio.h"

// A party that was asked for a change answers by itself or not at all: nobody rings.
#define ANSWER_MS 30000

static void refuse(struct sip_server *server, struct leg *leg, unsigned status)
{
	record_ladder_status(leg->call, leg->side, RECORD_OUT, status);
	call_reply(server, status, NULL, TEXT_NONE);
}

// RFC 3261 14.2: one change at a time, and none before the first exchange is done.
static bool is_busy(const struct call *call)
{
	return call->state != CALL_UP || call->caller->server != NULL ||
	       call->called->server != NULL || call->caller->is_reinvite ||
	       call->called->is_reinvite;
}

static bool pass_on(struct leg *other)
{
	char body[CALL_SDP_SIZE];
	char headers[CALL_HEADERS_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	struct writer lines = writer_of(headers, sizeof headers);
	struct sip_request request = { 0 };
	media_write_offer(other->call->media, other->side, &sdp);
	leg_write_contact(other, &lines);
	writer_text(&lines, call_method_allow());
	sip_dialog_request(other->dialog, SIP_INVITE, 0, &request);
	request.headers = writer_done(&lines);
	request.content_type = TEXT("application/sdp");
	request.body = writer_done(&sdp);
	if (other->client != NULL)
		sip_client_forget(other->client);
	other->client = NULL;
	enum status status = sip_client_send(other->calls->transactions, &request,
					     (struct sip_client_limits){ .ring_ms = ANSWER_MS },
					     other, &other->client);
	if (status != OK)
		return false;
	other->invite_cseq = sip_dialog_local_cseq(other->dialog);
	other->is_reinvite = true;
	record_ladder(other->call, other->side, RECORD_OUT, "INVITE");
	return true;
}

// A change that would take SRTP away, or bring it where it may not be: refused, told, and the call goes
// on as it was (SRTP-007).
static void tell_objection(struct call *call, enum status status,
			   const struct media_problem *problem)
{
	struct refusal refusal = { 0 };
	if (problem->objection == MEDIA_OBJECTION_NONE)
		return;
	(void)refusal_set(&refusal, refusal_of_media(status, problem->objection),
			  problem->header ? problem->header : "SDP", text_of(problem->seen),
			  problem->expected ? problem->expected : "");
	refusal_count(&call->calls->counters, refusal.cause);
	record_alert(call, &refusal);
}

void call_reinvite(struct leg *leg, struct sip_server *server, const struct sip_message *invite)
{
	struct call *call = leg->call;
	struct leg *other = leg_other(leg);
	struct media_problem problem = { 0 };
	record_ladder(call, leg->side, RECORD_IN, "INVITE");
	if (other == NULL || is_busy(call)) {
		refuse(server, leg, 491);
		return;
	}
	enum status status = invite->body.size == 0 ? ERR_MALFORMED
						    : media_receive_offer(call->media, leg->side,
									  invite->body, &problem);
	if (status != OK) {
		tell_objection(call, status, &problem);
		refuse(server, leg, 488);
		return;
	}
	(void)sip_dialog_update(leg->dialog, invite); // no Contact: the target stays
	if (!pass_on(other)) {
		media_withdraw_offer(call->media);
		refuse(server, leg, 500);
		return;
	}
	leg->server = server;
	leg->is_reinvite = true;
	sip_server_set_owner(server, leg);
}

static void finish(struct leg *leg, struct leg *other)
{
	leg->is_reinvite = false;
	other->is_reinvite = false;
}

static void give_answer(struct leg *to)
{
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	media_write_answer(to->call->media, to->side, &sdp);
	media_connect(to->call->media); // after the answer: it settles what events are called
	audio_change(to->call);
	call_send_200(to, writer_done(&sdp));
}

static void refused_by(struct leg *other, unsigned status)
{
	struct leg *leg = leg_other(other);
	media_withdraw_offer(leg->call->media);
	finish(leg, other);
	refuse(leg->server, leg, status);
	leg->server = NULL;
}

void call_reinvite_response(struct leg *leg, const struct sip_message *response)
{
	struct call *call = leg->call;
	struct leg *asker = leg_other(leg);
	struct media_problem problem = { 0 };
	if (response->status < 200)
		return;
	record_ladder_status(call, leg->side, RECORD_IN, response->status);
	if (response->status >= 300) {
		leg->client = NULL;
		refused_by(leg, response->status);
		leg->is_over = response->status == 481;
		if (leg->is_over || response->status == 408) // RFC 3261 12.2.1.2
			call_lost(leg);
		return;
	}
	(void)sip_dialog_update(leg->dialog, response);
	leg_send_ack(leg);
	if (media_receive_answer(call->media, leg->side, response->body, &problem) != OK) {
		refused_by(leg, 488);
		return;
	}
	finish(asker, leg);
	give_answer(asker);
}

void call_reinvite_failed(struct leg *leg)
{
	record_ladder(leg->call, leg->side, RECORD_IN, "(no answer)");
	refused_by(leg, 408);
	call_lost(leg);
}
