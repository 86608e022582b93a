#pragma once

// The line that asks, made of the words of the command line. Passwords come from elsewhere: words
// are seen by everybody in the list of processes.

#include "base/text.h"

#define LINE_SIZE 65536

// False: *out_problem says what is wrong. The line may hold a password; wipe it after use.
bool line_write(struct writer *writer, char *const *words, int count, const char **out_problem);
