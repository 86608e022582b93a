// How a ringing call is taken from who rings. Runs on the control thread; never waits. What the caller said
// stays in force, and what it was told of who rang is told anew when that is no longer true.

#include "call/transfer/pickup.h"

#include "base/log.h"
#include "base/secret.h"
#include "call/admission/admission.h"
#include "call/end.h"
#include "call/header/carry.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/answer.h"
#include "call/session/digits.h"
#include "call/table.h"
#include "call/transfer/transfer.h"
#include "directory/directory.h"
#include "media/join/join.h"

#define ELSEWHERE "Call completed elsewhere" // RFC 3326 2

bool pickup_is_ringing(const struct leg *leg)
{
	const struct call *call = leg->call;
	return call != NULL && call->state < CALL_ANSWERED && call->called == leg &&
	       !leg->is_answered;
}

bool pickup_is_possible(const struct leg *leg)
{
	const struct call *call = leg->call;
	return pickup_is_ringing(leg) && leg->client != NULL && call->caller != NULL &&
	       call->media != NULL && call->change.asked == NULL && call->transfer == NULL &&
	       call->serves == NULL;
}

// What the caller said stands, whoever answers it.
static void leave(struct leg *ringing)
{
	struct call *call = ringing->call;
	carry_reason(ringing, 200, ELSEWHERE);
	leg_give_up(ringing);
	call->called = NULL;
	media_forget(call->media, MEDIA_CALLED);
	media_accept_offer(call->media);
}

void pickup_by_transfer(struct leg *ringing)
{
	struct call *call = ringing->call;
	call->serves->is_answered = true;
	leave(ringing);
	call_connect(call);
}

// ---- by INVITE

// Whoever answers the caller's offer: what it offers itself holds.
static enum refusal_cause describe(struct call *call, const struct sip_message *invite,
				   struct refusal *refusal)
{
	struct media_problem problem = { 0 };
	if (!sip_dialog_can_open(invite))
		return admission_refuse_dialog(invite, refusal);
	media_accept_offer(call->media); // the caller's: there is room for one that is open
	enum status status = media_receive_offer(call->media, MEDIA_CALLED, invite->body, &problem);
	if (status == OK)
		return REFUSED_NOT;
	return refusal_set(refusal, refusal_of_media(status, problem.objection),
			   problem.header ? problem.header : "SDP", text_of(problem.seen),
			   problem.expected ? problem.expected : "an offer in SDP");
}

static void note(struct call *call, const struct leg *coming, const struct sip_message *invite)
{
	char room[ADDRESS_TEXT_SIZE];
	struct history_call *record = call->record;
	text_copy_cut(text_of(address_string(&coming->peer, room)), record->uri_address,
		      sizeof record->uri_address);
	text_copy_cut(invite->call_id, record->call_id_out, sizeof record->call_id_out);
	record_ladder(call, MEDIA_CALLED, RECORD_IN, "INVITE");
	counter_add(&call->calls->counters.transfers, 1);
	log_event(LOG_INFO, "call_picked_up", "call", call->sid, "by", room, NULL);
}

static void answer(struct leg *coming)
{
	struct call *call = coming->call;
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	coming->is_answered = true;
	media_write_early(call->media, coming->side, &sdp);
	media_connect(call->media);
	call_send_200(coming, writer_done(&sdp));
	secret_wipe(body, sizeof body);
}

static void connect(struct call *call)
{
	bool was_told = call->exchange != EXCHANGE_OPEN; // of who rang
	call_connect(call);
	if (was_told)
		call->caller->is_stale = media_has_news(call->media, MEDIA_CALLER);
}

void pickup_by_invite(struct leg *ringing, struct sip_server *server,
		      const struct sip_message *invite, const struct admitted *admitted)
{
	struct call *call = ringing->call;
	struct refusal refusal = { 0 };
	struct leg *coming = NULL;
	enum refusal_cause cause = describe(call, invite, &refusal);
	if (cause == REFUSED_NOT) {
		coming = call_open_leg(call, MEDIA_CALLED, server, invite);
		if (coming == NULL)
			media_withdraw_offer(call->media);
	}
	if (coming == NULL) {
		if (cause == REFUSED_NOT)
			(void)refusal_set(&refusal, REFUSED_INTERNAL, "memory", TEXT("none"),
					  "memory for one more dialog");
		call_refuse(call->calls, server, invite, admitted->trunk->account_sid,
			    admitted->trunk->sid, &refusal);
		return;
	}
	leave(ringing);
	call->called = coming;
	coming->is_customer = true;
	digits_note_leg(coming);
	note(call, coming, invite);
	answer(coming);
	connect(call);
}
