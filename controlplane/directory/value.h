#pragma once

// One value of one field: from what was typed or stored to its canonical form, or a precise refusal.
// Runs on: any thread; pure.

#include "base/status.h"
#include "base/text.h"

struct directory_field;
struct directory_problem;

#define DIRECTORY_VALUE_SIZE 1280 // 32 SIDs with their separators

// ERR_MALFORMED: the problem says what was seen and what is allowed; out then holds nothing of use.
enum status directory_value_write(const struct directory_field *field, struct text value,
				  struct writer *out, struct directory_problem *out_problem);
// The next of several references, separated by spaces or commas; empty at the end.
struct text directory_value_next(struct text *rest);
// As much of it as a message shows; "(not shown)" when it is not printable.
struct text directory_value_shown(struct text value);
// RFC 1123 2.1, in lower case. False: it is none, or could be taken for an address.
bool directory_value_write_host_name(struct text host, struct writer *out);
// Whole sequences of well-formed UTF-8 without control characters (RFC 3629, no C1 either).
bool directory_value_is_printable(struct text text);
