// The intrusive hash map.
// Runs on: the thread that owns the map; hashing on any. Never compares keys itself.

#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash/hash.h"

#define SMALLEST 16
#define LINE_OCTETS 64 // those after a node, where keys are, are fetched while it is
#define MOVED_AT_ONCE 4 // buckets; 2 would do to end before it must grow again

uint64_t map_hash(struct text text)
{
	struct hash hash = hash_start();
	hash_text(&hash, text);
	return hash_finish(&hash);
}

uint64_t map_hash_same(struct text text)
{
	struct hash hash = hash_start();
	hash_text_same(&hash, text);
	return hash_finish(&hash);
}

// ("ab", "c") and ("a", "bc") must not be one key.
uint64_t map_hash_pair(struct text a, struct text b)
{
	return hash_of_pair(a, b).first;
}

// A node is in the old buckets until its own has been moved, and nowhere else.
static struct map_node **bucket_of(const struct map *map, uint64_t hash)
{
	size_t old = map->old_buckets ? hash & (map->old_count - 1) : 0;
	if (map->old_buckets && old >= map->moved)
		return &map->old_buckets[old];
	return &map->buckets[hash & (map->bucket_count - 1)];
}

bool map_init(struct map *map, size_t expected)
{
	size_t count = SMALLEST;
	while (count < expected && count <= SIZE_MAX / 4 / sizeof(struct map_node *))
		count *= 2;
	*map = (struct map){ .buckets = calloc(count, sizeof(struct map_node *)) };
	if (!map->buckets)
		return false;
	map->bucket_count = count;
	return true;
}

void map_clear(struct map *map)
{
	free(map->buckets);
	free(map->old_buckets);
	*map = (struct map){ 0 };
}

// Without memory for more buckets the chains grow longer, and everything still works.
static void start_growing(struct map *map)
{
	struct map bigger;
	if (!map_init(&bigger, map->bucket_count * 2))
		return;
	bigger.count = map->count;
	bigger.old_buckets = map->buckets;
	bigger.old_count = map->bucket_count;
	*map = bigger;
}

// A few buckets at a time: to move half a million nodes at once would stop the loop for 20 ms.
static void move_some(struct map *map)
{
	for (unsigned i = 0; i < MOVED_AT_ONCE && map->moved < map->old_count; i++) {
		struct map_node *node = map->old_buckets[map->moved], *next;
		map->old_buckets[map->moved++] = NULL;
		for (; node; node = next) {
			next = node->next;
			struct map_node **bucket = bucket_of(map, node->hash);
			node->next = *bucket;
			*bucket = node;
		}
	}
	if (map->moved < map->old_count)
		return;
	free(map->old_buckets);
	map->old_buckets = NULL;
	map->old_count = map->moved = 0;
}

void map_add(struct map *map, struct map_node *node, uint64_t hash)
{
	assert(map->bucket_count > 0);
	if (map->count >= map->bucket_count && !map->old_buckets)
		start_growing(map);
	if (map->old_buckets)
		move_some(map);
	struct map_node **bucket = bucket_of(map, hash);
	node->hash = hash;
	node->next = *bucket;
	*bucket = node;
	map->count++;
}

struct map_node *map_find(const struct map *map, uint64_t hash, map_equal_fn equal, const void *key)
{
	if (map->bucket_count == 0)
		return NULL;
	for (struct map_node *node = *bucket_of(map, hash); node; node = node->next) {
		__builtin_prefetch((const char *)node + LINE_OCTETS);
		__builtin_prefetch((const char *)node + 2 * LINE_OCTETS);
		if (node->hash == hash && equal(node, key))
			return node;
	}
	return NULL;
}

// The node keeps its `next`, so a walk that stands on it can go on.
void map_remove(struct map *map, struct map_node *node)
{
	if (map->bucket_count == 0)
		return;
	for (struct map_node **at = bucket_of(map, node->hash); *at; at = &(*at)->next) {
		if (*at == node) {
			*at = node->next;
			map->count--;
			return;
		}
	}
}

struct map_node *map_next(const struct map *map, size_t *bucket, struct map_node *after)
{
	if (map->count == 0) // walks of thousands of empty buckets add up
		return NULL;
	if (after && after->next)
		return after->next;
	if (after)
		(*bucket)++;
	for (; *bucket < map->old_count + map->bucket_count; (*bucket)++) {
		struct map_node *first = *bucket < map->old_count
						 ? map->old_buckets[*bucket]
						 : map->buckets[*bucket - map->old_count];
		if (first)
			return first;
	}
	return NULL;
}
