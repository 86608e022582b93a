// One target after the other, one address after the other. Runs on the control thread; never waits:
// a look-up goes on by its callback, from the loop.

#include "call/target/attempt.h"

#include <stdlib.h>

#include "call/carrier/health.h"
#include "call/target/edge.h"
#include "call/target/offer.h"
#include "call/end.h"
#include "call/leg.h"
#include "call/record.h"
#include "call/session/change.h"
#include "call/target/target.h"
#include "config/own.h"

// Each may cost 4 s; a caller waits no longer for one target.
#define ADDRESSES_TRIED 6

struct attempt {
	struct call *call;
	struct route route;
	struct target target; // the one being tried
	bool is_redirected; // it has been, once (REDIR-002)
	struct sip_lookup lookup;
	struct sip_hops hops; // of it
	unsigned next_hop;
};

// Its INVITE, if it had one, is given up; what it described is forgotten.
static void leave_called(struct call *call)
{
	if (call->called == NULL)
		return;
	change_abandon(call, 504);
	leg_give_up(call->called);
	call->called = NULL;
	media_forget(call->media, MEDIA_CALLED);
}

void attempt_note_failed(struct call *call, enum refusal_cause cause, struct text seen,
			 const char *expected)
{
	const struct target *target = &call->attempt->target;
	target_refuse(target, cause, seen, expected, &call->failure);
	if (target->kind == TARGET_CARRIER)
		record_alert(call, &call->failure);
	else
		record_alert_again(call, &call->failure); // one for each (annex F)
}

static bool is_listed(const struct call *call, const struct address *address)
{
	const struct directory *directory = call->calls->directory;
	const struct trunk *trunk = directory_trunk(directory, call->record->trunk_sid);
	return trunk != NULL && directory_trunk_allows(directory, trunk, address);
}

// A customer's URI leads to no service of this host or link, and not back to us.
static bool may_reach(const struct attempt *attempt, const struct address *address)
{
	if (attempt->target.kind == TARGET_CARRIER)
		return true;
	if (config_is_own_signalling(attempt->call->calls->config, address))
		return false;
	if (attempt->target.is_public && address_is_private(address))
		return false;
	if (attempt->target.is_listed && !is_listed(attempt->call, address) &&
	    !address_is_same_host(&attempt->target.home, address))
		return false;
	return !address_is_confined(address) && !address_is_unspecified(address);
}

static enum status ask(struct attempt *attempt, const struct sip_hop *hop)
{
	if (!may_reach(attempt, &hop->address))
		return ERR_FORBIDDEN;
	attempt->call->is_tried = true;
	return offer_send(attempt->call, &attempt->target, hop);
}

// True: an INVITE is on its way.
static bool try_addresses(struct attempt *attempt)
{
	struct call *call = attempt->call;
	while (attempt->next_hop < attempt->hops.count && attempt->next_hop < ADDRESSES_TRIED) {
		const struct sip_hop *hop = &attempt->hops.items[attempt->next_hop++];
		if (attempt->next_hop > 1)
			counter_add(&call->calls->counters.address_moves, 1);
		enum status status = ask(attempt, hop);
		if (status == OK)
			return true;
		leave_called(call);
		attempt_note_failed(call, target_causes(attempt->target.kind)->unsent,
				    text_of(status_text(status)), "an address that can be reached");
	}
	return false;
}

static void take_hops(struct attempt *attempt, const struct sip_hops *hops)
{
	attempt->hops = *hops;
	attempt->next_hop = 0;
	if (hops->count > 0)
		return;
	record_ladder(attempt->call, MEDIA_CALLED, RECORD_IN, "(no address)");
	attempt_note_failed(attempt->call, target_causes(attempt->target.kind)->unresolved,
			    text_of(hops->problem), "a host with an address that we can reach");
}

static void note_target(struct call *call, const struct target *target)
{
	struct history_call *record = call->record;
	if (target->kind == TARGET_CARRIER) {
		record_carrier(call, target->sid, target->name, NULL);
		return;
	}
	text_copy_cut(text_of(target->name), record->uri, sizeof record->uri);
	record->uri_address[0] = '\0';
}

// False: it is provisioned no more.
static bool load(const struct call *call, const char *sid, struct target *target)
{
	const struct directory *directory = call->calls->directory;
	const struct carrier *carrier = directory_carrier(directory, sid);
	const struct origination_uri *uri = directory_origination_uri(directory, sid);
	if (carrier != NULL && carrier->is_enabled) {
		target_of_carrier(carrier, target);
		return true;
	}
	if (uri == NULL || !uri->is_enabled)
		return false;
	target_of_uri(uri, call->is_secure, target);
	target->security = call->security;
	target->suites = call->suites;
	return true;
}

static void count_move(struct call *call)
{
	struct call_counters *counters = &call->calls->counters;
	bool is_termination = call->direction == CALL_TO_PSTN;
	if (call->record->attempts++ > 0)
		counter_add(is_termination ? &counters->carrier_moves : &counters->uri_moves, 1);
}

// The next one that is still provisioned. False: none is left.
static bool take_target(struct attempt *attempt)
{
	struct call *call = attempt->call;
	const struct route_target *next;
	while ((next = route_next(&attempt->route)) != NULL) {
		if (!load(call, next->sid, &attempt->target))
			continue;
		count_move(call);
		note_target(call, &attempt->target);
		return true;
	}
	return false;
}

