// One target after the other, one address after the other. Runs on the control thread; never waits:
// a look-up goes on by its callback, from the loop.

#include "call/target/attempt.h"

#include <stdlib.h>

#include "call/carrier/health.h"
#include "call/target/offer.h"
#include "call/end.h"
#include "call/leg.h"
#include "call/record.h"
#include "call/session/change.h"

// Each may cost 4 s; a caller waits no longer for one target.
#define ADDRESSES_TRIED 6

struct attempt {
	struct call *call;
	struct route route;
	struct target target; // the one being tried
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

static void note_failed(struct attempt *attempt, enum refusal_cause cause, struct text seen,
			const char *expected)
{
	struct call *call = attempt->call;
	(void)refusal_set(&call->failure, cause, attempt->target.name, seen, expected);
	record_alert(call, &call->failure);
}

// True: an INVITE is on its way.
static bool try_addresses(struct attempt *attempt)
{
	struct call *call = attempt->call;
	while (attempt->next_hop < attempt->hops.count && attempt->next_hop < ADDRESSES_TRIED) {
		const struct sip_hop *hop = &attempt->hops.items[attempt->next_hop++];
		if (attempt->next_hop > 1)
			counter_add(&call->calls->counters.address_moves, 1);
		enum status status = offer_send(call, &attempt->target, hop);
		if (status == OK)
			return true;
		leave_called(call);
		note_failed(attempt, target_causes(attempt->target.kind)->unsent,
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
	note_failed(attempt, target_causes(attempt->target.kind)->unresolved,
		    text_of(hops->problem), "a host with an address that we can reach");
}

static void note_target(struct call *call, const struct target *target)
{
	struct history_call *record = call->record;
	(void)text_copy(text_of(target->name), call->carrier_name, sizeof call->carrier_name);
	(void)text_copy(text_of(target->sid), record->carrier_sid, sizeof record->carrier_sid);
	(void)text_copy(text_of(target->name), record->carrier, sizeof record->carrier);
	record->carrier_address[0] = '\0';
}

// The next one that is still provisioned. False: none is left.
static bool take_target(struct attempt *attempt)
{
	struct call *call = attempt->call;
	const struct route_target *next;
	while ((next = route_next(&attempt->route)) != NULL) {
		const struct carrier *carrier =
			directory_carrier(call->calls->directory, next->sid);
		if (carrier == NULL || !carrier->is_enabled)
			continue;
		if (call->record->attempts > 0)
			counter_add(&call->calls->counters.carrier_moves, 1);
		call->record->attempts++;
		target_of_carrier(carrier, &attempt->target);
		note_target(call, &attempt->target);
		return true;
	}
	return false;
}

static void try_targets(struct attempt *attempt)
{
	struct call *call = attempt->call;
	struct sip_hops hops;
	while (take_target(attempt)) {
		if (!sip_resolve(call->calls->resolver, &attempt->lookup, &attempt->target.place,
				 &hops))
			return; // on_resolved goes on
		take_hops(attempt, &hops);
		if (try_addresses(attempt))
			return;
	}
	call_end_refused(call, &call->failure);
}

static void on_resolved(void *context, const struct sip_hops *hops)
{
	struct attempt *attempt = context;
	take_hops(attempt, hops);
	if (!try_addresses(attempt))
		try_targets(attempt);
}

void attempt_start(struct call *call)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);
	if (attempt == NULL || route_choose(&attempt->route, call->calls->directory) != OK) {
		free(attempt);
		(void)refusal_set(&call->failure, REFUSED_INTERNAL, "carriers", TEXT("no memory"),
				  "memory for the carriers to try");
		call_end_refused(call, &call->failure);
		return;
	}
	attempt->call = call;
	call->attempt = attempt;
	sip_lookup_init(&attempt->lookup, on_resolved, attempt);
	health_filter(call->calls->health, &attempt->route);
	(void)refusal_set(&call->failure, REFUSED_NO_CARRIER, "carriers", TEXT("none enabled"),
			  "at least one enabled carrier");
	try_targets(attempt);
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
