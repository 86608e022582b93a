#pragma once

// The domains of all trunks at one moment, sorted, each once.
// Runs on: any thread; made by one, then given to another.

#include <stdbool.h>

#include "base/text.h"
#include "names/plan.h"

struct names_list {
	unsigned count, room;
	char (*domains)[NAMES_DOMAIN_SIZE];
};

struct names_list *names_list_create(void); // NULL: no memory
void names_list_destroy(struct names_list *list);
bool names_list_add(struct names_list *list, struct text domain); // false: no memory, or too long
void names_list_sort(struct names_list *list); // after the last one was added
bool names_list_is_equal(const struct names_list *a, const struct names_list *b);
