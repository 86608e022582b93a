#pragma once

// What a call remembers of who hears whom; part of struct call.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/wheel.h"
#include "media/media.h"
#include "media/quality/diagnosis.h"

// What is known of who hears whom (call/watch/audio.h). By the side that speaks.
struct call_audio {
	struct wheel_timer timer;
	bool has_looked;
	uint64_t since_ns[MEDIA_SIDES]; // since when it should be heard; 0: it need not be
	struct diagnosis_mark marks[MEDIA_SIDES]; // what was counted at the last look
	uint8_t verdicts[MEDIA_SIDES]; // enum diagnosis: why it is not heard now
	uint8_t directions[MEDIA_SIDES]; // enum call_direction, as that verdict is counted
	uint8_t causes[MEDIA_SIDES]; // the last verdict there was
	uint32_t counted[MEDIA_SIDES]; // bit per cause: in the metrics once a call
	uint64_t learned_ms[MEDIA_SIDES], refused_ms[MEDIA_SIDES]; // wall clock, of the last time
};
