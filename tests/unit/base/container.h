#pragma once

// What a map and an index both promise of the objects that hang in them, checked of whichever is given.
// Runs on: the thread of the test.

#include "base/index/index.h"
#include "base/map.h"

struct container_item {
	struct map_node map_node;
	struct index_node index_node;
	unsigned number; // its key
};

union container {
	struct map map;
	struct index index;
};

struct container_kind { // the functions of one, under common names
	bool (*init)(union container *container, size_t expected);
	void (*clear)(union container *container);
	void (*add)(union container *container, struct container_item *item);
	void (*remove)(union container *container, struct container_item *item);
	struct container_item *(*find)(const union container *container, unsigned number);
	struct container_item *(*next)(const union container *container, size_t *place,
				       struct container_item *after);
	size_t (*count)(const union container *container);
	size_t (*bucket_count)(const union container *container);
	bool (*is_growing)(const union container *container);
	unsigned growing_least; // additions of 600 that find it growing
	unsigned most; // items that are put in at once
};

void container_fill(const struct container_kind *kind, union container *container,
		    struct container_item *items, unsigned count);
// Tests, to be listed by CONTAINER_TESTS(kind).
void what_was_added_is_found_and_what_was_removed_is_not(void **state);
void a_walk_meets_everything_once_and_may_remove_it(void **state);
void while_it_grows_nothing_is_lost_or_met_twice(void **state);
void without_memory_it_cannot_start_but_goes_on(void **state);
void a_zeroed_one_is_empty(void **state);

#define CONTAINER_TEST(name, kind) cmocka_unit_test_prestate(name, (void *)&(kind))
#define CONTAINER_TESTS(kind)                                                                      \
	CONTAINER_TEST(what_was_added_is_found_and_what_was_removed_is_not, kind),                 \
		CONTAINER_TEST(a_walk_meets_everything_once_and_may_remove_it, kind),              \
		CONTAINER_TEST(while_it_grows_nothing_is_lost_or_met_twice, kind),                 \
		CONTAINER_TEST(without_memory_it_cannot_start_but_goes_on, kind),                  \
		CONTAINER_TEST(a_zeroed_one_is_empty, kind)
