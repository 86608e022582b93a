// Replaces in an INVITE. Runs on the control thread; never waits.

#include "call/transfer/takeover.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "call/admission/check.h"
#include "call/end.h"
#include "call/leg.h"
#include "call/method.h"
#include "call/record.h"
#include "call/session/answer.h"
#include "call/session/ask.h"
#include "call/session/digits.h"
#include "call/table.h"
#include "call/transfer/join.h"
#include "call/transfer/pickup.h"
#include "call/transfer/replaces.h"
#include "directory/directory.h"
#include "media/join/join.h"

#define EXPECTED "one Replaces with a dialog of this account's that is up, or rings there"

// The customer's leg that it names; NULL: none of ours.
static struct leg *find(const struct calls *calls, const struct sip_message *invite)
{
	struct replaces replaces;
	struct text value = sip_message_header(invite, "Replaces", 0);
	if (value.data == NULL || !replaces_parse(value, &replaces))
		return NULL;
	struct leg *leg = replaces_find(calls, &replaces);
	bool is_customers = leg != NULL && leg->is_customer && leg->call->record != NULL;
	return is_customers ? leg : NULL;
}

bool takeover_is_asked(const struct calls *calls, const struct sip_message *invite)
{
	if (invite->method != SIP_INVITE || invite->to.tag.size > 0 ||
	    sip_message_header(invite, "Replaces", 0).data == NULL)
		return false;
	const struct trunk *trunk = call_admit_trunk(calls, invite);
	return find(calls, invite) != NULL ||
	       (trunk != NULL &&
		(trunk->has_transfer || sip_message_has_option(invite, "Require", "replaces")));
}

// ---- who may

static enum admission judge_trunk(struct admission_case *admission_case)
{
	const struct calls *calls = admission_case->calls;
	struct admitted *admitted = &admission_case->admitted;
	const struct leg *leg = find(calls, admission_case->invite);
	admitted->trunk = leg != NULL
				  ? directory_trunk(calls->directory, leg->call->record->trunk_sid)
				  : call_admit_trunk(calls, admission_case->invite);
	if (admitted->trunk == NULL)
		return admission_refuse(admission_case, REFUSED_REPLACES, "Replaces",
					sip_message_header(admission_case->invite, "Replaces", 0),
					"a trunk that is still there");
	admitted->account = directory_account(calls->directory, admitted->trunk->account_sid);
	return ADMITTED;
}

static enum admission judge_setting(struct admission_case *admission_case)
{
	if (admission_case->admitted.trunk->has_transfer)
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_TRANSFER, "Replaces",
				sip_message_header(admission_case->invite, "Replaces", 0),
				"the trunk's setting transfer, which is off");
}

static enum admission judge_dialog(struct admission_case *admission_case)
{
	const struct sip_message *invite = admission_case->invite;
	const struct leg *leg = find(admission_case->calls, invite);
	struct text value = sip_message_header(invite, "Replaces", 0);
	struct replaces replaces;
	if (sip_message_header(invite, "Replaces", 1).data != NULL)
		return admission_refuse(admission_case, REFUSED_REPLACES_MANY, "Replaces", value,
					"one Replaces");
	// An early dialog that we did not begin is nobody's to replace (RFC 3891 3).
	bool is_there = leg != NULL && leg->call->state <= CALL_UP &&
			(leg->is_answered || leg->side == MEDIA_CALLED);
	if (!is_there)
		return admission_refuse(admission_case, REFUSED_REPLACES, "Replaces", value,
					EXPECTED);
	if (replaces_parse(value, &replaces) && replaces.is_early_only && leg->is_answered)
		return admission_refuse(admission_case, REFUSED_REPLACES_EARLY, "Replaces", value,
					"no early-only: the call is answered");
	return ADMITTED;
}

// clang-format off
static const struct admission_check checks[] = {
	{ "trunk", "RFC 3891 3", "It is about a trunk.", judge_trunk },
	{ "tls_version", "TLS-003 TLS-004 D-4", "The version of TLS is one the account may use.",
	  admission_judge_tls_version },
	{ "transport", "SRTP-007 D-31", "A secure trunk is reached by TLS.", admission_judge_transport },
	{ "account", "OTHER-001", "The account is active, and the one above it.", admission_judge_account },
	{ "enabled", "TRUNK-001", "The trunk is enabled.", admission_judge_enabled },
	{ "authentication", "TRUNK-012 AUTH-001", "The trunk has an IP ACL or a credential list.",
	  admission_judge_authentication },
	{ "source_address", "AUTH-003 AUTH-004", "The packet's source is in an IP ACL of the trunk, if it has any.",
	  admission_judge_source },
	{ "credentials", "AUTH-002 AUTH-005", "The digest is right, if the trunk has a credential list.",
	  admission_judge_credentials },
	{ "max_forwards", "SIP-022 D-36", "The call may take another hop.", admission_judge_hops },
	{ "extensions", "RFC 3261 8.2.2.3", "No SIP extension is required that trunkd does not have.",
	  admission_judge_extensions },
	{ "accept", "RFC 3261 20.1", "The caller takes an answer in SDP.", admission_judge_accept },
	{ "transfer", "TRUNK-015 XFER-003", "The trunk has transfer switched on.", judge_setting },
	{ "dialog", "RFC 3891 3", "Replaces names the customer's leg of a call that is up, or rings there.", judge_dialog },
};
// clang-format on

