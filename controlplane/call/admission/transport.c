// Whose trunk it is, and whether the call may come this way. Runs on the control thread.

#include "call/admission/check.h"
#include "call/handshake/handshake.h"
#include "call/watch/peer.h"
#include "directory/directory.h"
#include "directory/index/expect.h"

const struct trunk *call_admit_trunk(const struct calls *calls, const struct sip_message *request)
{
	return directory_trunk_by_host(calls->directory, request->target.host);
}

// Without a trunk no request comes this far: silence is all a stranger gets (TERM-005).
enum admission admission_judge_host(struct admission_case *admission_case)
{
	const struct directory *directory = admission_case->calls->directory;
	struct admitted *admitted = &admission_case->admitted;
	admitted->trunk = call_admit_trunk(admission_case->calls, admission_case->invite);
	if (admitted->trunk == NULL)
		return admission_refuse(admission_case, REFUSED_INTERNAL, "Request-URI",
					admission_case->invite->target.whole, "a termination host");
	admitted->account = directory_trunk_account(directory, admitted->trunk);
	directory_expect_more(directory, admitted->trunk, &admission_case->invite->flow.remote,
			      admission_case->invite->from.uri.user);
	return ADMITTED;
}

// Whoever brings it back: before it is asked for anything else.
enum admission admission_judge_loop(struct admission_case *admission_case)
{
	if (!peer_is_loop(admission_case->calls, admission_case->invite))
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_LOOP, "Call-ID",
				admission_case->invite->call_id,
				"a call of the PBX, not one of ours");
}

enum admission admission_judge_tls_version(struct admission_case *admission_case)
{
	return call_handshake_is_fit(&admission_case->invite->flow,
				     admission_case->admitted.account, &admission_case->refusal)
		       ? ADMITTED
		       : ADMISSION_REFUSED;
}

enum admission admission_judge_transport(struct admission_case *admission_case)
{
	enum sip_protocol protocol = admission_case->invite->flow.protocol;
	if (!admission_case->admitted.trunk->is_secure || protocol == SIP_TLS)
		return ADMITTED;
	return admission_refuse(admission_case, REFUSED_INSECURE, "transport",
				text_of(sip_protocol_via(protocol)),
				"TLS, which the trunk's setting secure demands");
}
