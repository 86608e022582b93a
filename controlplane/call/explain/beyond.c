// What an admitted INVITE still needs: a dialog, room, an offer we can take, ports, a token, a target.
// Runs on the control thread; takes nothing.

#include "call/call.h"
#include "call/explain/walk.h"
#include "call/limit/rules.h"
#include "call/session/body.h"
#include "call/target/edge.h"
#include "call/table.h"
#include "config/config.h"
#include "dataplane/suite.h"
#include "directory/routing/routing.h"
#include "media/preview/preview.h"

static enum explain_fate judge_dialog(struct walk *walk, struct writer *detail)
{
	const struct sip_message *invite = walk->question->invite;
	(void)detail;
	if (sip_dialog_can_open(invite))
		return EXPLAIN_PASSED;
	(void)admission_refuse_dialog(invite, &walk->explanation->refusal);
	return EXPLAIN_REFUSED;
}

static enum explain_fate judge_room(struct walk *walk, struct writer *detail)
{
	unsigned count = calls_count(walk->calls), most = walk->calls->config->sip.max_calls;
	if (walk->question->is_past)
		return EXPLAIN_PASSED;
	writer_format(detail, "%u of %u calls are up", count, most);
	if (count < most)
		return EXPLAIN_PASSED;
	return walk_refuse(walk, REFUSED_CALLS, "calls", TEXT("as many as allowed"),
			   "room for one more call");
}

static bool is_of_family(const struct config_addresses *addresses, uint8_t family,
			 struct address *out_address)
{
	for (unsigned i = 0; i < addresses->count; i++) {
		if (addresses->items[i].family != family)
			continue;
		*out_address = addresses->items[i];
		return true;
	}
	return false;
}

static enum explain_fate refuse_media(struct walk *walk, enum status status,
				      const struct media_problem *problem)
{
	return walk_refuse(walk, refusal_of_media(status, problem->objection),
			   problem->header ? problem->header : "SDP", text_of(problem->seen),
			   problem->expected ? problem->expected : "");
}

static enum explain_fate judge_body(struct walk *walk, struct writer *detail)
{
	const struct sip_message *invite = walk->question->invite;
	(void)detail;
	const struct body_fault *fault = body_judge(invite);
	if (fault == NULL)
		return EXPLAIN_PASSED;
	return walk_refuse(walk, REFUSED_BODY, fault->header,
			   sip_message_header(invite, fault->header, 0), fault->expected);
}

// What media the caller may have: a customer by its trunk, a carrier by what is known of it.
static void read_rules(const struct walk *walk, struct media_rules *rules)
{
	struct target carrier;
	if (!walk->is_inbound) {
		rules->security = call_media_policy(walk->admission.admitted.trunk, &rules->suites);
		return;
	}
	target_of_carrier(walk->admission.admitted.carrier, &carrier);
	*rules = (struct media_rules){ carrier.security, carrier.suites };
}

static enum explain_fate take_offer(struct walk *walk, struct writer *detail)
{
	const struct sip_message *invite = walk->question->invite;
	struct media_preview *preview = &walk->preview;
	struct media_problem problem = { 0 };
	struct media_rules rules;
	read_rules(walk, &rules);
	if (rules.security == MEDIA_SECURE && !media_preview_is_secure(walk->calls->media))
		return refuse_media(walk, ERR_UNAVAILABLE, &problem);
	if (invite->body.size == 0) {
		writer_string(detail, "none: the target gets an offer of ours, the caller's answer "
				      "comes in ACK or PRACK");
		return EXPLAIN_PASSED;
	}
	enum status status = media_preview_take(preview, &rules, invite->body, &problem);
	if (status != OK)
		return refuse_media(walk, status, &problem);
	writer_string(detail, preview->offer.crypto.key.suite != SUITE_NONE ? "SRTP" : "RTP");
	return EXPLAIN_PASSED;
}