const struct admission_check *takeover_check(unsigned nth)
{
	return nth < sizeof checks / sizeof checks[0] ? &checks[nth] : NULL;
}

enum admission takeover_admit(struct calls *calls, const struct sip_message *invite,
			      struct admitted *out_admitted, struct refusal *out_refusal)
{
	struct admission_case one;
	const struct admission_check *check;
	enum admission admission = ADMITTED;
	admission_begin(&one, calls, invite, false);
	for (unsigned nth = 0; admission == ADMITTED && (check = takeover_check(nth)) != NULL;
	     nth++)
		admission = check->judge(&one);
	*out_admitted = one.admitted;
	*out_refusal = one.refusal;
	return admission;
}

// ---- doing it

// Its media are what the leg that goes had to have; what it offers holds.
static enum refusal_cause describe(const struct call *call, struct call *target,
				   const struct sip_message *invite, struct refusal *refusal)
{
	struct media_problem problem = { 0 };
	enum status status = media_open_beside(call->media, target->sid, target, &target->media);
	if (status != OK)
		target->media = NULL;
	if (status == OK)
		status = media_set_security(target->media, MEDIA_CALLER, call->security,
					    call->suites);
	if (status == OK) {
		media_set_symmetric(target->media, MEDIA_CALLER, call->has_symmetric_rtp);
		digits_note_leg(target->caller);
		status = media_receive_offer(target->media, MEDIA_CALLER, invite->body, &problem);
	}
	if (status != OK)
		return refusal_set(refusal, refusal_of_media(status, problem.objection),
				   problem.header ? problem.header : "SDP", text_of(problem.seen),
				   problem.expected ? problem.expected : "an offer in SDP");
	media_accept_offer(target->media);
	return REFUSED_NOT;
}

static void note_invite(struct history_call *record, const struct leg *leaving,
			const struct sip_message *invite)
{
	char room[ADDRESS_TEXT_SIZE];
	text_copy_cut(invite->from.uri.user, record->from, sizeof record->from);
	text_copy_cut(text_of(join_number(leaving->call, leg_other(leaving)->side)), record->to,
		      sizeof record->to);
	text_copy_cut(invite->call_id, record->call_id_in, sizeof record->call_id_in);
	text_copy_cut(text_of(address_string(&invite->flow.remote, room)), record->source,
		      sizeof record->source);
}

static void note_answer(struct call *target)
{
	struct calls *calls = target->calls;
	target->record->answer_ms = calls->clock->wall_ms;
	target->record->sip_status = 200;
	target->state = CALL_UP;
	counter_add(&calls->counters.answered[target->direction], 1);
	counter_add(&calls->counters.transfers, 1);
}

static void answer(struct leg *leg)
{
	struct call *call = leg->call;
	char body[CALL_SDP_SIZE];
	struct writer sdp = writer_of(body, sizeof body);
	leg->is_answered = true;
	media_write_early(call->media, leg->side, &sdp); // who stays may have been on hold
	leg->is_stale = leg->is_stale && media_has_news(call->media, leg->side);
	ask_connect(call);
	call_send_200(leg, writer_done(&sdp));
	secret_wipe(body, sizeof body);
}

static void fail(struct call *target, unsigned status)
{
	struct ending ending = { .ended_by = HISTORY_END_TRUNKD, .status = status };
	call_end(target, &ending);
}

static void take(struct leg *leaving, struct call *target, const struct sip_message *invite)
{
	struct call *call = leaving->call;
	struct refusal refusal = { 0 };
	struct leg *coming = target->caller;
	record_ladder(target, MEDIA_CALLER, RECORD_IN, "INVITE");
	if (describe(call, target, invite, &refusal) != REFUSED_NOT) {
		call_end_refused(target, &refusal);
		return;
	}
	note_answer(target);
	if (join_calls(call, leaving, coming))
		answer(coming);
	else
		fail(target, 500);
}

void takeover_begin(struct calls *calls, struct sip_server *server,
		    const struct sip_message *invite, const struct admitted *admitted)
{
	struct leg *leaving = find(calls, invite);
	struct refusal refusal = { 0 };
	enum refusal_cause cause = REFUSED_NOT;
	bool is_free = join_is_possible(leaving->call) && leaving->call->transfer == NULL &&
		       leaving->call->serves == NULL && leaving->subscription == NULL;
	if (pickup_is_possible(leaving)) {
		pickup_by_invite(leaving, server, invite, admitted);
		return;
	}
	if (!is_free) { // something is being agreed on: it may ask again
		call_reply(server, 491, NULL, TEXT_NONE);
		return;
	}
	struct call *target = call_create_target(leaving->call, CALL_TO_PBX, &cause);
	if (target != NULL)
		note_invite(target->record, leaving, invite);
	if (target != NULL && call_open_caller(target, server, invite)) {
		target->caller->is_customer = true;
		(void)sip_server_reply(server, &(struct sip_answer){ .status = 100 });
		take(leaving, target, invite);
		return;
	}
	if (target != NULL)
		cause = REFUSED_CONTACT;
	(void)refusal_set(&refusal, cause, "Contact", invite->contact.uri.whole,
			  "one Contact with a SIP URI, and room for one more call");
	if (target != NULL) {
		call_reply(server, refusal_row(cause)->status, NULL, TEXT_NONE);
		call_end_refused(target, &refusal);
		return;
	}
	call_refuse(calls, server, invite, admitted->trunk->account_sid, admitted->trunk->sid,
		    &refusal);
}