// DR-001, DR-006: a call that no URI took will go to the trunk's Disaster Recovery URL from here, before
// it fails, once there are applications to run it.
static void give_up(struct call *call)
{
	struct refusal refusal;
	bool is_inbound = call->direction == CALL_TO_PBX && call->serves == NULL;
	if (is_inbound && !call->is_tried) { // ORIG-033, D-26
		(void)refusal_set(&refusal, REFUSED_NO_URI, "Origination URI",
				  text_of(call->failure.seen),
				  "an enabled Origination URI whose host has an address");
		record_alert(call, &refusal);
		call->is_unlisted = true;
	}
	call_end_refused(call, &call->failure);
}

// A private connection is not every customer's. There was somebody to ask, so a record is left.
static bool may_leave(const struct attempt *attempt)
{
	struct call *call = attempt->call;
	if (edge_is_open(call->calls, &attempt->target, call->record->account_sid))
		return true;
	call->is_tried = true;
	edge_refuse(&attempt->target, &call->failure);
	record_alert_again(call, &call->failure);
	return false;
}

static void try_targets(struct attempt *attempt)
{
	struct call *call = attempt->call;
	struct sip_hops hops;
	while (take_target(attempt)) {
		if (!may_leave(attempt))
			continue;
		if (!sip_resolve(call->calls->resolver, &attempt->lookup, &attempt->target.place,
				 &hops))
			return; // on_resolved goes on
		take_hops(attempt, &hops);
		if (try_addresses(attempt))
			return;
	}
	give_up(call);
}

static void on_resolved(void *context, const struct sip_hops *hops)
{
	struct attempt *attempt = context;
	take_hops(attempt, hops);
	if (!try_addresses(attempt))
		try_targets(attempt);
}

static enum status choose(struct attempt *attempt, struct call *call)
{
	const struct calls *calls = call->calls;
	enum status status;
	if (call->direction == CALL_TO_PBX) {
		(void)refusal_set(&call->failure, REFUSED_NO_URI, "Origination URI",
				  TEXT("none enabled"),
				  "at least one enabled Origination URI of the trunk");
		return route_choose_uris(&attempt->route, calls->directory,
					 call->record->trunk_sid);
	}
	route_refuse(calls->directory, call->record->trunk_sid, call->record->to, &call->failure);
	status = route_choose(&attempt->route, calls->directory, call->record->trunk_sid,
			      call->record->to);
	if (status == OK)
		health_filter(calls->health, &attempt->route);
	return status;
}

static void fail_memory(struct call *call)
{
	(void)refusal_set(&call->failure, REFUSED_INTERNAL, "targets", TEXT("no memory"),
			  "memory for the targets to try");
	call_end_refused(call, &call->failure);
}

static struct attempt *make(struct call *call)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);
	if (attempt == NULL)
		return NULL;
	attempt->call = call;
	sip_lookup_init(&attempt->lookup, on_resolved, attempt);
	return attempt;
}

void attempt_start(struct call *call)
{
	struct attempt *attempt = make(call);
	if (attempt == NULL || choose(attempt, call) != OK) {
		free(attempt);
		fail_memory(call);
		return;
	}
	call->attempt = attempt;
	try_targets(attempt);
}

static void turn_to(struct attempt *attempt, const struct target *target)
{
	struct call *call = attempt->call;
	struct sip_hops hops;
	attempt->target = *target;
	note_target(call, target);
	if (!sip_resolve(call->calls->resolver, &attempt->lookup, &attempt->target.place, &hops))
		return;
	on_resolved(attempt, &hops);
}

void attempt_start_at(struct call *call, const struct target *target)
{
	struct attempt *attempt = make(call);
	if (attempt == NULL) {
		fail_memory(call);
		return;
	}
	call->attempt = attempt;
	call->record->attempts++;
	turn_to(attempt, target);
}

void attempt_turn_to(struct call *call, const struct target *target)
{
	leave_called(call);
	call->attempt->is_redirected = true;
	turn_to(call->attempt, target);
}

bool attempt_is_redirected(const struct call *call)
{
	return call->attempt->is_redirected;
}

void attempt_next_address(struct call *call)
{
	leave_called(call);
	if (!try_addresses(call->attempt))
		try_targets(call->attempt);
}

void attempt_next_target(struct call *call)
{
	leave_called(call);
	try_targets(call->attempt);
}

static const struct sip_hop *current_hop(const struct call *call)
{
	const struct attempt *attempt = call->attempt;
	return attempt != NULL && attempt->next_hop > 0
		       ? &attempt->hops.items[attempt->next_hop - 1]
		       : NULL;
}

const struct target *attempt_target(const struct call *call)
{
	return &call->attempt->target;
}

void attempt_heard(struct call *call)
{
	const struct sip_hop *hop = current_hop(call);
	if (hop != NULL)
		sip_resolver_note_heard(call->calls->resolver, hop);
}

void attempt_silent(struct call *call)
{
	const struct sip_hop *hop = current_hop(call);
	if (hop != NULL)
		sip_resolver_note_silent(call->calls->resolver, hop);
}

void attempt_clear(struct call *call)
{
	if (call->attempt == NULL)
		return;
	sip_lookup_cancel(&call->attempt->lookup);
	route_clear(&call->attempt->route);
	free(call->attempt);
	call->attempt = NULL;
}
