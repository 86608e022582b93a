// What others may see and do of a call. Runs on the control thread.

#include "call/call.h"

#include <string.h>

#include "call/end.h"
#include "call/engine.h"
#include "call/record.h"
#include "call/state.h"
#include "call/watch/audio.h"
#include "media/digits/digits.h"

const char *call_state_text(enum call_state state)
{
#define CALL_STATE_TEXT(name, text) [name] = text,
	static const char *const texts[CALL_STATE_COUNT] = { CALL_STATE_LIST(CALL_STATE_TEXT) };
#undef CALL_STATE_TEXT
	return texts[state];
}

enum media_side call_customer_side(const struct call *call)
{
	return call->direction == CALL_TO_PBX ? MEDIA_CALLED : MEDIA_CALLER;
}

void call_read(const struct call *call, struct call_facts *out_facts)
{
	static const struct history_call none; // whose record went along with who was transferred
	const struct history_call *record = call->record != NULL ? call->record : &none;
	*out_facts = (struct call_facts){
		.sid = call->sid,
		.account_sid = record->account_sid,
		.trunk_sid = record->trunk_sid,
		.trunk_name = call->trunk_name,
		.carrier_name = call->carrier_name,
		.uri = record->uri,
		.direction = call->direction,
		.from = record->from,
		.to = record->to,
		.call_id_in = record->call_id_in,
		.call_id_out = record->call_id_out,
		.ladder = record->ladder,
		.state = call->state,
		.start_ms = record->start_ms,
		.answer_ms = record->answer_ms,
		.has_media = call->media != NULL,
		.is_secure = call->is_secure,
	};
	if (call->caller != NULL)
		out_facts->caller = call->caller->peer;
	if (call->called != NULL)
		out_facts->called = call->called->peer;
	if (call->caller != NULL)
		out_facts->ways[MEDIA_CALLER] = call->caller->way;
	if (call->called != NULL)
		out_facts->ways[MEDIA_CALLED] = call->called->way;
	for (unsigned side = 0; side < MEDIA_SIDES; side++) {
		out_facts->verdicts[side] = (enum diagnosis)call->audio.verdicts[side];
		out_facts->causes[side] = (enum diagnosis)call->audio.causes[side];
		out_facts->learned_ms[side] = call->audio.learned_ms[side];
		out_facts->refused_ms[side] = call->audio.refused_ms[side];
	}
	if (call->media == NULL)
		return;
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		out_facts->digits[side] = media_digits_kept(call->media, (enum media_side)side);
	media_read(call->media, MEDIA_CALLER, &out_facts->media[MEDIA_CALLER]);
	media_read(call->media, MEDIA_CALLED, &out_facts->media[MEDIA_CALLED]);
}

void call_hang_up(struct call *call)
{
	struct ending ending = { .ended_by = HISTORY_END_OPERATOR,
				 .status = 503,
				 .reason = "hung up by the operator" };
	call_end(call, &ending);
}

void call_media_event(void *owner, struct media *media, enum media_side side,
		      enum media_event event)
{
	(void)media;
	struct call *call = owner;
	switch (event) {
	case MEDIA_STARTED:
	case MEDIA_UNAUTHENTIC:
		break; // seen in the figures
	case MEDIA_LEARNED:
		call->audio.learned_ms[side] = call->calls->clock->wall_ms;
		break;
	case MEDIA_REFUSED:
		call->audio.refused_ms[side] = call->calls->clock->wall_ms;
		break;
	case MEDIA_TTL:
		audio_tell_ttl(call, side);
		break;
	case MEDIA_CLOSED:
		record_media(call);
		call->media = NULL;
		if (call->state == CALL_ENDING) // else its parties are still to be told
			call_reap_soon(call);
		break;
	}
}
