// The table of calls and its life. Runs on the control thread.

#include "call/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "call/admission/admission.h"
#include "call/target/attempt.h"
#include "call/carrier/health.h"
#include "call/end.h"
#include "call/engine.h"
#include "call/header/carry.h"
#include "call/invite.h"
#include "call/leg.h"
#include "call/limit/limits.h"
#include "call/record.h"
#include "call/replay/replay.h"
#include "call/replay/ring.h"
#include "call/session/change.h"
#include "call/session/reliable.h"
#include "call/transfer/join.h"
#include "call/watch/audio.h"
#include "call/watch/leak.h"
#include "config/config.h"
#include "dataplane/suite.h"
#include "directory/directory.h"

struct calls *calls_create(const struct calls_options *options)
{
	struct calls *calls = calloc(1, sizeof *calls);
	if (calls == NULL)
		return NULL;
	calls->clock = options->clock;
	calls->wheel = options->wheel;
	calls->config = options->config;
	calls->directory = options->directory;
	calls->history = options->history;
	calls->dialogs = options->dialogs;
	calls->digest = options->digest;
	calls->resolver = options->resolver;
	calls->cnam = options->cnam;
	calls->notify = options->notify;
	memcpy(calls->ports, options->ports, sizeof calls->ports);
	calls->guard = options->guard;
	struct limits_options limits = { .clock = calls->clock,
					 .wheel = calls->wheel,
					 .config = &calls->config->limits,
					 .shared = options->limits,
					 .counters = &calls->counters.limits,
					 .decided = call_limits_decided };
	calls->limits = limits_create(&limits);
	calls->ring = replay_ring_create(calls->config->admin.replay_messages);
	calls->health = health_create(calls);
	if (calls->limits == NULL || calls->health == NULL || !map_init(&calls->by_sid, 1024)) {
		health_destroy(calls->health);
		limits_destroy(calls->limits);
		replay_ring_destroy(calls->ring);
		free(calls);
		return NULL;
	}
	return calls;
}

void calls_attach(struct calls *calls, struct sip_transactions *transactions,
		  struct media_engine *media)
{
	calls->transactions = transactions;
	calls->media = media;
	leak_start(calls);
	health_start(calls->health);
}

static void unlink_call(struct call *call)
{
	struct calls *calls = call->calls;
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		calls->oldest = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	else
		calls->newest = call->previous;
	map_remove(&calls->by_sid, &call->by_sid);
}

static void destroy(struct call *call)
{
	wheel_stop(&call->ack_timer);
	wheel_stop(&call->duration_timer);
	wheel_stop(&call->reap_timer);
	wheel_stop(&call->change.timer);
	reliable_finish(call);
	audio_clear(call);
	attempt_clear(call);
	cnam_cancel(call->identity.question);
	carry_end(call);
	leg_destroy(call->caller);
	leg_destroy(call->called);
	unlink_call(call);
	free(call);
}

static void reap(struct wheel_timer *timer, void *context)
{
	(void)timer;
	struct call *call = context;
	struct call_counters *counters = &call->calls->counters;
	struct counter *active = &counters->active[call->direction];
	counter_add(&counters->ended[call->direction], 1);
	counter_set(active, counter_get(active) - 1);
	record_close(call);
	join_close(call);
	destroy(call);
}

static void ack_missing(struct wheel_timer *timer, void *context)
{
	(void)timer;
	struct call *call = context;
	struct refusal refusal = { 0 };
	char expected[192];
	struct writer writer = writer_of(expected, sizeof expected);
	const struct leg *leg =
		call->called != NULL && call->called->server != NULL ? call->called : call->caller;
	writer_string(&writer, "an ACK with Request-URI host ");
	address_write_host(&sip_dialog_flow(leg->dialog)->local, &writer);
	const char *text = writer_string_done(&writer);
	(void)refusal_set(&refusal, REFUSED_ACK_MISSING, "ACK Request-URI",
			  text_of(leg->wrong_ack[0] ? leg->wrong_ack : "nothing arrived"),
			  text != NULL ? text : "");
	record_alert(call, &refusal);
	counter_add(&call->calls->counters.ack_timeouts, 1);
	struct ending ending = { .ended_by = HISTORY_END_TRUNKD,
				 .status = 408,
				 .reason = "ACK not received" };
	call_end(call, &ending); // SIP-004: BYE to both
}

