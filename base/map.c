// The intrusive hash map, and SipHash-1-3 (Aumasson, Bernstein 2012) under a key of this process.
// Runs on: the thread that owns the map; hashing on any. Never compares keys itself.
//
// The key is one of the two mutable objects at file scope in this project (the other is the log's
// state): it is written once, before its first use, and every hash of the process must share it.

#include "base/map.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

#define SMALLEST 16
#define LINE_OCTETS 64 // those after a node, where keys are, are fetched while it is
#define MOVED_AT_ONCE 4 // buckets; 2 would do to end before it must grow again

static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void choose_key(void)
{
	random_fill(hash_key, sizeof(hash_key));
}

struct sip_hash {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(struct sip_hash *hash)
{
	hash->v0 += hash->v1;
	hash->v1 = rotate(hash->v1, 13) ^ hash->v0;
	hash->v0 = rotate(hash->v0, 32);
	hash->v2 += hash->v3;
	hash->v3 = rotate(hash->v3, 16) ^ hash->v2;
	hash->v0 += hash->v3;
	hash->v3 = rotate(hash->v3, 21) ^ hash->v0;
	hash->v2 += hash->v1;
	hash->v1 = rotate(hash->v1, 17) ^ hash->v2;
	hash->v2 = rotate(hash->v2, 32);
}

static void sip_block(struct sip_hash *hash, uint64_t block)
{
	hash->v3 ^= block;
	sip_round(hash);
	hash->v0 ^= block;
}

static struct sip_hash sip_start(void)
{
	pthread_once(&hash_key_once, choose_key);
	return (struct sip_hash){
		.v0 = hash_key[0] ^ 0x736f6d6570736575, // the constants of the paper
		.v1 = hash_key[1] ^ 0x646f72616e646f6d,
		.v2 = hash_key[0] ^ 0x6c7967656e657261,
		.v3 = hash_key[1] ^ 0x7465646279746573,
	};
}

// Lower case for the ASCII letters among eight octets at once.
static uint64_t fold(uint64_t octets)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t low = octets & 0x7f * ones;
	uint64_t from_a = low + (0x80 - 'A') * ones; // top bit: at least 'A'
	uint64_t after_z = low + (0x80 - 'Z' - 1) * ones; // top bit: after 'Z'
	uint64_t is_upper = from_a & ~after_z & ~octets & 0x80 * ones;
	return octets | is_upper >> 2; // 0x80 >> 2 is 0x20
}

static uint64_t load(const char *data, size_t size, bool is_folded)
{
	uint64_t octets = 0;
	if (size > 0)
		memcpy(&octets, data, size);
	return is_folded ? fold(octets) : octets;
}

static void sip_text(struct sip_hash *hash, struct text text, bool is_folded)
{
	size_t at = 0;
	if (text.size == 0)
		text.data = ""; // nothing may be added to NULL, not even 0
	for (; at + 8 <= text.size; at += 8)
		sip_block(hash, load(text.data + at, 8, is_folded));
	uint64_t last = load(text.data + at, text.size - at, is_folded);
	sip_block(hash, last | (uint64_t)text.size << 56);
}

static uint64_t sip_finish(struct sip_hash *hash)
{
	hash->v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(hash);
	return hash->v0 ^ hash->v1 ^ hash->v2 ^ hash->v3;
}

uint64_t map_hash(struct text text)
{
	struct sip_hash hash = sip_start();
	sip_text(&hash, text, false);
	return sip_finish(&hash);
}

uint64_t map_hash_same(struct text text)
{
	struct sip_hash hash = sip_start();
	sip_text(&hash, text, true);
	return sip_finish(&hash);
}

// The size of `a` goes first: ("ab", "c") and ("a", "bc") must not be one key.
uint64_t map_hash_pair(struct text a, struct text b)
{
	struct sip_hash hash = sip_start();
	sip_block(&hash, a.size);
	sip_text(&hash, a, false);
	sip_text(&hash, b, false);
	return sip_finish(&hash);
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
