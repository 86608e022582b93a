#pragma once

// A request whose refusal ends the program. What goes wrong is printed to stderr.

#include <jansson.h>

#include "base/text.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE 2 // or nobody answers

// NULL: refused, or no answer; *out_status is the program's then, and else left as it was.
json_t *ask_trunkd(const char *socket, struct text line, int *out_status);
