// What meets a message before anybody asks whose call it is. Runs on the control thread.

#include "call/explain/walk.h"
#include "sip/guard/guard.h"

static bool is_meant(const struct sip_guard_ban_facts *ban, const struct sip_flow *flow)
{
	unsigned octets = ban->address.family == ADDRESS_IPV6 ? 8 : 4; // of IPv6 its /64
	return ban->host == NULL && ban->address.family == flow->remote.family &&
	       (!ban->is_udp_only || !sip_flow_is_reliable(flow)) &&
	       text_is_equal((struct text){ (const char *)ban->address.octets, octets },
			     (struct text){ (const char *)flow->remote.octets, octets });
}

static enum explain_fate judge_ban(struct walk *walk, struct writer *detail)
{
	struct sip_guard_ban_facts ban;
	const struct sip_guard *guard = walk->calls->guard;
	uint64_t at = 0;
	while (guard != NULL && !walk->question->is_past && sip_guard_ban_next(guard, &at, &ban)) {
		if (!is_meant(&ban, &walk->question->invite->flow))
			continue;
		writer_format(detail, "banned for %s: trunkctl show bans, unban",
			      sip_guard_cause_label(ban.cause));
		return EXPLAIN_SILENT;
	}
	return EXPLAIN_PASSED;
}

static enum explain_fate judge_budget(struct walk *walk, struct writer *detail)
{
	struct sip_guard *guard = walk->calls->guard;
	struct sip_guard_look look;
	if (guard == NULL || walk->question->is_past)
		return EXPLAIN_PASSED;
	sip_guard_look(guard, &walk->question->invite->flow, &look);
	writer_format(detail, "%s, %u of %u messages a second left",
		      look.is_peer ? "known peer" : "stranger", look.left, look.rate);
	if (look.are_strangers_out)
		writer_string(detail, ", those of all strangers are used up");
	if (look.calls_rate > 0)
		writer_format(detail,
			      "; overload: %u new calls a second are let in, others hear 503",
			      look.calls_rate);
	return look.left == 0 || look.are_strangers_out ? EXPLAIN_SILENT : EXPLAIN_PASSED;
}

static enum explain_fate judge_dialog(struct walk *walk, struct writer *detail)
{
	const struct sip_message *invite = walk->question->invite;
	if (!invite->is_request || invite->method != SIP_INVITE) {
		writer_string(detail, "no INVITE: only these become calls");
		return EXPLAIN_SILENT;
	}
	if (invite->to.tag.size == 0)
		return EXPLAIN_PASSED;
	writer_string(detail, "To has a tag: it belongs to a call that is up, or hears 481");
	return EXPLAIN_SILENT;
}

static const struct walk_check checks[] = {
	{ "new_call", "RFC 3261 12.2", "It is an INVITE of no call yet.", judge_dialog },
	{ "ban", "", "Its source is not kept out.", judge_ban },
	{ "budget", "", "Its source may send a message more.", judge_budget },
};

const struct walk_check *walk_before(unsigned nth)
{
	return nth < sizeof checks / sizeof checks[0] ? &checks[nth] : NULL;
}
