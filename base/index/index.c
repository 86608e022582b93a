// The index. A bucket is one line of memory with four nodes and what tells them from others. A node is
// in one of two buckets, the less full one as a rule, so that four fifths of all room can be used and one
// node in sixty waits in a chain: the smaller the index, the nearer the cache it lies in. A look-up
// fetches both lines at a time and compares 64 bits of the hash beside those that chose the buckets: by
// mistake it finds another one in 2^61 times.
// Runs on the thread that owns the index.

#include "base/index/index.h"

#include <assert.h>
#include <stdbool.h>

#include "base/memory.h"

#define SMALLEST 16
#define MOVED_AT_ONCE 4 // buckets; one would do to end before it must grow again
#define PREFERRED 2 // nodes that a bucket takes without a look at the other one
#define LAST (INDEX_INLINE - 1)
#define CHAINED ((uintptr_t)1) // in the last pointer of a bucket

static_assert(sizeof(struct index_bucket) == MEMORY_LINE, "a bucket is a line of memory");

// Nodes on the average before it grows.
static size_t room_of(size_t bucket_count)
{
	return bucket_count * 13 / 4;
}

struct choice { // the buckets a key can be in
	size_t first, second;
};

static struct choice choice_of(struct hash_words key, size_t bucket_count)
{
	return (struct choice){ key.first & (bucket_count - 1),
				key.first >> 32 & (bucket_count - 1) };
}

static bool is_chain(const struct index_node *node)
{
	return ((uintptr_t)node & CHAINED) != 0;
}

static struct index_node *as_chain(struct index_node *node)
{
	return node != NULL ? (struct index_node *)((uintptr_t)node | CHAINED) : NULL;
}

static struct index_node *first_of(struct index_node *chain)
{
	return (struct index_node *)((uintptr_t)chain & ~CHAINED);
}

enum status index_init(struct index *index, size_t expected)
{
	size_t count = SMALLEST;
	while (room_of(count) < expected && count <= SIZE_MAX / 4 / sizeof(struct index_bucket))
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
	if (index_init(&bigger, room_of(index->bucket_count) + 1) != OK)
		return;
	bigger.count = index->count;
	bigger.old_buckets = index->buckets;
	bigger.old_count = index->bucket_count;
	*index = bigger;
}

static unsigned taken_of(const struct index_bucket *bucket)
{
	unsigned taken = 0;
	for (unsigned i = 0; i < INDEX_INLINE; i++)
		taken += bucket->nodes[i] != NULL;
	return taken;
}

static void put_into(struct index_bucket *bucket, struct index_node *node)
{
	node->next = NULL;
	for (unsigned i = 0; i < INDEX_INLINE; i++) {
		if (bucket->nodes[i] != NULL)
			continue;
		bucket->nodes[i] = node;
		bucket->tags[i] = node->key.second;
		return;
	}
	node->next = first_of(bucket->nodes[LAST]);
	bucket->nodes[LAST] = as_chain(node);
}

static void put(struct index *index, struct index_node *node)
{
	struct choice choice = choice_of(node->key, index->bucket_count);
	struct index_bucket *bucket = &index->buckets[choice.first];
	struct index_bucket *other = &index->buckets[choice.second];
	unsigned taken = taken_of(bucket);
	bool is_other = taken >= PREFERRED && taken_of(other) < taken;
	put_into(is_other ? other : bucket, node);
}

