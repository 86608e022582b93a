#pragma once

// A caller's name as a database gives it, made fit for a SIP header, and numbers that have names at all.
// Runs on: any thread; pure.

#include <stdbool.h>

#include "base/text.h"

#define CNAM_CHARACTERS_MAX 15 // of a name, as telephones show it (ANSI T1.641)
#define CNAM_NAME_SIZE (4 * CNAM_CHARACTERS_MAX + 1) // in UTF-8, with its zero

// At most 15 characters of well-formed UTF-8 without control characters, runs of spaces as one, none at
// the ends; "" when nothing is left. What a quoted string must escape stays: see below (CNAM-012).
void cnam_name_clean(struct text raw, char room[static CNAM_NAME_SIZE]);
// As a display name: in quotes, with quotes and backslashes escaped (RFC 3261 25.1).
void cnam_name_write_quoted(const char *name, struct writer *writer);
// Is it a number of the United States or Canada, whose names are public? Not those of other countries
// below +1, nor numbers of no place (CNAM-003, D-40).
bool cnam_name_is_public(struct text e164);
