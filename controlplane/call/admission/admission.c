// The order in which an INVITE is judged. Runs on the control thread; reads memory only.

#include "call/admission/admission.h"

#include "call/admission/check.h"
#include "directory/directory.h"
#include "directory/index/expect.h"

// clang-format off
// Section C, 2 to 12. That the address comes before the digest is the documents' own order (AUTH-004),
// and so is silence for an unknown host, which the transaction side keeps (TERM-005).
static const struct admission_check checks[] = {
	{ "host", "TERM-001 TERM-003", "The host of the Request-URI is one of a trunk.",
	  admission_judge_host },
	{ "loop", "RFC 3261 16.3", "The call is not one of ours that comes back.", admission_judge_loop },
	{ "tls_version", "TLS-003 TLS-004 D-4", "The version of TLS is one the account may use.",
	  admission_judge_tls_version },
	{ "transport", "SRTP-007 D-31", "A secure trunk is reached by TLS.", admission_judge_transport },
	{ "account", "OTHER-001", "The account is active, and the one above it.", admission_judge_account,
	  .is_of_targets = true },
	{ "enabled", "TRUNK-001", "The trunk is enabled.", admission_judge_enabled, .is_of_targets = true },
	{ "authentication", "TRUNK-012 AUTH-001", "The trunk has an IP ACL or a credential list.",
	  admission_judge_authentication },
	{ "source_address", "AUTH-003 AUTH-004 AUTH-008", "The packet's source is in an IP ACL of the trunk, if it has any.",
	  admission_judge_source },
	{ "credentials", "AUTH-002 AUTH-005 AUTH-006", "The digest is right, if the trunk has a credential list.",
	  admission_judge_credentials },
	{ "max_forwards", "SIP-022 D-36", "The call may take another hop.", admission_judge_hops },
	{ "extensions", "RFC 3261 8.2.2.3", "No SIP extension is required that trunkd does not have.",
	  admission_judge_extensions },
	{ "accept", "RFC 3261 20.1", "The caller takes an answer in SDP.", admission_judge_accept },
	{ "called_number", "TERM-015 TERM-016 TERM-018", "The called number is E.164 with its plus sign.",
	  admission_judge_called, .is_of_targets = true },
	{ "caller_id", "TERM-019 TERM-021 TERM-022 TERM-023 D-10",
	  "The caller ID is a number of the account, or verified for it, in E.164.", admission_judge_caller_id },
	{ "verified", "TERM-025 D-12", "A trial account calls a number that is verified for it.", admission_judge_verified,
	  .is_of_targets = true },
	{ "blacklist", "TERM-027", "Nobody has blocked the called number.", admission_judge_blacklist,
	  .is_of_targets = true },
	{ "country", "TERM-029 TERM-030", "The called number is of a country the account may call.",
	  admission_judge_country, .is_of_targets = true },
};
// clang-format on

const struct admission_check *admission_check(unsigned nth)
{
	return nth < sizeof(checks) / sizeof(checks[0]) ? &checks[nth] : NULL;
}

void admission_begin(struct admission_case *admission_case, struct calls *calls,
		     const struct sip_message *invite, bool is_dry)
{
	*admission_case =
		(struct admission_case){ .calls = calls, .invite = invite, .is_dry = is_dry };
}

const struct trunk *call_admit_expect(const struct calls *calls, const struct sip_message *request)
{
	directory_expect(calls->directory, request->target.user);
	return call_admit_trunk(calls, request);
}

enum admission call_admit(struct calls *calls, const struct sip_message *invite,
			  struct admitted *out_admitted, struct refusal *out_refusal)
{
	struct admission_case admission_case;
	const struct admission_check *check;
	enum admission admission = ADMITTED;
	admission_begin(&admission_case, calls, invite, false);
	for (unsigned nth = 0; admission == ADMITTED && (check = admission_check(nth)) != NULL;
	     nth++)
		admission = check->judge(&admission_case);
	*out_admitted = admission_case.admitted;
	*out_refusal = admission_case.refusal;
	return admission;
}

enum admission admission_judge_target(struct admission_case *admission_case)
{
	const struct admission_check *check;
	enum admission admission = ADMITTED;
	for (unsigned nth = 0; admission == ADMITTED && (check = admission_check(nth)) != NULL;
	     nth++)
		if (check->is_of_targets)
			admission = check->judge(admission_case);
	return admission;
}

enum admission admission_refuse(struct admission_case *admission_case, enum refusal_cause cause,
				const char *header, struct text seen, const char *expected)
{
	(void)refusal_set(&admission_case->refusal, cause, header, seen, expected);
	return ADMISSION_REFUSED;
}
