// Who may place calls: the trunk's state, addresses, credentials. Runs on the control thread.

#include "call/admission/check.h"
#include "directory/directory.h"
#include "directory/index/expect.h"
#include "sip/guard/guard.h"

enum admission admission_judge_account(struct admission_case *admission_case)
{
	const struct account *account = admission_case->admitted.account;
	if (directory_account_is_active(admission_case->calls->directory, account))
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_SUSPENDED, "Request-URI",
				admission_case->invite->target.whole,
				"a trunk of an active account");
}

enum admission admission_judge_enabled(struct admission_case *admission_case)
{
	if (admission_case->admitted.trunk->is_enabled)
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_DISABLED, "Request-URI",
				admission_case->invite->target.whole, "an enabled trunk");
}

enum admission admission_judge_authentication(struct admission_case *admission_case)
{
	const struct trunk *trunk = admission_case->admitted.trunk;
	if (trunk->acl_count > 0 || trunk->credential_list_count > 0)
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_NO_AUTHENTICATION, "Request-URI",
				admission_case->invite->target.whole,
				"a trunk with an IP ACL or a credential list attached");
}

// AUTH-008: the source of the packet, whatever Via and Contact say.
enum admission admission_judge_source(struct admission_case *admission_case)
{
	const struct trunk *trunk = admission_case->admitted.trunk;
	const struct address *source = &admission_case->invite->flow.remote;
	char seen[ADDRESS_TEXT_SIZE];
	if (trunk->acl_count == 0 ||
	    directory_trunk_allows(admission_case->calls->directory, trunk, source))
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_SOURCE, "source address",
				text_of(address_string(source, seen)),
				"an address in an IP ACL of the trunk");
}

static enum sip_digest_result verify(const struct admission_case *admission_case,
				     const struct sip_digest_claim *claim)
{
	const struct calls *calls = admission_case->calls;
	const struct sip_message *invite = admission_case->invite;
	const struct credential *credential = directory_trunk_credential(
		calls->directory, admission_case->admitted.trunk, claim->user);
	const uint8_t *ha1 = credential == NULL ? NULL
			     : claim->is_sha256 ? credential->ha1_sha256
						: credential->ha1_md5;
	if (admission_case->takes_digest)
		return ha1 != NULL ? SIP_DIGEST_RIGHT : SIP_DIGEST_WRONG;
	if (!admission_case->is_dry)
		return sip_digest_verify(calls->digest, invite, claim, ha1);
	return sip_digest_is_right(calls->digest, invite, claim, ha1) ? SIP_DIGEST_RIGHT
								      : SIP_DIGEST_WRONG;
}

// What the source is known by from now on.
static void note(const struct admission_case *admission_case, enum sip_digest_result result)
{
	struct sip_guard *guard = admission_case->calls->guard;
	const struct sip_flow *flow = &admission_case->invite->flow;
	if (admission_case->is_dry)
		return;
	if (result == SIP_DIGEST_RIGHT)
		sip_guard_note_authenticated(guard, &flow->remote);
	else
		sip_guard_note(guard, flow, SIP_GUARD_OFFENCE_CREDENTIALS);
}

// The user is looked up when the nonce is one we gave this source: it is really there.
static enum sip_digest_result judge_digest(const struct admission_case *admission_case,
					   struct sip_digest_claim *out_claim)
{
	const struct calls *calls = admission_case->calls;
	const struct sip_message *invite = admission_case->invite;
	enum sip_digest_result result = sip_digest_read(calls->digest, invite, out_claim);
	if (result != SIP_DIGEST_RIGHT)
		return result;
	directory_expect_user(calls->directory, admission_case->admitted.trunk, out_claim->user);
	result = sip_digest_judge_nonce(calls->digest, invite, out_claim);
	if (result != SIP_DIGEST_RIGHT && !admission_case->is_dry)
		return result;
	result = verify(admission_case, out_claim);
	note(admission_case, result);
	return result;
}

// AUTH-005, -006: no digest is challenged, a wrong one is refused and never challenged again.
enum admission admission_judge_credentials(struct admission_case *admission_case)
{
	struct sip_digest_claim claim = { 0 };
	if (admission_case->admitted.trunk->credential_list_count == 0)
		return ADMITTED; // AUTH-010
	switch (judge_digest(admission_case, &claim)) {
	case SIP_DIGEST_ABSENT:
		return ADMISSION_CHALLENGE;
	case SIP_DIGEST_STALE:
		return ADMISSION_CHALLENGE_STALE;
	case SIP_DIGEST_WRONG:
		return admission_refuse(
			admission_case, REFUSED_CREDENTIALS, "Proxy-Authorization", claim.user,
			"a user of the trunk's credential lists, with its password");
	case SIP_DIGEST_RIGHT:
		break;
	}
	return ADMITTED;
}
