// The table of refusals. Constant; runs on the control thread.

#include "call/refusal.h"

#include <assert.h>

#include "call/call.h"

// clang-format off
#define REFUSAL_ROW(name, label, status, phrase, code, fix) \
	[REFUSED_##name] = { label, status, phrase, code, fix },
static const struct refusal_row rows[REFUSAL_COUNT] = {
	[REFUSED_NOT] = { "none", 0, "", 0, "" },
	REFUSAL_LIST(REFUSAL_ROW)
};
#undef REFUSAL_ROW
// clang-format on

const struct refusal_row *refusal_row(enum refusal_cause cause)
{
	assert(cause < REFUSAL_COUNT);
	return &rows[cause];
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

void refusal_count(struct call_counters *counters, enum refusal_cause cause)
{
	assert(cause != REFUSED_NOT);
	counter_add(&counters->troubles[cause - 1], 1);
}