static void too_long(struct wheel_timer *timer, void *context)
{
	(void)timer;
	struct call *call = context;
	struct refusal refusal = { 0 };
	char seen[48];
	struct writer writer = writer_of(seen, sizeof seen);
	writer_format(&writer, "limit of %u s reached",
		      call->calls->config->sip.max_call_duration_s);
	(void)refusal_set(&refusal, REFUSED_DURATION, "duration", writer_done(&writer),
			  "a call shorter than sip.max_call_duration_s");
	record_alert(call, &refusal);
	struct ending ending = { .ended_by = HISTORY_END_TRUNKD,
				 .status = 487,
				 .reason = "maximum duration reached" }; // LIMIT-010, -011
	call_end(call, &ending);
}

static void link_call(struct calls *calls, struct call *call)
{
	call->previous = calls->newest;
	if (calls->newest != NULL)
		calls->newest->next = call;
	else
		calls->oldest = call;
	calls->newest = call;
	map_add(&calls->by_sid, &call->by_sid, map_hash(text_of(call->sid)));
	counter_add(&calls->counters.started[call->direction], 1);
	counter_add(&calls->counters.active[call->direction], 1);
}

struct leg *call_open_leg(struct call *call, enum media_side side, struct sip_server *server,
			  const struct sip_message *invite)
{
	struct leg *leg = leg_create(call, side);
	if (leg == NULL)
		return NULL;
	if (sip_dialog_open_server(call->calls->dialogs, invite, sip_server_to_tag(server), leg,
				   &leg->dialog) != OK) {
		leg->call = call;
		free(leg);
		return NULL;
	}
	leg->peer = invite->flow.remote;
	leg_note_way(leg, &invite->flow);
	leg->server = server;
	leg_note_allow(leg, invite);
	sip_server_set_owner(server, leg);
	return leg;
}

bool call_open_caller(struct call *call, struct sip_server *server,
		      const struct sip_message *invite)
{
	call->caller = call_open_leg(call, MEDIA_CALLER, server, invite);
	if (call->caller == NULL)
		return false;
	call->caller->is_customer = call->direction == CALL_TO_PSTN;
	return true;
}

static struct call *new_call(struct calls *calls)
{
	struct call *call = calloc(1, sizeof *call);
	if (call == NULL)
		return NULL;
	call->calls = calls;
	call->started_ms = calls->clock->now_ms;
	random_sid("CA", call->sid);
	call->limit.owner = call;
	wheel_timer_init(&call->ack_timer, ack_missing, call);
	wheel_timer_init(&call->duration_timer, too_long, call);
	wheel_timer_init(&call->reap_timer, reap, call);
	reliable_init(call);
	change_init(call);
	audio_init(call);
	return call;
}

static void read_invite(struct call *call, const struct sip_message *invite)
{
	call->max_forwards = invite->max_forwards - 1;
	call->invite_cseq = invite->cseq;
	call->is_late = invite->body.size == 0;
	reliable_start(call, invite);
}

enum media_security call_media_policy(const struct trunk *trunk, unsigned *out_suites)
{
	*out_suites = SUITE_BITS_AES_CM | (trunk->takes_aead ? SUITE_BITS_AEAD : 0);
	return trunk->is_secure ? MEDIA_SECURE : trunk->takes_srtp ? MEDIA_AS_OFFERED : MEDIA_PLAIN;
}

// What the trunk says now holds for the whole call (TRUNK-023).
static void copy_media_policy(struct call *call, const struct trunk *trunk)
{
	call->has_symmetric_rtp = trunk->has_symmetric_rtp;
	call->is_secure = trunk->is_secure;
	call->security = call_media_policy(trunk, &call->suites);
	call->has_transfer = trunk->has_transfer;
	call->shows_transferor = trunk->shows_transferor;
}

