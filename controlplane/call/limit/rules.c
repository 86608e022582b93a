// From what is configured to what holds, and from what refused to words. Runs on the control thread.

#include "call/limit/rules.h"

#include "config/config.h"
#include "directory/directory.h"

static uint32_t lower(uint32_t limit, uint32_t other) // 0: none
{
	return limit == 0 || (other != 0 && other < limit) ? other : limit;
}

void rules_of_account(const struct config *config, const struct account *account,
		      struct limit_rules *out_rules)
{
	const struct limits_config *limits = &config->limits;
	uint32_t trial_calls = account->is_trial ? limits->trial_calls : 0;
	out_rules->account_sid = account->sid;
	out_rules->account_rate =
		account->cps != 0 ? lower(account->cps, limits->max_cps) : 0; // none is no limit
	out_rules->account_calls = lower(account->max_calls, trial_calls);
}

void rules_of_termination(const struct config *config, const struct trunk *trunk,
			  const struct account *account, struct limit_rules *out_rules)
{
	const struct limits_config *limits = &config->limits;
	uint32_t rate = trunk->cps != 0 ? trunk->cps : limits->default_cps;
	*out_rules = (struct limit_rules){ .trunk_sid = trunk->sid,
					   .trunk_rate = lower(rate, limits->max_cps),
					   .trunk_calls = trunk->max_calls,
					   .bandwidth_mbps = limits->bandwidth_mbps };
	rules_of_account(config, account, out_rules);
}

enum refusal_cause rules_explain(const struct limit_rules *rules, enum limit_cause cause,
				 struct refusal *refusal)
{
	const struct {
		enum refusal_cause cause;
		const char *header;
		const char *seen; // with the limit's value
		uint32_t limit;
		const char *expected;
	} rows[] = {
		[LIMIT_TRUNK_RATE] = { REFUSED_CPS, "calls per second",
				       "limit of %u calls per second reached", rules->trunk_rate,
				       "no more calls a second than the trunk's limit" },
		[LIMIT_ACCOUNT_RATE] = { REFUSED_ACCOUNT_CPS, "calls per second",
					 "limit of %u calls per second of the account reached",
					 rules->account_rate,
					 "no more calls a second than the account's limit" },
		[LIMIT_TRUNK_CALLS] = { REFUSED_TRUNK_CALLS, "concurrent calls",
					"limit of %u calls at a time reached", rules->trunk_calls,
					"no more calls at a time than the trunk's limit" },
		[LIMIT_ACCOUNT_CALLS] = { REFUSED_ACCOUNT_CALLS, "concurrent calls",
					  "limit of %u calls at a time of the account reached",
					  rules->account_calls,
					  "no more calls at a time than the account's limit" },
		[LIMIT_BANDWIDTH] = { REFUSED_BANDWIDTH, "bandwidth",
				      "limit of %u Mbit/s reached, at 0.1 a call",
				      rules->bandwidth_mbps,
				      "calls that limits.bandwidth_mbps has room for" },
		[LIMIT_MEMORY] = { REFUSED_INTERNAL, "limits", "no memory", 0,
				   "memory for the limits" },
	};
	char seen[128];
	struct writer writer = writer_of(seen, sizeof seen);
	if (cause == LIMIT_NONE || cause == LIMIT_ASKED)
		return REFUSED_NOT;
	writer_format(&writer, rows[cause].seen, rows[cause].limit);
	if (rules->nodes > 1 && cause != LIMIT_BANDWIDTH && cause != LIMIT_MEMORY)
		writer_format(&writer, ", of which this node has 1/%u while Redis is away",
			      rules->nodes);
	return refusal_set(refusal, rows[cause].cause, rows[cause].header, writer_done(&writer),
			   rows[cause].expected);
}
