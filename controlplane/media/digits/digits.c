// Digits between the workers and a call's owner. Runs on: control thread. Whatever held one is wiped.

#include "media/digits/digits.h"

#include <string.h>

#include "base/secret.h"
#include "dataplane/dataplane.h"
#include "media/engine.h"

void media_engine_set_digits(struct media_engine *engine, media_digit_fn digit, bool keeps)
{
	engine->digit = digit;
	engine->keeps_digits = keeps;
}

void media_set_told_digits(struct media *media, enum media_side side, bool is_told)
{
	media->legs[side].is_told_digits = is_told;
}

bool media_takes_events(const struct media *media, enum media_side side)
{
	const struct media_leg *leg = &media->legs[side];
	return leg->current.line_count > 0 && leg->current.event_type != PAYLOAD_TYPE_NONE;
}

bool media_sends_events(const struct media *media, enum media_side side)
{
	return media_takes_events(media, side) &&
	       media->legs[side].session.event_type != PAYLOAD_TYPE_NONE;
}

enum status media_send_digits(struct media *media, enum media_side to, struct text digits,
			      unsigned duration_ms)
{
	struct dataplane *dataplane = media->engine->options.dataplane;
	const struct media_flow *flow = &media->legs[!to].flows[0]; // what leaves for it
	if (!dataplane || !flow->is_open || flow->sent.payload_out == PAYLOAD_TYPE_NONE ||
	    digits.size == 0 || digits.size > MESSAGE_DIGITS_MAX)
		return ERR_UNSUPPORTED;
	struct message message = {
		.kind = MESSAGE_STREAM_DIGITS,
		.stream = { flow->index, flow->generation },
		.digits = { .count = (uint8_t)digits.size,
			    .duration_ms = (uint16_t)(duration_ms < MEDIA_DIGIT_MAX_MS
							      ? duration_ms
							      : MEDIA_DIGIT_MAX_MS),
			    .gap_ms = MEDIA_DIGIT_MS },
	};
	if (message.digits.duration_ms < MEDIA_DIGIT_MIN_MS)
		message.digits.duration_ms = MEDIA_DIGIT_MIN_MS;
	memcpy(message.digits.text, digits.data, digits.size);
	enum status status = dataplane_send(dataplane, &message);
	secret_wipe(&message, sizeof(message));
	return status;
}

const char *media_digits_kept(const struct media *media, enum media_side side)
{
	return media->legs[side].digits;
}

// What a worker says is untrusted: one character, of those there are.
void media_note_digit(struct media *media, enum media_side side, const struct message *message)
{
	struct media_engine *engine = media->engine;
	struct media_leg *leg = &media->legs[side];
	const char digit = message->digits.text[0];
	if (message->digits.count != 1 || digit == 0 || !strchr("0123456789*#ABCD", digit))
		return;
	size_t kept = strlen(leg->digits);
	if (engine->keeps_digits && kept < MEDIA_DIGITS_KEPT)
		leg->digits[kept] = digit;
	if (engine->digit)
		engine->digit(media->owner, media, side, digit, message->digits.duration_ms);
}
