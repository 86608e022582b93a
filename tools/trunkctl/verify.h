#pragma once

// `trunkctl test trunk TRUNK [to=NUMBER] [wait=SECONDS]` (TRUNK-024).

#include <stdbool.h>

bool verify_is_wanted(char *const *words, int count);
// Returns the exit status: 0 when both directions pass; with wait=, when a call of each did.
int verify_run(const char *socket, char *const *words, int count);
