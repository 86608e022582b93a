// Redirects of calls from the PSTN. Runs on the control thread. The Contact is the customer's word: it
// leads to no address that the PBX itself could not be at, and never to us.

#include "call/origination/redirect.h"

#include "call/end.h"
#include "call/record.h"
#include "call/target/attempt.h"
#include "call/target/target.h"
#include "config/own.h"
#include "directory/directory.h"

static const char *objection_to_address(const struct calls *calls, const struct address *target,
					const struct sip_message *response)
{
	if (config_is_own_host(calls->config, target))
		return "a destination that is none of ours";
	if (address_is_confined(target) || address_is_unspecified(target) ||
	    (address_is_private(target) && !address_is_private(&response->flow.remote)))
		return "an address that can be reached from here";
	return NULL;
}

// Only the first URI counts, whatever q-values say (REDIR-004 to REDIR-006). NULL: it will do.
static const char *objection(const struct call *call, const struct sip_message *response)
{
	const struct sip_party *contact = &response->contact;
	const struct directory *directory = call->calls->directory;
	struct address address;
	// REDIR-015: else a Contact would lead where no Refer-To may.
	if (call->serves != NULL)
		return "no redirect of a transfer's target";
	if (attempt_is_redirected(call))
		return "one redirect in a call";
	if (!contact->is_present || contact->uri.host.size == 0 ||
	    contact->uri.host.size >= DNS_NAME_SIZE || contact->uri.user.size >= TARGET_USER_SIZE ||
	    (!text_is_same(contact->uri.scheme, TEXT("sip")) &&
	     !text_is_same(contact->uri.scheme, TEXT("sips"))))
		return "a Contact with a SIP URI";
	if (directory_is_platform_host(directory, contact->uri.host, TEXT_NONE)) // REDIR-007
		return "a destination that is none of ours";
	return address_parse(contact->uri.host, &address)
		       ? objection_to_address(call->calls, &address, response)
		       : NULL;
}

// REDIR-009 to REDIR-011: edge, tnx and what else stands in the Contact are not looked at; its media is
// what the trunk wants.
static bool fill(const struct call *call, const struct sip_message *response, struct target *target)
{
	const struct sip_uri *uri = &response->contact.uri;
	const struct target *former = attempt_target(call);
	*target = (struct target){ .kind = TARGET_URI,
				   .is_public = !address_is_private(&response->flow.remote),
				   .security = former->security,
				   .suites = former->suites };
	(void)text_copy(text_of(former->edge), target->edge, sizeof target->edge);
	(void)text_copy(text_of(former->connection), target->connection, sizeof target->connection);
	return target_of_message(uri, call->is_secure, target);
}

static void refuse(struct call *call, const struct sip_message *response, const char *expected)
{
	struct refusal refusal;
	struct text seen =
		response->contact.is_present ? response->contact.uri.whole : TEXT("no Contact");
	target_refuse(attempt_target(call), REFUSED_REDIRECT, seen, expected, &refusal);
	(void)text_copy(TEXT("302 Contact"), refusal.header, sizeof refusal.header);
	call_end_refused(call, &refusal);
}

void redirect_follow(struct leg *leg, const struct sip_message *response)
{
	struct call *call = leg->call;
	struct target target;
	const char *expected = objection(call, response);
	if (expected == NULL && !fill(call, response, &target))
		expected = "transport=udp, tcp or tls";
	if (expected != NULL) {
		refuse(call, response, expected);
		return;
	}
	counter_add(&call->calls->counters.redirects, 1);
	attempt_turn_to(call, &target);
}
