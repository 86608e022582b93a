// Admission of a termination INVITE. Runs on the control thread; reads memory only.

#include "call/admit.h"

#include <string.h>

#include "call/header/option.h"
#include "call/handshake/handshake.h"
#include "directory/directory.h"
#include "sip/guard/guard.h"

#define E164_DIGITS_MAX 15

const struct trunk *call_admit_trunk(const struct calls *calls, const struct sip_message *request)
{
	return directory_trunk_by_host(calls->directory, request->target.host);
}

bool call_is_e164(struct text text)
{
	if (text.size < 3 || text.size > 1 + E164_DIGITS_MAX || text.data[0] != '+')
		return false;
	if (text.data[1] < '1' || text.data[1] > '9')
		return false;
	for (size_t i = 2; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	}
	return true;
}

// RFC 3261 19.1.4: "%2B" is "+". Nothing else may be escaped in a number, so all else fails.
static bool number_of(struct text user, char room[static 17])
{
	char unescaped[20] = "+";
	struct text rest = user;
	if (rest.size >= 3 && text_is_same((struct text){ rest.data, 3 }, TEXT("%2B")))
		rest = text_cut(rest, 3);
	else if (rest.size > 0 && rest.data[0] == '+')
		rest = text_cut(rest, 1);
	else
		return false;
	if (!text_copy(rest, unescaped + 1, sizeof unescaped - 1))
		return false;
	return call_is_e164(text_of(unescaped)) && text_copy(text_of(unescaped), room, 17);
}

static enum admission refuse(struct refusal *refusal, enum refusal_cause cause, const char *header,
			     struct text seen, const char *expected)
{
	(void)refusal_set(refusal, cause, header, seen, expected);
	return ADMISSION_REFUSED;
}

// SRTP-007, D-31: a secure trunk is reached by TLS, and by a TLS that its account allows (D-4).
static enum admission check_transport(const struct sip_message *invite,
				      const struct admitted *admitted, struct refusal *refusal)
{
	if (!call_handshake_is_fit(&invite->flow, admitted->account, refusal))
		return ADMISSION_REFUSED;
	if (!admitted->trunk->is_secure || invite->flow.protocol == SIP_TLS)
		return ADMITTED;
	return refuse(refusal, REFUSED_INSECURE, "transport",
		      text_of(sip_protocol_via(invite->flow.protocol)),
		      "TLS, which the trunk's setting secure demands");
}

// TRUNK-012, AUTH-003, -004: the ACL first, so that a wrong address never sees a challenge.
static enum admission check_source(struct calls *calls, const struct sip_message *invite,
				   const struct admitted *admitted, struct refusal *refusal)
{
	const struct trunk *trunk = admitted->trunk;
	char source[ADDRESS_TEXT_SIZE];
	if (admitted->account == NULL || !admitted->account->is_enabled || !trunk->is_enabled)
		return refuse(refusal, REFUSED_DISABLED, "Request-URI", invite->target.whole,
			      "an enabled trunk of an enabled account");
	if (trunk->acl_count == 0 && trunk->credential_list_count == 0)
		return refuse(refusal, REFUSED_NO_AUTHENTICATION, "Request-URI",
			      invite->target.whole,
			      "a trunk with an IP ACL or a credential list attached");
	if (trunk->acl_count > 0 &&
	    !directory_trunk_allows(calls->directory, trunk, &invite->flow.remote))
		return refuse(refusal, REFUSED_SOURCE, "source address",
			      text_of(address_string(&invite->flow.remote, source)),
			      "an address in an IP ACL of the trunk");
	return ADMITTED;
}

static enum sip_digest_result verify(struct calls *calls, const struct sip_message *invite,
				     const struct trunk *trunk,
				     const struct sip_digest_claim *claim)
{
	const struct credential *credential =
		directory_trunk_credential(calls->directory, trunk, claim->user);
	if (credential == NULL)
		return sip_digest_verify(calls->digest, invite, claim, NULL);
	struct sip_digest_secret secret;
	memcpy(secret.md5, credential->ha1_md5, sizeof secret.md5);
	memcpy(secret.sha256, credential->ha1_sha256, sizeof secret.sha256);
	return sip_digest_verify(calls->digest, invite, claim, &secret);
}

static void note_source(const struct calls *calls, const struct sip_message *invite,
			enum sip_digest_result result)
{
	if (result == SIP_DIGEST_RIGHT)
		sip_guard_note_authenticated(calls->guard, &invite->flow.remote);
	else
		sip_guard_note(calls->guard, &invite->flow, SIP_GUARD_OFFENCE_CREDENTIALS);
}

// AUTH-005, -006: no digest is challenged, a wrong one is refused and never challenged again.
static enum admission check_digest(struct calls *calls, const struct sip_message *invite,
				   const struct trunk *trunk, struct refusal *refusal)
{
	struct sip_digest_claim claim = { 0 };
	if (trunk->credential_list_count == 0)
		return ADMITTED; // AUTH-010
	enum sip_digest_result result = sip_digest_read(calls->digest, invite, &claim);
	if (result ==
	    SIP_DIGEST_RIGHT) { // the nonce is one we gave this source: it is really there
		result = verify(calls, invite, trunk, &claim);
		note_source(calls, invite, result);
	}
	switch (result) {
	case SIP_DIGEST_ABSENT:
		return ADMISSION_CHALLENGE;
	case SIP_DIGEST_STALE:
		return ADMISSION_CHALLENGE_STALE;
	case SIP_DIGEST_WRONG:
		return refuse(refusal, REFUSED_CREDENTIALS, "Proxy-Authorization", claim.user,
			      "a user of the trunk's credential lists, with its password");
	case SIP_DIGEST_RIGHT:
		break;
	}
	return ADMITTED;
}