// A few buckets at a time: to move half a million nodes at once would stop the loop for 20 ms.
static void move_some(struct index *index)
{
	for (unsigned i = 0; i < MOVED_AT_ONCE && index->moved < index->old_count; i++) {
		struct index_bucket bucket = index->old_buckets[index->moved];
		struct index_node *next;
		index->old_buckets[index->moved++] = (struct index_bucket){ .tags = { 0 } };
		for (unsigned n = 0; n < INDEX_INLINE; n++) {
			for (struct index_node *node = first_of(bucket.nodes[n]); node != NULL;
			     node = next) {
				next = node->next;
				put(index, node);
			}
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
	if (index->count >= room_of(index->bucket_count) && index->old_buckets == NULL)
		start_growing(index);
	if (index->old_buckets != NULL)
		move_some(index);
	node->key = key;
	put(index, node);
	index->count++;
}

// Which of them have that tag, a bit for each. Without branches: they could not be foreseen.
static unsigned matches_of(const struct index_bucket *bucket, uint64_t tag)
{
	unsigned matches = 0;
	for (unsigned i = 0; i < INDEX_INLINE; i++)
		matches |= (unsigned)((bucket->tags[i] == tag) & (bucket->nodes[i] != NULL)) << i;
	return matches;
}

static struct index_node *find_in(const struct index_bucket *bucket, struct hash_words key)
{
	unsigned matches = matches_of(bucket, key.second);
	struct index_node *node = bucket->nodes[matches != 0 ? __builtin_ctz(matches) : LAST];
	if (!is_chain(node))
		return matches != 0 ? node : NULL;
	node = first_of(node);
	while (node != NULL && !hash_is_equal(node->key, key))
		node = node->next;
	return node;
}

static struct index_node *find_old(const struct index *index, struct hash_words key)
{
	struct choice choice = choice_of(key, index->old_count);
	struct index_node *node = find_in(&index->old_buckets[choice.first], key);
	return node != NULL ? node : find_in(&index->old_buckets[choice.second], key);
}

void index_expect(const struct index *index, struct hash_words key)
{
	struct choice choice = choice_of(key, index->bucket_count);
	if (index->bucket_count == 0)
		return;
	__builtin_prefetch(&index->buckets[choice.first]);
	__builtin_prefetch(&index->buckets[choice.second]);
}

struct index_node *index_find(const struct index *index, struct hash_words key)
{
	if (index->bucket_count == 0)
		return NULL;
	struct choice choice = choice_of(key, index->bucket_count);
	index_expect(index, key); // both lines are on their way before either is waited for
	struct index_node *node = find_in(&index->buckets[choice.first], key);
	if (node == NULL)
		node = find_in(&index->buckets[choice.second], key);
	if (node == NULL && index->old_buckets != NULL)
		node = find_old(index, key);
	return node;
}

// The node keeps its `next`, so a walk that stands on it can go on.
static bool take_chained(struct index_node **chain, const struct index_node *node)
{
	struct index_node *first = first_of(*chain);
	struct index_node **at = &first;
	while (*at != NULL && *at != node)
		at = &(*at)->next;
	if (*at == NULL)
		return false;
	*at = node->next;
	*chain = as_chain(first);
	return true;
}

static bool take(struct index_bucket *bucket, const struct index_node *node)
{
	for (unsigned i = 0; i < INDEX_INLINE; i++) {
		if (bucket->nodes[i] == node) {
			bucket->nodes[i] = NULL;
			return true;
		}
	}
	return is_chain(bucket->nodes[LAST]) && take_chained(&bucket->nodes[LAST], node);
}

static bool take_from(struct index_bucket *buckets, size_t bucket_count,
		      const struct index_node *node)
{
	struct choice choice = choice_of(node->key, bucket_count);
	return bucket_count > 0 &&
	       (take(&buckets[choice.first], node) || take(&buckets[choice.second], node));
}

// Nobody moves up into the room it leaves: a walk would miss who does.
void index_remove(struct index *index, struct index_node *node)
{
	if (take_from(index->buckets, index->bucket_count, node) ||
	    take_from(index->old_buckets, index->old_count, node))
		index->count--;
}

static struct index_node *node_at(const struct index *index, size_t place)
{
	size_t number = place / INDEX_INLINE;
	const struct index_bucket *bucket = number < index->old_count
						    ? &index->old_buckets[number]
						    : &index->buckets[number - index->old_count];
	return first_of(bucket->nodes[place % INDEX_INLINE]);
}

struct index_node *index_next(const struct index *index, size_t *place, struct index_node *after)
{
	size_t end = (index->old_count + index->bucket_count) * INDEX_INLINE;
	if (index->count == 0) // walks of thousands of empty buckets add up
		return NULL;
	if (after != NULL && after->next != NULL)
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
