#pragma once

// One question to trunkd and its answer, over the operator's socket.

#include <stdbool.h>

#include "base/text.h"

// The answer, allocated and ending in a zero; NULL: *out_problem says why and what to do.
char *wire_ask(const char *path, struct text line, char *out_problem, unsigned problem_size);
