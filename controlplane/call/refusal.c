// The table of refusals. Constant; runs on the control thread.

#include "call/refusal.h"

#include <assert.h>

#include "call/call.h"

// clang-format off
#define REFUSAL_ROW(name, label, status, phrase, code, fix) \
	[REFUSED_##name] = { label, status, phrase, code, fix },
#define AUDIO_ROW(name, label, code, what, fix) \
	[REFUSED_AUDIO_##name] = { "audio_" label, 0, what, code, fix },
static const struct refusal_row rows[REFUSAL_COUNT] = {
	[REFUSED_NOT] = { "none", 0, "", 0, "" },
	REFUSAL_LIST(REFUSAL_ROW)
	DIAGNOSIS_LIST(AUDIO_ROW)
};
#undef AUDIO_ROW
#undef REFUSAL_ROW
// clang-format on

// The counters of struct call_counters and the bits of a call's `alerted`.
static_assert(REFUSAL_COUNT <= 128);

const struct refusal_row *refusal_row(enum refusal_cause cause)
{
	assert(cause < REFUSAL_COUNT);
	return &rows[cause];
}

enum refusal_cause refusal_of_audio(enum diagnosis diagnosis)
{
	assert(diagnosis > DIAGNOSIS_NONE && diagnosis < DIAGNOSIS_COUNT);
	return (enum refusal_cause)(REFUSAL_COUNT - DIAGNOSIS_COUNT + diagnosis);
}

const char *call_refusal_label(unsigned row)
{
	return row + 1 < REFUSAL_COUNT ? rows[row + 1].label : NULL;
}

enum refusal_cause refusal_set(struct refusal *refusal, enum refusal_cause cause,
			       const char *header, struct text seen, const char *expected)
{
	refusal->cause = cause;
	text_copy_cut(text_of(header), refusal->header, sizeof refusal->header);
	text_copy_cut(seen, refusal->seen, sizeof refusal->seen);
	text_copy_cut(text_of(expected), refusal->expected, sizeof refusal->expected);
	return cause;
}

static enum refusal_cause of_objection(enum media_objection objection)
{
	switch (objection) {
	case MEDIA_OBJECTION_SECURE:
		return REFUSED_SRTP_OFFERED; // D-30
	case MEDIA_OBJECTION_PLAIN:
		return REFUSED_SRTP_MISSING; // SRTP-007
	case MEDIA_OBJECTION_KEYS:
		return REFUSED_SRTP_KEYS; // D-33
	case MEDIA_OBJECTION_NONE:
		break;
	}
	return REFUSED_MEDIA;
}

enum refusal_cause refusal_of_media(enum status status, enum media_objection objection)
{
	switch (status) {
	case ERR_MALFORMED:
		return REFUSED_SDP;
	case ERR_UNSUPPORTED:
		return REFUSED_CODEC; // MEDIA-003
	case ERR_LIMIT:
		return REFUSED_PORTS; // LIMIT-016
	case ERR_UNAVAILABLE:
	case ERR_BUSY:
		return REFUSED_DATAPLANE;
	default:
		return of_objection(objection);
	}
}

void refusal_count(struct call_counters *counters, enum refusal_cause cause)
{
	assert(cause != REFUSED_NOT);
	counter_add(&counters->troubles[cause - 1], 1);
}
