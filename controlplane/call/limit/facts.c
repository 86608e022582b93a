// What an operator sees of the limits. Runs on the control thread.

#include "call/call.h"
#include "call/limit/rules.h"
#include "call/state.h"

void call_limits_read(const struct calls *calls, const char *sid,
		      struct call_limits_facts *out_facts)
{
	const struct trunk *trunk = directory_trunk(calls->directory, sid);
	const struct account *account =
		directory_account(calls->directory, trunk != NULL ? trunk->account_sid : sid);
	struct limit_usage usage = limits_usage(calls->limits, sid);
	struct limit_rules rules = { 0 };
	*out_facts =
		(struct call_limits_facts){ .rate_here = usage.rate, .calls_here = usage.calls };
	if (trunk != NULL && account != NULL) {
		rules_of_termination(calls->config, trunk, account, &rules);
		out_facts->rate = rules.trunk_rate;
		out_facts->calls = rules.trunk_calls;
	} else if (account != NULL) {
		rules_of_account(calls->config, account, &rules);
		out_facts->rate = rules.account_rate;
		out_facts->calls = rules.account_calls;
	}
}
