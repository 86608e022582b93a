#pragma once

// What every alert code means, for people: title, meaning, causes and remedies in English and Japanese,
// an example, and whether it is an error (DEBUG-031, DEBUG-033, OTHER-008). The texts stand in alerts.txt;
// status and phrase on the wire are those of the table of refusals.
// Runs on: any thread; constant.

#include <stdint.h>
#include <stdio.h>

#include "base/text.h"
#include "history/history.h"

struct refusal_row;

#define CATALOGUE_TEXTS 6 // causes, or remedies, of a code, and the NULL behind them

enum catalogue_language { CATALOGUE_ENGLISH, CATALOGUE_JAPANESE, CATALOGUE_LANGUAGES };

struct catalogue_text { // UTF-8
	const char *title, *means;
	const char *causes[CATALOGUE_TEXTS], *fixes[CATALOGUE_TEXTS]; // up to a NULL
};

struct catalogue_entry {
	uint32_t code;
	enum history_severity severity;
	const char *header, *seen, *expected; // an example
	unsigned guides; // bits, by place in catalogue_guides
	struct catalogue_text texts[CATALOGUE_LANGUAGES];
};

// Made from alerts.txt, in ascending order of codes.
extern const struct catalogue_entry catalogue_entries[];
extern const unsigned catalogue_entry_count;
extern const char *const catalogue_guides[][CATALOGUE_LANGUAGES];
extern const unsigned catalogue_guide_count;

const struct catalogue_entry *catalogue_find(uint32_t code); // NULL: there is no such code
enum history_severity catalogue_severity(uint32_t code); // WARNING when there is no such code
// "en", "ja"; CATALOGUE_LANGUAGES: none of these.
enum catalogue_language catalogue_language_of(struct text word);
// The answers on the wire that come with a code: "403 Forbidden", one a call, until NULL.
const char *catalogue_answer(uint32_t code, unsigned place, char room[static 64]);
// The causes that have this code, told apart by their labels in alerts, up to NULL.
const struct refusal_row *catalogue_cause(uint32_t code, unsigned place);
// Where the code is explained: `base` with {code} in it, or before it. Empty when base is.
void catalogue_link(const char *base, uint32_t code, struct writer *writer);

// The reference pages.
void catalogue_describe(FILE *out);
void catalogue_describe_japanese(FILE *out);
