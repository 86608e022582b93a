#pragma once

// Lists as comma-separated values (RFC 4180), for spreadsheets and databases.

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

// The first list of an answer, one line a row under a line of names; values as trunkd gives them. False:
// the answer has no list.
bool csv_print(const json_t *answer, FILE *out);
