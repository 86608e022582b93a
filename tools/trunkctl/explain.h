#pragma once

// The answer of explain as a story: who, each check, what it ends in, where it would go.

#include <jansson.h>
#include <stdio.h>

void explain_print(const json_t *explanation, FILE *out);
