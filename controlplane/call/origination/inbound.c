// Calls from the PSTN up to the first INVITE a PBX gets. Runs on the control thread; reads memory only.

#include "call/origination/inbound.h"

#include <string.h>

#include "call/admission/check.h"
#include "call/carrier/place.h"
#include "call/handshake/handshake.h"
#include "call/invite.h"
#include "call/limit/limits.h"
#include "call/method.h"
#include "call/record.h"
#include "directory/directory.h"
#include "sip/guard/guard.h"

// A carrier's address can be forged by UDP: what such calls leave behind is bounded.
#define ALERTS_PER_S 20

// No host of ours and no carrier: nothing else comes this far (TERM-005).
static enum admission judge_carrier(struct admission_case *admission_case)
{
	const struct sip_message *invite = admission_case->invite;
	struct admitted *admitted = &admission_case->admitted;
	admitted->carrier = place_find_carrier(admission_case->calls, &invite->flow);
	if (admitted->carrier != NULL)
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_INTERNAL, "Request-URI",
				invite->target.whole, "a termination host");
}

static enum admission judge_tls_version(struct admission_case *admission_case)
{
	const struct account account = {
		.allows_deprecated_tls = admission_case->admitted.carrier->allows_deprecated_tls
	};
	return call_handshake_is_fit(&admission_case->invite->flow, &account,
				     &admission_case->refusal)
		       ? ADMITTED
		       : ADMISSION_REFUSED;
}

static enum admission judge_number(struct admission_case *admission_case)
{
	const struct sip_uri *target = &admission_case->invite->target;
	const struct directory *directory = admission_case->calls->directory;
	struct admitted *admitted = &admission_case->admitted;
	bool has_plus = admitted->carrier->has_plus;
	if (!call_read_number(target->user, has_plus, admitted->called))
		return admission_refuse(admission_case, REFUSED_UNKNOWN_NUMBER, "Request-URI",
					target->whole,
					has_plus ? "E.164 with +, or the carrier's "
						   "number_format set to digits"
						 : "E.164, with or without +");
	const struct number *number = directory_number(directory, text_of(admitted->called));
	if (number == NULL)
		return admission_refuse(admission_case, REFUSED_UNKNOWN_NUMBER, "Request-URI",
					target->whole, "a number of an account");
	admitted->account = directory_account(directory, number->account_sid);
	admitted->trunk = directory_trunk(directory, number->trunk_sid);
	return ADMITTED;
}

static enum admission judge_trunk(struct admission_case *admission_case)
{
	const struct admitted *admitted = &admission_case->admitted;
	if (admitted->trunk == NULL)
		return admission_refuse(admission_case, REFUSED_NO_TRUNK, "Request-URI",
					text_of(admitted->called), "a number that is on a trunk");
	if (admitted->trunk->is_enabled &&
	    directory_account_is_active(admission_case->calls->directory, admitted->account))
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_CLOSED, "Request-URI",
				text_of(admitted->called),
				"a number on an enabled trunk of an active account");
}

// clang-format off
static const struct admission_check checks[] = {
	{ "carrier", "ORIG-001 TERM-005", "It comes from an address of a carrier, or with its certificate.", judge_carrier },
	{ "tls_version", "TLS-005", "The version of TLS is one the carrier may use.", judge_tls_version },
	{ "called_number", "ORIG-001", "The called number is one of an account, as the carrier writes numbers.",
	  judge_number },
	{ "trunk", "ORIG-001 NUM-009", "It is on an enabled trunk of an enabled account.", judge_trunk },
	{ "max_forwards", "SIP-022 D-36", "The call may take another hop.", admission_judge_hops },
	{ "extensions", "RFC 3261 8.2.2.3", "No SIP extension is required that trunkd does not have.",
	  admission_judge_extensions },
	{ "accept", "RFC 3261 20.1", "The caller takes an answer in SDP.", admission_judge_accept },
};
// clang-format on

const struct admission_check *inbound_check(unsigned nth)
{
	return nth < sizeof(checks) / sizeof(checks[0]) ? &checks[nth] : NULL;
}

// Such a call never was: it has no record (ORIG-033, D-26), and an alert tells.
static void refuse(struct calls *calls, struct sip_server *server,
		   const struct admission_case *admission_case)
{
	const struct admitted *admitted = &admission_case->admitted;
	const struct refusal *refusal = &admission_case->refusal;
	const struct refusal_row *row = refusal_row(refusal->cause);
	struct history_alert alert = { 0 };
	char source[ADDRESS_TEXT_SIZE];
	call_reply(server, row->status, row->phrase, TEXT_NONE);
	if (!limits_pass(calls->limits, "carriers", ALERTS_PER_S)) {
		refusal_count(&calls->counters, refusal->cause);
		return;
	}
	record_decided(calls, admission_case->invite, "", refusal->cause);
	if (admitted->account != NULL)
		text_copy_cut(text_of(admitted->account->sid), alert.account_sid,
			      sizeof alert.account_sid);
	if (admitted->trunk != NULL)
		text_copy_cut(text_of(admitted->trunk->sid), alert.trunk_sid,
			      sizeof alert.trunk_sid);
	text_copy_cut(text_of(address_string(&admission_case->invite->flow.remote, source)),
		      alert.source, sizeof alert.source);
	record_alert_of(calls, &alert, refusal);
}

static bool is_shown(struct text user)
{
	for (size_t i = 0; i < user.size; i++) {
		char octet = user.data[i];
		bool is_plain = (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') ||
				(octet >= 'A' && octet <= 'Z') || strchr("+-._", octet) != NULL;
		if (octet == '\0' || !is_plain)
			return false;
	}
	return user.size > 0 && user.size <= 32;
}

// As the carrier gave it: in E.164 where it is a number. Who hides in From is told in P-Asserted-Identity
// to us alone (RFC 3325).
void inbound_read_caller(const struct sip_message *invite, struct admitted *admitted)
{
	bool has_plus = admitted->carrier->has_plus;
	struct sip_party party;
	struct text asserted = sip_message_header(invite, "P-Asserted-Identity", 0);
	struct text user = invite->from.uri.user;
	if (call_read_number(user, has_plus, admitted->caller_id))
		return;
	if (asserted.data != NULL && sip_party_parse(asserted, &party) &&
	    call_read_number(party.uri.user, has_plus, admitted->caller_id))
		return;
	(void)text_copy(is_shown(user) ? user : TEXT("anonymous"), admitted->caller_id,
			sizeof admitted->caller_id);
}

void inbound_invite(struct calls *calls, struct sip_server *server,
		    const struct sip_message *invite)
{
	struct admission_case admission_case;
	const struct admission_check *check;
	enum admission admission = ADMITTED;
	admission_begin(&admission_case, calls, invite, false);
	for (unsigned nth = 0; admission == ADMITTED && (check = inbound_check(nth)) != NULL; nth++)
		admission = check->judge(&admission_case);
	if (admission != ADMITTED) {
		refuse(calls, server, &admission_case);
		return;
	}
	// One of its further addresses is a known peer from now on.
	sip_guard_note_authenticated(calls->guard, &invite->flow.remote);
	inbound_read_caller(invite, &admission_case.admitted);
	sip_server_set_peer(server, admission_case.admitted.carrier->sid);
	call_begin(calls, server, invite, &admission_case.admitted);
}
