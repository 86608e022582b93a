#pragma once

// Digits of a call's media: what a worker heard a side press, and what it is to send a side as telephone
// events. And whether digits go to a side by other means, which decides what the other side is offered.
// Digits are card numbers and passwords: they are kept only where the configuration says so, never logged.
// Runs on: control thread.

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"
#include "media/media.h"

#define MEDIA_DIGIT_MS 100 // how long one is held where nobody says it; and the gap behind it
#define MEDIA_DIGIT_MIN_MS 40
#define MEDIA_DIGIT_MAX_MS 8000
#define MEDIA_DIGITS_KEPT 64 // of a side, for the operator; what comes behind is counted alone

// That side has pressed a key: '0' to '9', '*', '#', 'A' to 'D'.
typedef void (*media_digit_fn)(void *owner, struct media *media, enum media_side side, char digit,
			       unsigned duration_ms);

// NULL: nobody asks. `keeps`: media_digits_kept has them.
void media_engine_set_digits(struct media_engine *engine, media_digit_fn digit, bool keeps);

// Digits can be told that side without telephone events (INFO). Where it names none the other side's
// events are taken all the same, or offered to it: control hears them, and can send them. Before the
// description that this is about is written.
void media_set_told_digits(struct media *media, enum media_side side, bool is_told);
// Both sides' descriptions as they are in force: telephone events go to it, or come from it.
bool media_takes_events(const struct media *media, enum media_side side);
bool media_sends_events(const struct media *media, enum media_side side);
// Telephone events to that side, behind those that wait; at most MESSAGE_DIGITS_MAX of them, held for
// MEDIA_DIGIT_MIN_MS at least. ERR_UNSUPPORTED: it takes none, or its stream is not open. ERR_BUSY: the
// worker's inbox is full.
enum status media_send_digits(struct media *media, enum media_side to, struct text digits,
			      unsigned duration_ms);
// The first ones that side pressed, for as long as the call lives; "": none, or they are not kept.
const char *media_digits_kept(const struct media *media, enum media_side side);
