#pragma once

// One call as a story: who, when, the ladder of messages, what each leg sent, how it ended.

#include <jansson.h>
#include <stdio.h>

void story_print(const json_t *call, FILE *out);
