#pragma once

// Why a call is refused: one row per cause gives the answer on the wire, the alert and the metric's
// label, so that status and phrase alone tell causes apart (TERM-034, SIP-029, section B).
// Runs on: control thread; the table is constant.

#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "call/cause.h"
#include "media/quality/diagnosis.h"

// Besides these, one row for every cause of one-way audio, in the order of media/quality/diagnosis.h.
#define REFUSAL_ENUMERATOR(name, label, status, phrase, code, fix) REFUSED_##name,
#define REFUSAL_OF_AUDIO(name, label, code, what, fix) REFUSED_AUDIO_##name,
enum refusal_cause {
	REFUSED_NOT,
	REFUSAL_LIST(REFUSAL_ENUMERATOR) DIAGNOSIS_LIST(REFUSAL_OF_AUDIO) REFUSAL_COUNT
};
#undef REFUSAL_OF_AUDIO
#undef REFUSAL_ENUMERATOR

struct refusal { // one refused request: which row, and what its alert shows
	enum refusal_cause cause;
	char header[64]; // which header or part
	char seen[192]; // what stood there
	char expected[192]; // what is allowed there
};

struct refusal_row {
	const char *label;
	unsigned status;
	const char *phrase;
	uint32_t alert_code;
	const char *fix;
};

const struct refusal_row *refusal_row(enum refusal_cause cause);
enum refusal_cause refusal_of_audio(enum diagnosis diagnosis); // which must be one
// What an offer is refused for, or why no media could be opened for it.
enum refusal_cause refusal_of_media(enum status status, enum media_objection objection);
// Fills the struct; returns the cause, so that a check can end in `return refusal_set(…)`.
enum refusal_cause refusal_set(struct refusal *refusal, enum refusal_cause cause,
			       const char *header, struct text seen, const char *expected);

struct call_counters;
void refusal_count(struct call_counters *counters, enum refusal_cause cause);
