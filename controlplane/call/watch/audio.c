// The watch over a call's audio: a look every five seconds, at a call's two directions. Runs on the
// control thread; reads counters, and never touches media or signalling.

#include "call/watch/audio.h"

#include <string.h>

#include "call/leg.h"
#include "call/record.h"
#include "call/watch/evidence.h"

#define LOOK_MS 5000 // what was counted between two looks makes the verdict

static enum media_side other(enum media_side side)
{
	return side == MEDIA_CALLER ? MEDIA_CALLED : MEDIA_CALLER;
}

static bool is_customer(const struct call *call, enum media_side side)
{
	const struct leg *leg = side == MEDIA_CALLER ? call->caller : call->called;
	return leg != NULL ? leg->is_customer : side == call_customer_side(call);
}

// Who is spoken to tells, whoever called: after a transfer both may be of the PSTN, or both the customer's.
static enum call_direction direction_of(const struct call *call, enum media_side speaker)
{
	return is_customer(call, other(speaker)) ? CALL_TO_PBX : CALL_TO_PSTN;
}

const char *call_direction_label(enum call_direction direction)
{
	static const char *const labels[CALL_DIRECTIONS] = {
		[CALL_TO_PSTN] = "to_pstn", [CALL_TO_PBX] = "to_pbx"
	};
	return labels[direction];
}

static uint64_t now_ns(const struct call *call)
{
	return call->calls->clock->now_ms * 1000000;
}

static void read_both(const struct call *call, struct media_figures figures[static MEDIA_SIDES])
{
	media_read(call->media, MEDIA_CALLER, &figures[MEDIA_CALLER]);
	media_read(call->media, MEDIA_CALLED, &figures[MEDIA_CALLED]);
}

static void mark(struct call *call, const struct media_figures figures[static MEDIA_SIDES])
{
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		call->audio.marks[side] =
			diagnosis_mark(&figures[side], &figures[other((enum media_side)side)]);
}

// By the direction it was counted in: a party of it may be another one by now.
static void uncount(struct call *call, enum media_side speaker)
{
	const struct call_audio *audio = &call->audio;
	struct counter *now =
		&call->calls->counters
			 .one_way_now[audio->verdicts[speaker]][audio->directions[speaker]];
	if (audio->verdicts[speaker] != DIAGNOSIS_NONE)
		counter_set(now, counter_get(now) - 1);
}

static void set_verdict(struct call *call, enum media_side speaker, enum diagnosis found)
{
	struct call_audio *audio = &call->audio;
	struct call_counters *counters = &call->calls->counters;
	enum call_direction direction = direction_of(call, speaker);
	enum diagnosis former = (enum diagnosis)audio->verdicts[speaker];
	if (found == former)
		return;
	uncount(call, speaker);
	audio->verdicts[speaker] = (uint8_t)found;
	audio->directions[speaker] = (uint8_t)direction;
	if (found == DIAGNOSIS_NONE)
		return;
	audio->causes[speaker] = (uint8_t)found;
	counter_add(&counters->one_way_now[found][direction], 1);
	if ((audio->counted[speaker] & 1u << found) == 0)
		counter_add(&counters->one_way[found][direction], 1);
	audio->counted[speaker] |= 1u << found;
}

static enum diagnosis find(struct call *call, enum media_side speaker,
			   const struct media_figures figures[static MEDIA_SIDES], bool is_final)
{
	struct call_audio *audio = &call->audio;
	enum media_side listener = other(speaker);
	const struct leg *leg = listener == MEDIA_CALLER ? call->caller : call->called;
	bool is_open = figures[speaker].rtp.is_open; // not while the dataplane is away
	if (!is_open || !diagnosis_is_due(&figures[speaker], &figures[listener])) {
		audio->since_ns[speaker] = 0;
		return DIAGNOSIS_NONE;
	}
	if (audio->since_ns[speaker] == 0)
		audio->since_ns[speaker] = now_ns(call);
	struct diagnosis_case one = {
		.speaker = &figures[speaker],
		.listener = &figures[listener],
		.now_ns = now_ns(call),
		.answered_ns = audio->since_ns[speaker],
		.is_symmetric_listener = is_customer(call, listener) && call->has_symmetric_rtp,
		.is_listener_near = leg != NULL && address_is_private(&leg->peer),
		.is_final = is_final,
		.mark = &audio->marks[speaker],
	};
	enum diagnosis found = diagnosis_find(&one);
	bool has_come = figures[speaker].rtp.packets != audio->marks[speaker].packets;
	// No cause is shown and nothing came: what was said before still stands.
	return found == DIAGNOSIS_NONE && !has_come ? (enum diagnosis)audio->verdicts[speaker]
						    : found;
}

