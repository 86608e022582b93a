// How two calls become one. Runs on the control thread; never waits.

#include "call/transfer/join.h"

#include "base/log.h"
#include "call/leg.h"
#include "call/limit/limits.h"
#include "call/record.h"
#include "call/session/change.h"
#include "call/session/info.h"
#include "call/transfer/subscription.h"
#include "call/watch/audio.h"
#include "media/join/join.h"

// Who is told first answers, and that may be news to the other; then both know enough.
#define NEWS_MAX 1

static bool is_idle(const struct leg *leg)
{
	return leg == NULL || (leg->server == NULL && !leg->is_ack_owed && !leg->is_offered);
}

bool join_is_possible(const struct call *call)
{
	return call->state == CALL_UP && call->media != NULL && call->change.asked == NULL &&
	       is_idle(call->caller) && is_idle(call->called);
}

static struct leg **place_of(struct call *call, enum media_side side)
{
	return side == MEDIA_CALLER ? &call->caller : &call->called;
}

// What was asked of one party for another is answered, and what waits to be told is old.
static void quiet(struct call *call)
{
	struct leg *legs[] = { call->caller, call->called };
	wheel_stop(&call->change.timer);
	for (unsigned i = 0; i < 2; i++) {
		if (legs[i] == NULL)
			continue;
		info_end(legs[i]);
		legs[i]->is_stale = legs[i]->is_misled = false;
	}
}

static void exchange(struct leg *leaving, struct leg *coming)
{
	struct call *call = leaving->call, *other = coming->call;
	enum media_side side = leaving->side;
	*place_of(call, side) = coming;
	*place_of(other, coming->side) = leaving;
	leaving->side = coming->side;
	coming->side = side;
	leaving->call = other;
	coming->call = call;
}

static void end_joined(struct call *call, struct joined *joined, enum history_end ended_by,
		       const struct ending *ending)
{
	struct history_call *record = joined->record;
	bool was_answered = record->answer_ms != 0;
	limits_give(call->calls->limits, &joined->limit);
	record_finish(call->calls, record, ended_by, was_answered ? 200 : ending->status,
		      ending->reason ? ending->reason : sip_reason(ending->status));
}

static void close_joined(struct call *call, struct joined *joined)
{
	if (joined->record != NULL)
		record_hand_over(call->calls, joined->record);
	*joined = (struct joined){ 0 };
}

// The record of the party that leaves ends, where it has one of its own; that of who comes goes on.
static void move_record(struct call *call, enum media_side side, struct call *other,
			enum media_side other_side)
{
	static const struct ending ending = { .status = 200, .reason = "transferred" };
	struct joined *joined = &call->joined[side], *brought = &other->joined[other_side];
	if (joined->record != NULL)
		end_joined(call, joined, HISTORY_END_TRUNKD, &ending);
	close_joined(call, joined);
	if (brought->record == NULL) {
		*brought = (struct joined){ other->record, other_side, other->limit };
		other->record = NULL;
		other->limit = (struct limit_slot){ 0 };
	}
	*joined = *brought;
	*brought = (struct joined){ 0 };
	text_copy_cut(text_of(call->sid), joined->record->parent_sid,
		      sizeof joined->record->parent_sid);
}

// What is left of the other call: those who leave, until they are told.
static void say_goodbye(struct call *other, struct leg *leaving)
{
	other->state = CALL_LEAVING;
	wheel_stop(&other->duration_timer);
	media_close(other->media);
	subscription_tell(leaving, 200, NULL);
}

// What both hear changes what each must be told: who stays hears it first, and its answer counts.
static void tell_news(struct call *call, struct leg *staying, struct leg *coming)
{
	call->news_left = NEWS_MAX;
	staying->is_stale = media_has_news(call->media, staying->side);
	coming->is_stale = !staying->is_stale && media_has_news(call->media, coming->side);
	change_settle(call);
}

bool join_calls(struct call *call, struct leg *leaving, struct leg *coming)
{
	struct call *other = coming->call;
	enum media_side side = leaving->side, other_side = coming->side;
	quiet(call);
	quiet(other);
	record_media(call);
	record_media(other);
	if (media_join(call->media, side, other->media, other_side) != OK)
		return false;
	audio_leave(other);
	move_record(call, side, other, other_side);
	exchange(leaving, coming);
	media_connect(call->media);
	audio_replace(call, side);
	log_event(LOG_INFO, "calls_joined", "call", call->sid, "with", other->sid, NULL);
	tell_news(call, leg_other(coming), coming);
	say_goodbye(other, leaving);
	return true;
}

// Who ended the call, seen from the other side of it.
static enum history_end turned(enum history_end ended_by)
{
	return ended_by == HISTORY_END_CALLER   ? HISTORY_END_CALLED
	       : ended_by == HISTORY_END_CALLED ? HISTORY_END_CALLER
						: ended_by;
}

void join_end(struct call *call, const struct ending *ending)
{
	for (unsigned side = 0; side < MEDIA_SIDES; side++) {
		struct joined *joined = &call->joined[side];
		bool is_turned = joined->side != (enum media_side)side;
		if (joined->record != NULL)
			end_joined(call, joined,
				   is_turned ? turned(ending->ended_by) : ending->ended_by, ending);
	}
}

void join_close(struct call *call)
{
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		close_joined(call, &call->joined[side]);
}

const char *join_number(const struct call *call, enum media_side side)
{
	const struct joined *joined = &call->joined[side];
	const struct history_call *record = joined->record != NULL ? joined->record : call->record;
	if (record == NULL)
		return "";
	if (joined->record != NULL)
		side = joined->side;
	return side == MEDIA_CALLER ? record->from : record->to;
}
