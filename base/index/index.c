// The index. A bucket is one line of memory with three nodes and what tells them from others; a fourth
// waits in a chain, which one in twenty does. A look-up compares 80 bits of the hash there beside those
// that chose the bucket: by mistake it finds another one in 2^80 times.
// Runs on the thread that owns the index.

#include "base/index/index.h"

#include <assert.h>
#include <stdbool.h>

#include "base/memory.h"

#define SMALLEST 16
#define PER_BUCKET 2 // nodes on the average before it grows
#define MOVED_AT_ONCE 4 // buckets; 2 would do to end before it must grow again
#define PLACES (INDEX_INLINE + 1) // in a bucket, for a walk: the last is the chain

static_assert(sizeof(struct index_bucket) == MEMORY_LINE, "a bucket is a line of memory");

static uint16_t upper(struct hash_words key)
{
	return (uint16_t)(key.first >> 48);
}

static struct index_bucket *bucket_of(const struct index *index, struct hash_words key)
{
	size_t old = index->old_buckets != NULL ? key.first & (index->old_count - 1) : 0;
	if (index->old_buckets != NULL && old >= index->moved)
		return &index->old_buckets[old];
	return &index->buckets[key.first & (index->bucket_count - 1)];
}

enum status index_init(struct index *index, size_t expected)
{
	size_t count = SMALLEST;
	while (count * PER_BUCKET < expected && count <= SIZE_MAX / 4 / sizeof(struct index_bucket))
		count *= 2;
	*index = (struct index){ .buckets = memory_take(count * sizeof(struct index_bucket)) };
	if (index->buckets == NULL)
		return ERR_MEMORY;
	index->bucket_count = count;
	return OK;
}

void index_clear(struct index *index)
{
	memory_give(index->buckets, index->bucket_count * sizeof(struct index_bucket));
	memory_give(index->old_buckets, index->old_count * sizeof(struct index_bucket));
	*index = (struct index){ 0 };
}

// Without memory for more buckets the chains grow longer, and everything still works.
static void start_growing(struct index *index)
{
	struct index bigger;
	if (index_init(&bigger, index->bucket_count * PER_BUCKET * 2) != OK)
		return;
	bigger.count = index->count;
	bigger.old_buckets = index->buckets;
	bigger.old_count = index->bucket_count;
	*index = bigger;
}

static void put(struct index_bucket *bucket, struct index_node *node)
{
	for (unsigned i = 0; i < INDEX_INLINE; i++) {
		if (bucket->nodes[i] != NULL)
			continue;
		bucket->nodes[i] = node;
		bucket->seconds[i] = node->key.second;
		bucket->firsts[i] = upper(node->key);
		return;
	}
	node->next = bucket->more;
	bucket->more = node;
}

static void move(struct index *index, struct index_node *node)
{
	if (node != NULL)
		put(bucket_of(index, node->key), node);
}

// A few buckets at a time: to move half a million nodes at once would stop the loop for 20 ms.
static void move_some(struct index *index)
{
	for (unsigned i = 0; i < MOVED_AT_ONCE && index->moved < index->old_count; i++) {
		struct index_bucket bucket = index->old_buckets[index->moved];
		struct index_node *next;
		index->old_buckets[index->moved++] = (struct index_bucket){ .more = NULL };
		for (unsigned n = 0; n < INDEX_INLINE; n++)
			move(index, bucket.nodes[n]);
		for (struct index_node *node = bucket.more; node != NULL; node = next) {
			next = node->next;
			move(index, node);
		}
	}
	if (index->moved < index->old_count)
		return;
	memory_give(index->old_buckets, index->old_count * sizeof(struct index_bucket));
	index->old_buckets = NULL;
	index->old_count = index->moved = 0;
}

void index_add(struct index *index, struct index_node *node, struct hash_words key)
{
	assert(index->bucket_count > 0);
	if (index->count >= index->bucket_count * PER_BUCKET && index->old_buckets == NULL)
		start_growing(index);
	if (index->old_buckets != NULL)
		move_some(index);
	node->key = key;
	node->next = NULL;
	put(bucket_of(index, key), node);
	index->count++;
}

struct index_node *index_find(const struct index *index, struct hash_words key)
{
	if (index->bucket_count == 0)
		return NULL;
	const struct index_bucket *bucket = bucket_of(index, key);
	for (unsigned i = 0; i < INDEX_INLINE; i++) {
		if (bucket->seconds[i] == key.second && bucket->firsts[i] == upper(key) &&
		    bucket->nodes[i] != NULL)
			return bucket->nodes[i];
	}
	for (struct index_node *node = bucket->more; node != NULL; node = node->next) {
		if (hash_is_equal(node->key, key))
			return node;
	}
	return NULL;
}

void index_expect(const struct index *index, struct hash_words key)
{
	if (index->bucket_count > 0)
		__builtin_prefetch(bucket_of(index, key));
}

static bool take_inline(struct index_bucket *bucket, const struct index_node *node)
{
	for (unsigned i = 0; i < INDEX_INLINE; i++) {
		if (bucket->nodes[i] == node) {
			bucket->nodes[i] = NULL;
			return true;
		}
	}
	return false;
}

// The node keeps its `next`, so a walk that stands on it can go on.
static bool take_chained(struct index_bucket *bucket, const struct index_node *node)
{
	for (struct index_node **at = &bucket->more; *at != NULL; at = &(*at)->next) {
		if (*at == node) {
			*at = node->next;
			return true;
		}
	}
	return false;
}

// Nobody moves up into the room it leaves: a walk would miss who does.
void index_remove(struct index *index, struct index_node *node)
{
	if (index->bucket_count == 0)
		return;
	struct index_bucket *bucket = bucket_of(index, node->key);
	if (take_inline(bucket, node) || take_chained(bucket, node))
		index->count--;
}

static struct index_node *node_at(const struct index *index, size_t place)
{
	size_t number = place / PLACES;
	const struct index_bucket *bucket = number < index->old_count
						    ? &index->old_buckets[number]
						    : &index->buckets[number - index->old_count];
	return place % PLACES < INDEX_INLINE ? bucket->nodes[place % PLACES] : bucket->more;
}

struct index_node *index_next(const struct index *index, size_t *place, struct index_node *after)
{
	size_t end = (index->old_count + index->bucket_count) * PLACES;
	if (index->count == 0) // walks of thousands of empty buckets add up
		return NULL;
	if (after != NULL && *place % PLACES == INDEX_INLINE && after->next != NULL)
		return after->next;
	if (after != NULL)
		(*place)++;
	for (; *place < end; (*place)++) {
		struct index_node *node = node_at(index, *place);
		if (node != NULL)
			return node;
	}
	return NULL;
}