static enum explain_fate judge_offer(struct walk *walk, struct writer *detail)
{
	const struct sip_message *invite = walk->question->invite;
	struct media_preview *preview = &walk->preview;
	enum explain_fate fate = take_offer(walk, detail);
	if (fate != EXPLAIN_PASSED)
		return fate;
	uint8_t family = preview->offer.line_count > 0 ? preview->offer.rtp.family
						       : invite->flow.remote.family;
	struct media_problem problem = { .header = "SDP c=",
					 .seen = "another family than our address",
					 .expected = "the family of our c= line" };
	if (is_of_family(&walk->calls->config->media.addresses, family, &preview->local))
		return EXPLAIN_PASSED;
	return refuse_media(walk, ERR_NOT_ACCEPTABLE, &problem);
}

static enum explain_fate judge_ports(struct walk *walk, struct writer *detail)
{
	unsigned count = media_preview_calls(walk->calls->media);
	if (walk->question->is_past)
		return EXPLAIN_PASSED;
	writer_format(detail, "for %u calls", count);
	if (count > 0)
		return EXPLAIN_PASSED;
	return walk_refuse(walk, REFUSED_PORTS, "media", TEXT("no free ports, or no dataplane"),
			   "a free pair of media ports for each leg");
}

// Of the moment: how it stands with each limit there is, and who counts.
static void write_standing(struct walk *walk, const struct limit_rules *rules,
			   struct writer *detail)
{
	const struct limit_usage *shared = walk->question->shared;
	struct limit_usage trunk =
		shared != NULL ? shared[0] : limits_usage(walk->calls->limits, rules->trunk_sid);
	if (rules->trunk_rate > 0)
		writer_format(detail, "%u of %u calls a second of the trunk, ", trunk.rate,
			      rules->trunk_rate);
	if (rules->trunk_calls > 0)
		writer_format(detail, "%u of %u at a time, ", trunk.calls, rules->trunk_calls);
	if (rules->bandwidth_mbps > 0)
		writer_format(detail, "%u calls on %u Mbit/s, ", limits_calls(walk->calls->limits),
			      rules->bandwidth_mbps);
	if (shared != NULL)
		writer_string(detail, "by Redis, all nodes");
	else if (rules->nodes > 1)
		writer_format(detail, "by this node's share, 1/%u", rules->nodes);
	else
		writer_string(detail, "by this node");
}

static enum explain_fate judge_limits(struct walk *walk, struct writer *detail)
{
	const struct admitted *admitted = &walk->admission.admitted;
	struct explanation *explanation = walk->explanation;
	struct limits *own = walk->question->limits;
	struct limit_rules rules;
	rules_of_termination(walk->calls->config, admitted->trunk, admitted->account, &rules);
	if (walk->is_inbound)
		rules.trunk_rate = rules.account_rate = 0; // LIMIT-004
	struct limit_slot slot = { 0 };
	enum limit_cause cause = LIMIT_NONE;
	if (own != NULL) { // a call's end is not known there: its slot is given back at once
		cause = limits_take(own, &slot, &rules);
		limits_give(own, &slot);
	} else if (!walk->question->is_past) {
		cause = limits_look(walk->calls->limits, &rules, walk->question->shared);
	}
	if (rules_explain(&rules, cause, &explanation->refusal) != REFUSED_NOT)
		return EXPLAIN_REFUSED;
	if (!walk->question->is_past)
		write_standing(walk, &rules, detail);
	return EXPLAIN_PASSED;
}

// What the first of them is offered; ports and keys are examples.
static void write_sdp(struct walk *walk)
{
	const struct target *first = &walk->explanation->targets[0].target;
	struct writer sdp = writer_of(walk->explanation->sdp, sizeof walk->explanation->sdp);
	walk->preview.called = first->security;
	walk->preview.suites = first->suites;
	walk->preview.local.port = MEDIA_PORT_FIRST;
	media_preview_write(&walk->preview, &sdp);
	if (writer_string_done(&sdp) == NULL)
		walk->explanation->sdp[0] = '\0';
}

static struct explain_target *add_target(struct walk *walk, uint16_t priority, uint16_t weight)
{
	struct explanation *explanation = walk->explanation;
	struct explain_target *target = &explanation->targets[explanation->target_count++];
	target->priority = priority;
	target->weight = weight;
	return target;
}

