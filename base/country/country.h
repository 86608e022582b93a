#pragma once

// Countries, and which one a telephone number is of: by the longest prefix, so that those who share a
// country code are told apart (+1 246 is Barbados, TERM-030). The table is made by tools/plan/countries.
// Runs on: any thread; constant.

#include <stdint.h>

#include "base/text.h"

#define COUNTRY_MAX 256 // places for countries
#define COUNTRY_NONE COUNTRY_MAX

// A number is E.164, with its plus sign or without. COUNTRY_NONE: its code is nobody's.
unsigned country_of_number(struct text e164);
// ISO 3166-1 alpha-2, case ignored; "001" for networks that are no country's. COUNTRY_NONE: unknown.
unsigned country_of_code(struct text code);
const char *country_code(unsigned country); // "JP"; NULL past the last
const char *country_name(unsigned country);

struct country_set { // of countries by number
	uint32_t words[COUNTRY_MAX / 32];
	bool is_all; // also numbers that are no country's
};

static inline void country_set_add(struct country_set *set, unsigned country)
{
	set->words[country / 32] |= 1u << country % 32;
}

static inline bool country_set_has(const struct country_set *set, unsigned country)
{
	return set->is_all ||
	       (country < COUNTRY_MAX && (set->words[country / 32] >> country % 32 & 1) != 0);
}

// Adds one code, or all with "all"; false: it is neither, and the set as before.
bool country_set_add_code(struct country_set *set, struct text code);
// "CA JP US", or "all".
void country_set_write(const struct country_set *set, struct writer *writer);
