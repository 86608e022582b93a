#pragma once

// Digits between a party that has INFO for them and one that has telephone events (media.dtmf): the bodies
// application/dtmf-relay and application/dtmf, of which no RFC speaks, and what becomes of them.
// Runs on: control thread.

#include "call/state.h"
#include "media/digits/digits.h"

struct digits_press {
	char digit; // '0' to '9', '*', '#', 'A' to 'D'
	unsigned duration_ms; // MEDIA_DIGIT_MS where it is not said
};

// "Signal=5\r\nDuration=160\r\n", or the digit alone. false: another kind of body, or nothing that is a key.
bool digits_parse(struct text content_type, struct text body, struct digits_press *out_press);

// What it says it knows, for what its media may be offered; after its Allow was noted, before its
// description is answered.
void digits_note_leg(const struct leg *leg);
// An INFO of this party became a telephone event for the other one, and was answered. false: it is passed on.
bool digits_take_info(struct leg *leg, struct sip_server *server, const struct sip_message *info);
// A media_digit_fn: a telephone event of a party becomes an INFO to the other one.
void digits_heard(void *owner, struct media *media, enum media_side side, char digit,
		  unsigned duration_ms);