static void alert(struct call *call, enum media_side speaker,
		  const struct media_figures figures[static MEDIA_SIDES])
{
	enum diagnosis verdict = (enum diagnosis)call->audio.verdicts[speaker];
	struct evidence evidence = { .speaker = &figures[speaker],
				     .listener = &figures[other(speaker)],
				     .diagnosis = verdict,
				     .direction = direction_of(call, speaker),
				     .is_from_customer = is_customer(call, speaker),
				     .is_neither = call->audio.verdicts[other(speaker)] !=
						   DIAGNOSIS_NONE };
	struct refusal refusal = { 0 };
	// The same address was told of already, when the call was answered.
	if (verdict == DIAGNOSIS_PRIVATE_DESTINATION &&
	    record_has_alerted(call, REFUSED_AUDIO_PRIVATE_SOURCE))
		return;
	evidence_tell(&evidence, &refusal);
	record_alert(call, &refusal);
}

static void look(struct call *call, bool is_final)
{
	struct media_figures figures[MEDIA_SIDES];
	enum diagnosis found[MEDIA_SIDES];
	read_both(call, figures);
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		found[side] = find(call, (enum media_side)side, figures, is_final);
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		set_verdict(call, (enum media_side)side, found[side]);
	for (unsigned side = 0; side < MEDIA_SIDES; side++) {
		if (found[side] != DIAGNOSIS_NONE)
			alert(call, (enum media_side)side, figures); // the first time
	}
	mark(call, figures);
}

static void start_timer(struct call *call)
{
	wheel_start(call->calls->wheel, &call->audio.timer, call->calls->clock->now_ms + LOOK_MS);
}

static void look_again(struct wheel_timer *timer, void *context)
{
	(void)timer;
	struct call *call = context;
	call->audio.has_looked = true;
	look(call, false);
	start_timer(call);
}

void audio_init(struct call *call)
{
	wheel_timer_init(&call->audio.timer, look_again, call);
}

// MEDIA-012, -013: what we send there is lost, and the customer hears nothing.
static void tell_private(struct call *call, const struct media_figures *customer)
{
	struct refusal refusal = { 0 };
	char room[ADDRESS_TEXT_SIZE];
	if (!customer->is_private || call->has_symmetric_rtp ||
	    address_is_private(&leg_of_customer(call)->peer))
		return;
	(void)refusal_set(&refusal, REFUSED_AUDIO_PRIVATE_SOURCE,
			  "SDP c=", text_of(address_string(&customer->remote, room)),
			  "an address that can be reached from here");
	record_alert(call, &refusal);
}

void audio_start(struct call *call)
{
	struct media_figures figures[MEDIA_SIDES];
	read_both(call, figures);
	tell_private(call, &figures[call_customer_side(call)]);
	call->audio.since_ns[MEDIA_CALLER] = call->audio.since_ns[MEDIA_CALLED] = now_ns(call);
	mark(call, figures);
	start_timer(call);
}

void audio_change(struct call *call)
{
	struct media_figures figures[MEDIA_SIDES];
	read_both(call, figures);
	for (unsigned side = 0; side < MEDIA_SIDES; side++) {
		if (!diagnosis_is_due(&figures[side], &figures[other((enum media_side)side)]))
			set_verdict(call, (enum media_side)side, DIAGNOSIS_NONE);
		call->audio.since_ns[side] = now_ns(call);
	}
	mark(call, figures);
	start_timer(call);
}

void audio_replace(struct call *call, enum media_side side)
{
	for (unsigned i = 0; i < MEDIA_SIDES; i++)
		set_verdict(call, (enum media_side)i, DIAGNOSIS_NONE);
	memset(call->audio.counted, 0, sizeof call->audio.counted); // it is another conversation
	call->audio.causes[side] = DIAGNOSIS_NONE;
	call->audio.learned_ms[side] = call->audio.refused_ms[side] = 0;
	audio_change(call);
}

void audio_leave(struct call *call)
{
	wheel_stop(&call->audio.timer);
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		set_verdict(call, (enum media_side)side, DIAGNOSIS_NONE);
}

void audio_stop(struct call *call)
{
	bool is_watched = wheel_is_running(&call->audio.timer);
	wheel_stop(&call->audio.timer);
	if (is_watched && !call->audio.has_looked && call->media != NULL)
		look(call, true);
	for (unsigned side = 0; side < MEDIA_SIDES; side++)
		uncount(call, (enum media_side)side); // the verdict itself is kept
}

void audio_clear(struct call *call)
{
	wheel_stop(&call->audio.timer);
}

void audio_tell_ttl(struct call *call, enum media_side side)
{
	struct media_figures figures[MEDIA_SIDES];
	struct refusal refusal = { 0 };
	read_both(call, figures);
	struct evidence evidence = { .speaker = &figures[side],
				     .listener = &figures[other(side)],
				     .diagnosis = DIAGNOSIS_TTL,
				     .direction = direction_of(call, side),
				     .is_from_customer = is_customer(call, side) };
	evidence_tell(&evidence, &refusal);
	record_alert(call, &refusal);
}
