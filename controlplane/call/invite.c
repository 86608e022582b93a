// A new call up to the INVITE a target gets. Runs on the control thread; never waits.

#include "call/invite.h"

#include "base/log.h"
#include "call/admission/admission.h"
#include "call/origination/inbound.h"
#include "call/target/edge.h"
#include "call/target/attempt.h"
#include "call/target/target.h"
#include "call/end.h"
#include "call/header/carry.h"
#include "call/leg.h"
#include "call/limit/limits.h"
#include "call/limit/rules.h"
#include "call/method.h"
#include "call/origination/name.h"
#include "call/record.h"
#include "call/session/body.h"
#include "call/session/change.h"
#include "call/session/digits.h"
#include "call/table.h"
#include "call/transfer/takeover.h"
#include "config/config.h"
#include "dataplane/suite.h"
#include "directory/directory.h"

#define MAX_FORWARDS_LOW 20 // the least a PBX should send (D-36)

static void challenge(struct calls *calls, struct sip_server *server,
		      const struct sip_message *invite, bool is_stale)
{
	char room[1024];
	struct writer lines = writer_of(room, sizeof room);
	sip_digest_challenge(calls->digest, &invite->flow.remote, is_stale, &lines);
	counter_add(&calls->counters.challenges, 1);
	call_refuse_stranger(server, 407, NULL, writer_done(&lines));
}

// The caller's media: a customer's by its trunk, a carrier's by what is known of it.
static enum status secure(struct call *call, const struct carrier *carrier)
{
	struct target target = { .security = call->security, .suites = call->suites };
	if (carrier != NULL)
		target_of_carrier(carrier, &target);
	return media_set_security(call->media, MEDIA_CALLER, target.security, target.suites);
}

static enum refusal_cause describe(struct call *call, const struct sip_message *invite,
				   const struct carrier *carrier, struct refusal *refusal)
{
	struct media_problem problem = { 0 };
	const struct body_fault *fault = body_judge(invite);
	if (fault != NULL)
		return refusal_set(refusal, REFUSED_BODY, fault->header,
				   sip_message_header(invite, fault->header, 0), fault->expected);
	enum status status = media_open(call->calls->media, call->sid, call, &call->media);
	if (status != OK) {
		call->media = NULL;
		return refusal_set(refusal, refusal_of_media(status, MEDIA_OBJECTION_NONE), "media",
				   text_of(status_text(status)),
				   "a free pair of media ports for each leg");
	}
	media_set_symmetric(call->media, call_customer_side(call), call->has_symmetric_rtp);
	digits_note_leg(call->caller);
	status = secure(call, carrier);
	if (status == OK)
		status = edge_set_caller_media(call);
	if (status == OK &&
	    !call->is_late) // the carrier gets an offer of ours, the caller one later
		status = media_receive_offer(call->media, MEDIA_CALLER, invite->body, &problem);
	if (status == OK)
		return REFUSED_NOT;
	return refusal_set(refusal, refusal_of_media(status, problem.objection),
			   problem.header ? problem.header : "SDP", text_of(problem.seen),
			   problem.expected ? problem.expected : "");
}

static void go_on(struct call *call)
{
	const struct history_call *record = call->record;
	unsigned hops = call->max_forwards + 1;
	struct log_value value;
	if (call->caller == NULL) { // the target of a transfer
		attempt_start(call);
		return;
	}
	if (hops < MAX_FORWARDS_LOW)
		log_event(LOG_WARNING, "max_forwards_low", "call", call->sid, "value",
			  log_number(&value, hops), "source", record->source, NULL);
	log_event(LOG_INFO, "call_started", "call", call->sid, "direction",
		  call_direction_text(call->direction), "trunk", call->trunk_name, "from",
		  record->from, "to", record->to, "source", record->source, "transport",
		  sip_protocol_name(sip_dialog_flow(call->caller->dialog)->protocol), "call_id",
		  record->call_id_in, NULL);
	name_start(call);
}

void call_limits_decided(void *owner, enum limit_cause cause, const struct limit_rules *rules)
{
	struct call *call = owner;
	struct refusal refusal = { 0 };
	if (rules_explain(rules, cause, &refusal) != REFUSED_NOT)
		call_end_refused(call, &refusal);
	else
		go_on(call);
}

// LIMIT-005: after everything that can be wrong, one token for the call, and its slot.
static void start(struct call *call, const struct sip_message *invite,
		  const struct admitted *admitted)
{
	struct refusal refusal = { 0 };
	struct limit_rules rules;
	(void)sip_server_reply(call->caller->server, &(struct sip_answer){ .status = 100 });
	if (describe(call, invite, admitted->carrier, &refusal) != REFUSED_NOT) {
		call_end_refused(call, &refusal);
		return;
	}
	rules_of_termination(call->calls->config, admitted->trunk, admitted->account, &rules);
	if (call->direction == CALL_TO_PBX)
		rules.trunk_rate = rules.account_rate = 0; // LIMIT-004
	enum limit_cause cause = limits_take(call->calls->limits, &call->limit, &rules);
	if (cause != LIMIT_ASKED)
		call_limits_decided(call, cause, &rules);
}

// Why no call could be made of an admitted INVITE.
static void explain(struct refusal *refusal, enum refusal_cause cause,
		    const struct sip_message *invite)
{
	switch (cause) {
	case REFUSED_CONTACT:
		(void)admission_refuse_dialog(invite, refusal);
		break;
	case REFUSED_HISTORY:
		(void)refusal_set(refusal, cause, "records", TEXT("spool full"),
				  "room for the record of one more call");
		break;
	default:
		(void)refusal_set(refusal, cause, "calls", TEXT("as many as allowed"),
				  "room for one more call");
		break;
	}
}

void call_begin(struct calls *calls, struct sip_server *server, const struct sip_message *invite,
		const struct admitted *admitted)
{
	struct refusal refusal;
	enum refusal_cause cause = REFUSED_NOT;
	struct call *call = call_create(calls, server, invite, admitted, &cause);
	if (call != NULL) {
		record_decided(calls, invite, call->sid, REFUSED_NOT);
		start(call, invite, admitted);
		return;
	}
	explain(&refusal, cause, invite);
	call_refuse(calls, server, invite, admitted->account->sid, admitted->trunk->sid, &refusal);
}

void call_invite(struct calls *calls, struct sip_server *server, const struct sip_message *invite)
{
	struct admitted admitted;
	struct refusal refusal;
	bool is_takeover = takeover_is_asked(calls, invite);
	if (!is_takeover && call_admit_trunk(calls, invite) == NULL) {
		inbound_invite(calls, server, invite);
		return;
	}
	enum admission admission = is_takeover ? takeover_admit(calls, invite, &admitted, &refusal)
					       : call_admit(calls, invite, &admitted, &refusal);
	const char *trunk_sid = admitted.trunk != NULL ? admitted.trunk->sid : "";
	const char *account_sid = admitted.trunk != NULL ? admitted.trunk->account_sid : "";
	switch (admission) {
	case ADMISSION_CHALLENGE:
	case ADMISSION_CHALLENGE_STALE:
		challenge(calls, server, invite, admission == ADMISSION_CHALLENGE_STALE);
		return;
	case ADMISSION_REFUSED:
		call_refuse(calls, server, invite, account_sid, trunk_sid, &refusal);
		return;
	case ADMITTED:
		break;
	}
	if (is_takeover)
		takeover_begin(calls, server, invite, &admitted);
	else
		call_begin(calls, server, invite, &admitted);
}
