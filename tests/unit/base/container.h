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
};

void container_fill(const struct container_kind *kind, union container *container,
		    struct container_item *items, unsigned count);
void container_check_parts(const struct container_kind *kind, unsigned count);
void container_check_walk(const struct container_kind *kind);
void container_check_growth(const struct container_kind *kind);
void container_check_starved(const struct container_kind *kind);
void container_check_zeroed(const struct container_kind *kind);
