// A change of a call, passed through or our own. Runs on the control thread; never waits.

#include "call/session/change.h"

#include "base/random.h"
#include "base/secret.h"
#include "call/end.h"
#include "call/header/carry.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/answer.h"
#include "call/session/ask.h"
#include "call/session/body.h"
#include "call/session/early.h"
#include "call/session/reliable.h"
#include "call/transfer/transfer.h"
#include "media/join/join.h"

// ---- being asked

// RFC 3261 14.2, RFC 3311 5.2: one offer at a time. 0: there is none.
static unsigned conflict_of(const struct leg *leg, bool is_update)
{
	const struct call *call = leg->call;
	const struct leg *other = leg_other(leg);
	bool is_caller = leg->side == MEDIA_CALLER;
	if (call->change.asked != NULL)
		return call->change.asker == leg ? 500 : 491;
	if (other == NULL || other->is_over || call->state >= CALL_LEAVING)
		return 491;
	if (ask_is_early(call) && is_update && is_caller)
		return call->exchange == EXCHANGE_DONE      ? 0
		       : call->exchange == EXCHANGE_OFFERED ? 491
							    : 500;
	if (ask_is_early(call) && is_update)
		return early_is_settled(leg) ? 0 : 491;
	if (leg->server != NULL) // its answer to our offer may be on the way, in an ACK
		return leg->is_offered && sip_server_has_final(leg->server) ? 491 : 500;
	return call->state != CALL_UP || other->server != NULL ? 491 : 0;
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

// False: it was refused.
static bool take_offer(struct leg *leg, struct sip_server *server,
		       const struct sip_message *request)
{
	struct media_problem problem = { 0 };
	const struct body_fault *fault = body_judge(request);
	if (fault != NULL) {
		record_ladder_status(leg->call, leg->side, RECORD_OUT, 415);
		call_reply(server, 415, NULL, text_of(fault->line));
		return false;
	}
	enum status status =
		media_receive_offer(leg->call->media, leg->side, request->body, &problem);
	if (status == OK)
		return true;
	tell_objection(leg->call, status, &problem);
	ask_refuse(server, leg, 488);
	return false;
}

// A session timer's refresh (RFC 4028 7.4): the same description again. Nothing changes, so nobody else is
// asked.
static bool answer_refresh(struct leg *leg, struct sip_server *server,
			   const struct sip_message *request)
{
	struct call *call = leg->call;
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	if (call->state != CALL_UP || !media_is_repeated(call->media, leg->side, request->body))
		return false;
	(void)sip_dialog_update(leg->dialog, request); // no Contact: the target stays
	media_write_answer(call->media, leg->side, &sdp);
	if (request->method == SIP_UPDATE) {
		ask_reply_update(leg, server, writer_done(&sdp));
	} else {
		leg->server = server;
		sip_server_set_owner(server, leg);
		call_send_200(leg, writer_done(&sdp));
	}
	secret_wipe(body, sizeof body);
	return true;
}

void change_invite(struct leg *leg, struct sip_server *server, const struct sip_message *invite)
{
	struct call *call = leg->call;
	bool is_late = invite->body.size == 0;
	record_ladder(call, leg->side, RECORD_IN, "INVITE");
	leg_note_allow(leg, invite);
	unsigned conflict = conflict_of(leg, false);
	if (conflict != 0) {
		ask_refuse(server, leg, conflict);
		return;
	}
	if (!is_late && (answer_refresh(leg, server, invite) || !take_offer(leg, server, invite)))
		return;
	(void)sip_dialog_update(leg->dialog, invite); // no Contact: the target stays
	if (!ask_party(leg_other(leg), false, is_late)) {
		if (!is_late)
			media_withdraw_offer(call->media);
		ask_refuse(server, leg, 500);
		return;
	}
	call->change.asker = leg;
	leg->server = server;
	leg->is_reinvite = true;
	sip_server_set_owner(server, leg);
}

// Before the answer a party that knows no UPDATE cannot be asked anything: our own port and the way to it
// are all that changes for it (RFC 3311 5.2 would have 504 where it must be asked).
static void accept_update(struct leg *leg, struct sip_server *server)
{
	struct call *call = leg->call;
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	change_accept(leg);
	early_note_change(leg);
	media_write_early(call->media, leg->side, &sdp);
	ask_connect(call);
	ask_reply_update(leg, server, writer_done(&sdp));
	secret_wipe(body, sizeof body);
	change_settle(call);
}

static void pass_update(struct leg *leg, struct sip_server *server)
{
	struct call *call = leg->call;
	struct leg *other = leg_other(leg);
	bool is_update = ask_may_update(other);
	if (ask_is_early(call) && !is_update) {
		accept_update(leg, server);
		return;
	}
	if (!ask_party(other, is_update, false)) {
		media_withdraw_offer(call->media);
		ask_refuse(server, leg, 500);
		return;
	}
	call->change.asker = leg;
	call->change.update = server;
}

void change_update(struct leg *leg, struct sip_server *server, const struct sip_message *update)
{
	struct call *call = leg->call;
	bool is_pending = call->change.update != NULL && call->change.asker == leg;
	record_ladder(call, leg->side, RECORD_IN, "UPDATE");
	leg_note_allow(leg, update);
	unsigned conflict = is_pending ? 500 : update->body.size > 0 ? conflict_of(leg, true) : 0;
	if (conflict != 0) {
		ask_refuse(server, leg, conflict);
		return;
	}
	if (update->body.size > 0 &&
	    (answer_refresh(leg, server, update) || !take_offer(leg, server, update)))
		return;
	early_propose(leg, update->body);
	(void)sip_dialog_update(leg->dialog, update);
	if (update->body.size > 0)
		pass_update(leg, server);
	else
		ask_reply_update(leg, server, TEXT_NONE); // a new target is of this leg alone
}

// ---- what the asked party says

static void end_unusable(struct leg *asked, enum status status, const struct media_problem *problem)
{
	struct refusal refusal = { 0 };
	enum refusal_cause cause = asked->side == MEDIA_CALLED
					   ? REFUSED_ANSWER_SDP
					   : refusal_of_media(status, problem->objection);
	(void)refusal_set(&refusal, cause, problem->header ? problem->header : "SDP",
			  text_of(problem->seen),
			  problem->expected ? problem->expected : "an SDP answer");
	call_end_refused(asked->call, &refusal);
}

// It believes in a change that cannot be, the others do not: it is told what holds (RFC 3261 14.1).
static void restore(struct leg *asked)
{
	asked->is_stale = asked->is_misled = true;
	change_settle(asked->call);
}

// Nobody asks for the same again where we do; what we owe a party we say later, or hang up.
static void own_refused(struct leg *asked, unsigned status)
{
	struct call *call = asked->call;
	const struct calls *calls = call->calls;
	struct media_problem problem = { .header = "re-INVITE", .expected = "its 200" };
	if (status == 491) { // RFC 3261 14.1: who made the Call-ID waits longer
		uint32_t wait_ms =
			asked->is_outgoing ? 2100 + 10 * random_below(191) : 10 * random_below(201);
		wheel_start(calls->wheel, &call->change.timer, calls->clock->now_ms + wait_ms);
	} else if (asked->is_misled) {
		end_unusable(asked, ERR_NOT_ACCEPTABLE, &problem);
	} else {
		asked->is_stale = false; // it will not hear of it
	}
}

// Who asked can neither answer the other side's challenge nor follow it elsewhere.
static unsigned told_status(unsigned status)
{
	return status == 401 || status == 407 ? 403 : status / 100 == 3 ? 488 : status;
}

static void refused(struct leg *asked, unsigned status)
{
	struct call *call = asked->call;
	bool is_ours = call->change.asker == NULL, is_late = call->change.is_late;
	bool is_lost = (status == 481 || status == 408) && !ask_is_early(call);
	if (!is_ours && !is_late)
		media_withdraw_offer(call->media);
	ask_refuse_asker(call, told_status(status));
	ask_finish(call);
	asked->is_over = status == 481 && is_lost;
	if (is_lost) // RFC 3261 12.2.1.2
		call_lost(asked);
	else if (is_ours)
		own_refused(asked, status);
	else
		change_settle(call);
}

static void unusable(struct leg *asked, enum status status, const struct media_problem *problem)
{
	struct call *call = asked->call;
	bool is_ours = call->change.asker == NULL;
	if (is_ours) {
		ask_finish(call);
		end_unusable(asked, status, problem);
		return;
	}
	media_withdraw_offer(call->media);
	ask_refuse_asker(call, 488);
	ask_finish(call);
	restore(asked);
}

// Parties that were joined have agreed on nothing before: what one answers may be news to the other.
static void note_news(struct call *call, struct leg *other)
{
	if (call->news_left == 0)
		return;
	call->news_left--;
	other->is_stale |= media_has_news(call->media, other->side);
}

static void agreed(struct leg *asked)
{
	struct call *call = asked->call;
	struct leg *asker = call->change.asker;
	struct sip_server *update = call->change.update;
	ask_finish(call);
	early_note_change(call->called); // as asker or asked
	asked->is_stale = asked->is_misled = false;
	if (asker != NULL) {
		ask_give_answer(call, asker, update);
	} else {
		ask_connect(call);
		note_news(call, leg_other(asked));
	}
	change_settle(call);
}

// The 2xx to a re-INVITE without an offer makes one: it goes on in ours, and the answer in the ACK comes
// back in the ACK we owe (RFC 3261 14.1).
static void take_late_offer(struct leg *asked, const struct sip_message *response)
{
	struct call *call = asked->call;
	struct leg *asker = call->change.asker;
	struct media_problem problem = { 0 };
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	enum status status =
		media_receive_offer(call->media, asked->side, response->body, &problem);
	asked->is_ack_owed = true;
	if (status != OK) {
		ask_refuse_asker(call, 488);
		ask_finish(call);
		end_unusable(asked, status, &problem);
		return;
	}
	media_write_offer(call->media, asker->side, &sdp);
	ask_finish(call);
	asker->is_offered = true;
	call_send_200(asker, writer_done(&sdp));
	secret_wipe(body, sizeof body);
}

static void accepted(struct leg *asked, const struct sip_message *response)
{
	struct call *call = asked->call;
	struct media_problem problem = { 0 };
	leg_note_allow(asked, response);
	(void)sip_dialog_update(asked->dialog, response);
	if (call->change.is_late) {
		take_late_offer(asked, response);
		return;
	}
	if (!call->change.is_update)
		leg_send_ack(asked);
	enum status status =
		media_receive_answer(call->media, asked->side, response->body, &problem);
	if (asked->side == MEDIA_CALLED)
		early_propose(asked, response->body);
	if (status == OK)
		agreed(asked);
	else
		unusable(asked, status, &problem);
}

void change_response(struct leg *asked, const struct sip_message *response)
{
	struct call *call = asked->call;
	if (response->status < 200 || call->change.asked != asked)
		return;
	record_ladder_status(call, asked->side, RECORD_IN, response->status);
	if (call->change.asker == NULL)
		carry_clear(leg_other(asked)); // nobody there asked
	if (response->method == SIP_UPDATE)
		asked->update = NULL;
	if (response->status < 300) {
		accepted(asked, response);
		return;
	}
	if (response->method == SIP_INVITE)
		asked->client = NULL;
	bool is_unknown = response->status == 405 || response->status == 501;
	if (response->method == SIP_UPDATE && is_unknown && !ask_is_early(call)) {
		asked->allows_update = false; // whatever its Allow says
		if (ask_party(asked, false, false))
			return;
	}
	refused(asked, response->status);
}

void change_failed(struct leg *asked)
{
	if (asked->call->change.asked != asked)
		return;
	record_ladder(asked->call, asked->side, RECORD_IN, "(no answer)");
	refused(asked, 408);
}

void change_cancelled(struct leg *asker)
{
	const struct change *change = &asker->call->change;
	if (change->asker == asker && change->asked->client != NULL)
		sip_client_cancel(change->asked->client); // its 487 ends the change
}

void change_abandon(struct call *call, unsigned status)
{
	struct change *change = &call->change;
	wheel_stop(&change->timer);
	if (change->asked == NULL)
		return;
	if (change->asked->update != NULL)
		sip_client_forget(change->asked->update);
	change->asked->update = NULL;
	if (change->asker != NULL && !change->is_late && call->media != NULL)
		media_withdraw_offer(call->media);
	ask_refuse_asker(call, status);
	ask_finish(call);
}

// ---- our own changes

void change_accept(struct leg *leg)
{
	struct call *call = leg->call;
	struct leg *other = leg_other(leg);
	struct media_figures before, after;
	media_read(call->media, leg->side, &before);
	media_accept_offer(call->media);
	media_read(call->media, leg->side, &after);
	if (other != NULL)
		other->is_stale |= before.sends != after.sends || before.listens != after.listens;
}

static bool is_asking(const struct leg *leg)
{
	return leg != NULL && leg->server != NULL;
}

static bool may_tell(const struct leg *leg)
{
	const struct call *call = leg->call;
	if (call->state == CALL_UP)
		return !is_asking(call->caller) && !is_asking(call->called);
	return ask_is_early(call) && ask_may_update(leg);
}

void change_settle(struct call *call)
{
	struct leg *legs[] = { call->caller, call->called };
	if (transfer_settle(call) || call->change.asked != NULL ||
	    wheel_is_running(&call->change.timer))
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct leg *leg = legs[i];
		if (leg == NULL || !leg->is_stale || leg->is_over || !may_tell(leg))
			continue;
		if (ask_party(leg, ask_may_update(leg), false))
			call->change.asker = NULL;
		else
			own_refused(leg, 491); // no memory now: later
		return;
	}
}

static void on_retry(struct wheel_timer *timer, void *context)
{
	(void)timer;
	change_settle(context);
}

void change_init(struct call *call)
{
	wheel_timer_init(&call->change.timer, on_retry, call);
}

bool change_take_answer(struct leg *leg, const struct sip_message *ack)
{
	struct leg *other = leg_other(leg);
	if (!reliable_take_answer(leg, ack))
		return false;
	if (other != NULL && other->is_ack_owed)
		leg_send_owed_ack(other);
	ask_connect(leg->call);
	return true;
}
