// Every way a call ends. Runs on the control thread; frees nothing while a callback may look at it.

#include "call/end.h"

#include <string.h>

#include "call/header/carry.h"
#include "call/target/attempt.h"
#include "call/leg.h"
#include "call/limit/limits.h"
#include "call/method.h"
#include "call/origination/name.h"
#include "call/record.h"
#include "call/replay/ring.h"
#include "call/session/change.h"
#include "call/session/reliable.h"
#include "call/transfer/join.h"
#include "call/transfer/transfer.h"
#include "call/watch/audio.h"

static void answer_open_request(struct leg *leg, const struct ending *ending)
{
	if (leg->server == NULL || sip_server_has_final(leg->server))
		return;
	char room[CALL_HEADERS_SIZE];
	struct writer lines = writer_of(room, sizeof room);
	writer_text(&lines, ending->headers);
	carry_write(leg, &lines);
	struct sip_answer answer = { .status = ending->status,
				     .reason = ending->phrase,
				     .headers = writer_done(&lines) };
	(void)sip_server_reply(leg->server, &answer);
	record_ladder_status(leg->call, leg->side, RECORD_OUT, ending->status);
}

static void end_leg(struct leg *leg, const struct ending *ending)
{
	if (leg == NULL)
		return;
	bool is_ours =
		ending->ended_by == HISTORY_END_TRUNKD || ending->ended_by == HISTORY_END_OPERATOR;
	answer_open_request(leg, ending);
	if (is_ours)
		carry_reason(leg, ending->status,
			     ending->reason ? ending->reason : sip_reason(ending->status));
	leg_give_up(leg);
}

void call_end(struct call *call, const struct ending *ending)
{
	if (call->state == CALL_ENDING)
		return;
	const char *phrase = ending->phrase ? ending->phrase : sip_reason(ending->status);
	bool was_answered = call->record != NULL && call->record->answer_ms != 0;
	call->state = CALL_ENDING;
	transfer_end(call, ending);
	audio_stop(call);
	attempt_clear(call);
	name_end(call);
	change_abandon(call, 487); // a change that is still being asked for ends with its call
	reliable_finish(call);
	wheel_stop(&call->ack_timer);
	wheel_stop(&call->duration_timer);
	limits_give(call->calls->limits, &call->limit); // the one place (LIMIT-009)
	record_end(call, ending->ended_by, was_answered ? 200 : ending->status,
		   ending->reason ? ending->reason : phrase);
	join_end(call, ending);
	end_leg(call->caller, ending);
	end_leg(call->called, ending);
	call->caller = call->called = NULL;
	if (call->media != NULL)
		media_close(call->media); // MEDIA_CLOSED reaps
	else
		call_reap_soon(call);
}

void call_reap_soon(struct call *call)
{
	wheel_start(call->calls->wheel, &call->reap_timer, call->calls->clock->now_ms);
}

// What the caller sent and can mend. Nothing about carriers (the other leg is no business of the
// caller's), and nothing that helps a stranger who has not proved who he is.
static bool may_know_why(enum refusal_cause cause)
{
	switch (cause) {
	case REFUSED_MAX_FORWARDS:
	case REFUSED_CALLED_NUMBER:
	case REFUSED_CALLER_ID:
	case REFUSED_CALLER_ID_FORM:
	case REFUSED_UNVERIFIED:
	case REFUSED_BLACKLISTED:
	case REFUSED_COUNTRY:
	case REFUSED_CONTACT:
	case REFUSED_EXTENSION:
	case REFUSED_ACCEPT:
	case REFUSED_BODY:
	case REFUSED_NO_OFFER:
	case REFUSED_SDP:
	case REFUSED_CODEC:
	case REFUSED_SRTP_OFFERED:
	case REFUSED_SRTP_MISSING:
	case REFUSED_SRTP_KEYS:
	case REFUSED_MEDIA:
	case REFUSED_CPS:
	case REFUSED_ACCOUNT_CPS:
	case REFUSED_TRUNK_CALLS:
	case REFUSED_ACCOUNT_CALLS:
		return true;
	default:
		return false;
	}
}

