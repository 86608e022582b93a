#pragma once

// One explanation on its way. Inside this folder alone.
// Runs on: control thread.

#include "call/admission/admission.h"
#include "call/explain/explain.h"
#include "media/preview/preview.h"

struct walk {
	struct calls *calls;
	const struct explain_question *question;
	struct admission_case admission;
	bool is_inbound; // from a carrier
	bool is_takeover; // by Replaces, of a call that is up: it needs nothing that a new call does
	struct media_preview preview;
	struct explanation *explanation;
};

struct walk_check { // beside the table of admission: before and after it
	const char *name, *rows, *text;
	enum explain_fate (*judge)(struct walk *walk, struct writer *detail);
};

const struct walk_check *walk_before(unsigned nth); // arrival.c; NULL past the last
const struct walk_check *walk_after(unsigned nth); // beyond.c
enum explain_fate walk_refuse(struct walk *walk, enum refusal_cause cause, const char *header,
			      struct text seen, const char *expected);
