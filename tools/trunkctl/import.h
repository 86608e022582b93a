#pragma once

// Files of numbers: read here, sent row by row, taken by trunkd as a whole or not at all.

#include <stdbool.h>

// Do these words want a file imported?
bool import_is_wanted(char *const *words, int count);
int import_run(const char *socket, const char *path); // the exit status of the program