static bool is_owned(const struct calls *calls, const struct account *account, const char *e164)
{
	const struct number *number = directory_number(calls->directory, text_of(e164));
	return number != NULL && strcmp(number->account_sid, account->sid) == 0;
}

static bool is_number_like(struct text user)
{
	if (user.size == 0)
		return false;
	char first = user.data[0];
	return first == '+' || first == '%' || (first >= '0' && first <= '9');
}

// The caller ID a header carries; REFUSED_NOT when it is right, or when it carries none.
static enum refusal_cause check_identity(struct calls *calls, const struct account *account,
					 const char *header, const struct sip_uri *uri,
					 char caller_id[static 17], struct refusal *refusal)
{
	char number[17];
	if (!is_number_like(uri->user))
		return REFUSED_NOT;
	if (!number_of(uri->user, number))
		return refusal_set(refusal, REFUSED_CALLER_ID_FORM, header, uri->whole,
				   "E.164 with +, such as +15005551212");
	if (!is_owned(calls, account, number))
		return refusal_set(refusal, REFUSED_CALLER_ID, header, uri->whole,
				   "a number of the trunk's account");
	if (caller_id[0] == '\0')
		(void)text_copy(text_of(number), caller_id, 17);
	return REFUSED_NOT;
}

// TERM-019 to -023, D-10: From first; Remote-Party-ID must be right whenever it is there; where From
// carries no number Remote-Party-ID, then P-Asserted-Identity gives it.
static enum admission check_caller_id(struct calls *calls, const struct sip_message *invite,
				      struct admitted *admitted, struct refusal *refusal)
{
	static const char *const headers[] = { "Remote-Party-ID", "P-Asserted-Identity" };
	char *caller_id = admitted->caller_id;
	caller_id[0] = '\0';
	if (check_identity(calls, admitted->account, "From", &invite->from.uri, caller_id,
			   refusal) != REFUSED_NOT)
		return ADMISSION_REFUSED;
	for (unsigned i = 0; i < 2; i++) {
		struct text value = sip_message_header(invite, headers[i], 0);
		struct sip_party party;
		if (value.data == NULL || (i == 1 && caller_id[0] != '\0'))
			continue;
		if (!sip_party_parse(value, &party))
			return refuse(refusal, REFUSED_CALLER_ID_FORM, headers[i], value,
				      "a SIP URI with a number");
		if (check_identity(calls, admitted->account, headers[i], &party.uri, caller_id,
				   refusal) != REFUSED_NOT)
			return ADMISSION_REFUSED;
	}
	if (caller_id[0] == '\0')
		return refuse(refusal, REFUSED_CALLER_ID_FORM, "From", invite->from.uri.whole,
			      "a number of the trunk's account in From, Remote-Party-ID or "
			      "P-Asserted-Identity");
	return ADMITTED;
}

static bool is_range_of_sdp(struct text range)
{
	struct text kind = text_trim(text_split(&range, ';'));
	return text_is_same(kind, TEXT("application/sdp")) ||
	       text_is_same(kind, TEXT("application/*")) || text_is_equal(kind, TEXT("*/*"));
}

// RFC 3261 20.1: without an Accept it is application/sdp, with an empty one nothing at all.
static bool accepts_sdp(const struct sip_message *invite)
{
	struct text value = sip_message_header(invite, "Accept", 0);
	bool is_accepted = value.data == NULL;
	for (unsigned nth = 0; (value = sip_message_header(invite, "Accept", nth)).data != NULL;
	     nth++)
		while (value.size > 0)
			is_accepted |= is_range_of_sdp(text_split(&value, ','));
	return is_accepted;
}

enum admission call_admit(struct calls *calls, const struct sip_message *invite,
			  struct admitted *out_admitted, struct refusal *out_refusal)
{
	struct admitted *admitted = out_admitted;
	memset(admitted, 0, sizeof *admitted);
	memset(out_refusal, 0, sizeof *out_refusal);
	admitted->trunk = call_admit_trunk(calls, invite);
	if (admitted->trunk == NULL)
		return refuse(out_refusal, REFUSED_INTERNAL, "Request-URI", invite->target.whole,
			      "a termination host");
	admitted->account = directory_account(calls->directory, admitted->trunk->account_sid);
	enum admission admission = check_transport(invite, admitted, out_refusal);
	if (admission == ADMITTED)
		admission = check_source(calls, invite, admitted, out_refusal);
	if (admission == ADMITTED)
		admission = check_digest(calls, invite, admitted->trunk, out_refusal);
	if (admission != ADMITTED)
		return admission;
	if (invite->max_forwards == 0)
		return refuse(out_refusal, REFUSED_MAX_FORWARDS, "Max-Forwards", TEXT("0"),
			      "20 or more");
	char room[128];
	struct writer writer = writer_of(room, sizeof room);
	if (option_write_missing(invite, &writer))
		return refuse(out_refusal, REFUSED_EXTENSION, "Require", writer_done(&writer),
			      "no extension but 100rel");
	if (!accepts_sdp(invite))
		return refuse(out_refusal, REFUSED_ACCEPT, "Accept",
			      sip_message_header(invite, "Accept", 0), "application/sdp");
	if (!number_of(invite->target.user, admitted->called))
		return refuse(out_refusal, REFUSED_CALLED_NUMBER, "Request-URI",
			      invite->target.whole, "E.164 with +, such as +15005551212");
	return check_caller_id(calls, invite, admitted, out_refusal);
}
