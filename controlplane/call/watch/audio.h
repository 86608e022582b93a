#pragma once

// Watches whether both parties of an answered call hear each other: a verdict per direction with its
// cause (MEDIA-013 to -017, -025), one alert per call and cause, metrics.
// Runs on: control thread.

#include "call/state.h"

void audio_init(struct call *call);
void audio_start(struct call *call); // answered: looks from now on
void audio_change(struct call *call); // the parties agreed on something else: begins anew
void audio_replace(struct call *call, enum media_side side); // another party is there: the same
void audio_leave(struct call *call); // its parties go: no last look
void audio_stop(struct call *call); // the call ends; also when it was never answered
void audio_clear(struct call *call); // before it is freed

// The first packet was dropped for its TTL: told at once (MEDIA-017).
void audio_tell_ttl(struct call *call, enum media_side side);
