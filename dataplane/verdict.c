// Names of verdicts.
// Runs on: any thread; constant.

#include "dataplane/verdict.h"

#include <stddef.h>

#define VERDICT_ROW(name, label, text) { label, text },
static const struct {
	const char *label, *text;
} rows[] = { VERDICT_LIST(VERDICT_ROW) };

const char *verdict_label(enum verdict verdict)
{
	return (unsigned)verdict < VERDICT_COUNT ? rows[verdict].label : "unknown";
}

const char *verdict_text(enum verdict verdict)
{
	return (unsigned)verdict < VERDICT_COUNT ? rows[verdict].text : "unknown";
}
