#pragma once

// An answer of trunkd as people read it.

#include <jansson.h>
#include <stdio.h>

void show_answer(const json_t *answer, FILE *out);
void show_refusal(const json_t *answer, FILE *out);