// What an authenticated caller may know: which part was wrong (RFC 3261 20.43, code 399).
static struct text warning(const struct refusal *refusal, char *room, size_t size)
{
	struct writer writer = writer_of(room, size);
	if (!may_know_why(refusal->cause) || refusal->expected[0] == '\0')
		return TEXT_NONE;
	writer_format(&writer, "Warning: 399 trunkd \"%s: expected %s\"\r\n", refusal->header,
		      refusal->expected);
	if (refusal->cause == REFUSED_EXTENSION && refusal->seen[0] != '\0') // RFC 3261 21.4.15
		writer_format(&writer, "Unsupported: %s\r\n", refusal->seen);
	if (refusal->cause == REFUSED_BODY) // RFC 3261 21.4.13
		writer_string(&writer, strcmp(refusal->header, "Content-Encoding") == 0
					       ? "Accept-Encoding: identity\r\n"
					       : "Accept: application/sdp\r\n");
	return writer_done(&writer);
}

void call_end_refused(struct call *call, const struct refusal *refusal)
{
	const struct refusal_row *row = refusal_row(refusal->cause);
	char room[512];
	if (call->state == CALL_ENDING)
		return;
	refusal_count(&call->calls->counters, refusal->cause);
	record_alert(call, refusal);
	if (call->record != NULL && call->record->attempts == 0) // nobody was asked yet
		replay_ring_settle(call->calls->ring, text_of(call->sid), refusal->cause);
	struct ending ending = { .ended_by = HISTORY_END_TRUNKD,
				 .status = row->status,
				 .phrase = row->phrase,
				 .headers = warning(refusal, room, sizeof room) };
	call_end(call, &ending);
}

void call_refuse(struct calls *calls, struct sip_server *server, const struct sip_message *invite,
		 const char *account_sid, const char *trunk_sid, const struct refusal *refusal)
{
	const struct refusal_row *row = refusal_row(refusal->cause);
	char room[512];
	bool is_stranger = record_is_before_authentication(refusal->cause);
	if (refusal->cause == REFUSED_TLS_VERSION) // D-4: nothing else it sends will do either
		call_dismiss_stranger(server, row->status, row->phrase);
	else if (is_stranger)
		call_refuse_stranger(server, row->status, row->phrase, TEXT_NONE);
	else
		call_reply(server, row->status, row->phrase, warning(refusal, room, sizeof room));
	if (is_stranger && record_is_repeat(calls, invite))
		return;
	refusal_count(&calls->counters, refusal->cause);
	record_refused(calls, invite, account_sid, trunk_sid, refusal);
}

void call_bye(struct leg *leg, struct sip_server *server, const struct sip_message *bye)
{
	(void)bye;
	struct call *call = leg->call;
	bool by_caller = leg->side == MEDIA_CALLER;
	record_ladder(call, leg->side, RECORD_IN, "BYE");
	record_ladder(call, leg->side, RECORD_OUT, "200");
	call_reply(server, 200, NULL, TEXT_NONE);
	if (transfer_survives(leg))
		return;
	leg->is_over = true;
	struct ending ending = { .ended_by = by_caller ? HISTORY_END_CALLER : HISTORY_END_CALLED,
				 .status = 487,
				 .reason = by_caller ? "caller hung up" : "called party hung up" };
	call_end(call, &ending);
}

void call_cancelled(struct leg *leg, const struct sip_message *cancel)
{
	(void)cancel;
	record_ladder(leg->call, leg->side, RECORD_IN, "CANCEL");
	if (leg->is_reinvite) {
		change_cancelled(leg);
		return;
	}
	struct ending ending = { .ended_by = HISTORY_END_CALLER,
				 .status = 487,
				 .reason = "caller cancelled" };
	call_end(leg->call, &ending);
}

void call_lost(struct leg *leg)
{
	if (transfer_survives(leg))
		return;
	struct ending ending = { .ended_by = HISTORY_END_TRUNKD,
				 .status = 481,
				 .reason = "a party no longer knows the call" };
	call_end(leg->call, &ending);
}