struct call *call_create(struct calls *calls, struct sip_server *server,
			 const struct sip_message *invite, const struct admitted *admitted,
			 enum refusal_cause *out_cause)
{
	*out_cause = REFUSED_CALLS;
	if (calls->by_sid.count >= calls->config->sip.max_calls)
		return NULL;
	struct call *call = new_call(calls);
	if (call == NULL)
		return NULL;
	call->direction = admitted->carrier != NULL ? CALL_TO_PBX : CALL_TO_PSTN;
	read_invite(call, invite);
	(void)text_copy(text_of(admitted->trunk->name), call->trunk_name, sizeof call->trunk_name);
	copy_media_policy(call, admitted->trunk);
	*out_cause = REFUSED_CONTACT; // no dialog can be made of what the INVITE says
	if (!call_open_caller(call, server, invite))
		goto fail;
	*out_cause = REFUSED_HISTORY;
	if (!record_open(call, invite, admitted->account->sid, admitted->trunk->sid))
		goto fail;
	(void)text_copy(text_of(admitted->caller_id), call->record->from,
			sizeof call->record->from);
	(void)text_copy(text_of(admitted->called), call->record->to, sizeof call->record->to);
	if (admitted->carrier != NULL) {
		sip_dialog_name_peer(call->caller->dialog, admitted->carrier->sid); // TLS-010
		record_carrier(call, admitted->carrier->sid, admitted->carrier->name,
			       &invite->flow.remote);
	}
	link_call(calls, call);
	carry_start(call, invite);
	record_ladder(call, MEDIA_CALLER, RECORD_IN, "INVITE");
	return call;
fail:
	if (call->caller != NULL) { // the request goes back to who will refuse it
		sip_server_set_owner(server, NULL);
		call->caller->server = NULL;
	}
	leg_destroy(call->caller);
	free(call);
	return NULL;
}

struct call *call_create_target(const struct call *call, enum call_direction direction,
				enum refusal_cause *out_cause)
{
	struct calls *calls = call->calls;
	*out_cause = REFUSED_CALLS;
	if (calls->by_sid.count >= calls->config->sip.max_calls)
		return NULL;
	struct call *target = new_call(calls);
	if (target == NULL)
		return NULL;
	target->direction = direction;
	(void)text_copy(text_of(call->trunk_name), target->trunk_name, sizeof target->trunk_name);
	target->has_symmetric_rtp = call->has_symmetric_rtp;
	target->is_secure = call->is_secure;
	target->security = call->security;
	target->suites = call->suites;
	target->has_transfer = call->has_transfer;
	target->shows_transferor = call->shows_transferor;
	target->max_forwards = call->max_forwards;
	*out_cause = REFUSED_HISTORY;
	if (!record_open_target(target, call)) {
		free(target);
		return NULL;
	}
	link_call(calls, target);
	return target;
}

unsigned calls_count(const struct calls *calls)
{
	return (unsigned)calls->by_sid.count;
}

unsigned calls_limited(const struct calls *calls)
{
	return limits_calls(calls->limits);
}

const struct call *calls_next(const struct calls *calls, const struct call *after)
{
	return after == NULL ? calls->oldest : after->next;
}

static bool is_call(const struct map_node *node, const void *key)
{
	return text_is_equal(text_of(map_entry(node, struct call, by_sid)->sid),
			     *(const struct text *)key);
}

struct call *calls_find(const struct calls *calls, struct text sid)
{
	struct map_node *node = map_find(&calls->by_sid, map_hash(sid), is_call, &sid);
	return node != NULL ? map_entry(node, struct call, by_sid) : NULL;
}

void calls_hang_up(struct calls *calls)
{
	for (struct call *call = calls->oldest; call != NULL; call = call->next)
		call_hang_up(call);
}

void calls_detach(struct calls *calls)
{
	if (calls == NULL)
		return;
	health_stop(calls->health);
	for (struct call *call = calls->oldest; call != NULL; call = call->next) {
		leg_detach(call->caller);
		leg_detach(call->called);
	}
	for (struct leg *leg = calls->given_up; leg != NULL; leg = leg->next)
		leg_detach(leg);
}

void calls_destroy(struct calls *calls)
{
	if (calls == NULL)
		return;
	replay_stop(calls->replay);
	leak_stop(calls);
	while (calls->oldest != NULL)
		destroy(calls->oldest);
	while (calls->given_up != NULL)
		leg_destroy(calls->given_up);
	map_clear(&calls->by_sid);
	health_destroy(calls->health);
	limits_destroy(calls->limits);
	replay_ring_destroy(calls->ring);
	free(calls);
}

const struct call_counters *calls_counters(const struct calls *calls)
{
	return &calls->counters;
}
