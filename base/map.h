#pragma once

// An intrusive hash map: the node is a field of the value, so finding never allocates. Keys are
// hashed with a secret of this process (SipHash), so strangers cannot choose collisions.
// Runs on: the thread that owns the map.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct map_node {
	struct map_node *next;
	uint64_t hash;
};

struct map {
	struct map_node **buckets;
	size_t bucket_count; // a power of two
	size_t count;
	struct map_node **old_buckets; // NULL, or those it grows out of, a few at each addition
	size_t old_count, moved; // how many these are; the first `moved` are empty
};

typedef bool (*map_equal_fn)(const struct map_node *node, const void *key);

bool map_init(struct map *map, size_t expected); // false: no memory
void map_clear(struct map *map); // forgets the nodes, frees the buckets
// Grows when it can, never fails.
void map_add(struct map *map, struct map_node *node, uint64_t hash);
struct map_node *map_find(const struct map *map, uint64_t hash, map_equal_fn equal,
			  const void *key);
void map_remove(struct map *map, struct map_node *node); // harmless when absent
// Walking: start with bucket 0 and after NULL; NULL at the end. Fetch the next node before removing
// or freeing one; add nothing during a walk.
struct map_node *map_next(const struct map *map, size_t *bucket, struct map_node *after);

uint64_t map_hash(struct text text); // keyed per process
uint64_t map_hash_same(struct text text); // ASCII case folded
uint64_t map_hash_pair(struct text a, struct text b);

#define map_entry(node, type, field) ((type *)((char *)(node)-offsetof(type, field)))
