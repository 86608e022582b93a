#pragma once

// The session descriptions a story can name.
// Runs on: the thread of the test.

#include <stdbool.h>

#include "base/text.h"

// False: no description of that name.
bool body_write(const char *name, const char *media_host, unsigned version, struct writer *writer);