static void add_group(struct walk *walk, struct text group)
{
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	unsigned count = directory_group(walk->calls->directory, group, carriers);
	for (unsigned i = 0; i < count && walk->explanation->target_count < EXPLAIN_TARGETS_MAX;
	     i++) {
		struct call_carrier_facts facts;
		struct explain_target *target =
			add_target(walk, carriers[i]->priority, carriers[i]->weight);
		call_carrier_read(walk->calls, carriers[i]->sid, &facts);
		target_of_carrier(carriers[i], &target->target);
		target->state = call_carrier_state_text(facts.state);
	}
}

static void add_carriers(struct walk *walk, struct writer *detail)
{
	const struct admitted *admitted = &walk->admission.admitted;
	const struct directory_route *route =
		directory_route_of(walk->calls->directory, admitted->trunk->sid, admitted->called);
	struct text rest = text_of(route != NULL ? route->groups : ""), group;
	unsigned nth = 0;
	while (directory_group_next(&rest, &nth, &group))
		add_group(walk, group);
	writer_format(detail, "%u", walk->explanation->target_count);
	if (route != NULL)
		writer_format(detail, ", of %.80s by route %s of %s (%s)", route->groups,
			      route->prefix, route->is_of_trunk ? "the trunk" : "all trunks",
			      route->sid);
	route_refuse(walk->calls->directory, admitted->trunk->sid, admitted->called,
		     &walk->explanation->refusal);
}

_Static_assert(DIRECTORY_ORIGINATION_MAX <= EXPLAIN_TARGETS_MAX, "a place for each URI");

static void add_uris(struct walk *walk, struct writer *detail)
{
	const struct origination_uri *uris[DIRECTORY_ORIGINATION_MAX];
	const struct trunk *trunk = walk->admission.admitted.trunk;
	unsigned count = directory_origination_uris(walk->calls->directory, trunk->sid, uris);
	(void)refusal_set(&walk->explanation->refusal, REFUSED_NO_URI, "Origination URI",
			  TEXT("none enabled"),
			  "at least one enabled Origination URI of the trunk");
	for (unsigned i = 0; i < count; i++) {
		struct target closed;
		target_of_uri(uris[i], trunk->is_secure, &closed);
		if (!edge_is_open(walk->calls, &closed, trunk->account_sid)) {
			edge_refuse(&closed, &walk->explanation->refusal);
			writer_format(detail, "%s names an edge that is closed to the account; ",
				      closed.name);
			continue;
		}
		struct explain_target *target =
			add_target(walk, uris[i]->priority, uris[i]->weight);
		target_of_uri(uris[i], trunk->is_secure, &target->target);
		target->target.security = call_media_policy(trunk, &target->target.suites);
		target->state = "Origination URI";
	}
	writer_format(detail, "%u", walk->explanation->target_count);
}

// In the order in which calls try them; among equal ones a call draws by weight (D-22).
static enum explain_fate judge_targets(struct walk *walk, struct writer *detail)
{
	struct explanation *explanation = walk->explanation;
	if (walk->is_inbound)
		add_uris(walk, detail);
	else
		add_carriers(walk, detail);
	if (explanation->target_count == 0)
		return EXPLAIN_REFUSED;
	explanation->refusal = (struct refusal){ 0 };
	write_sdp(walk);
	return EXPLAIN_PASSED;
}

static const struct walk_check checks[] = {
	{ "room", "LIMIT-016", "The node has room for one more call.", judge_room },
	{ "dialog", "RFC 3261 12.1.1", "Contact and From make a dialog.", judge_dialog },
	{ "body", "RFC 3261 8.2.3", "What it brings is a description of a session.", judge_body },
	{ "ports", "LIMIT-016", "Media ports are free.", judge_ports },
	{ "offer", "MEDIA-001 MEDIA-003 SRTP-007 D-30", "The media the caller offers can be taken.",
	  judge_offer },
	{ "limits", "LIMIT-001 LIMIT-005 LIMIT-014",
	  "Neither trunk nor account nor node is at a limit.", judge_limits },
	{ "targets", "TERM-032 ORIG-020 D-22", "There is somebody who may take the call.",
	  judge_targets },
};

const struct walk_check *walk_after(unsigned nth)
{
	return nth < sizeof checks / sizeof checks[0] ? &checks[nth] : NULL;
}
