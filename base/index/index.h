#pragma once

// An intrusive index by 128-bit keyed hashes that stand for their keys (base/hash/hash.h): whoever has the
// same two words is the same, and no key is kept or compared. To find or to miss one of very many reads two
// lines of memory at a time, and none of the objects.
// Runs on: the thread that owns the index.

#include <stddef.h>
#include <stdint.h>

#include "base/hash/hash.h"
#include "base/status.h"

#define INDEX_INLINE 4 // nodes that a bucket has room for: with them it fills a line of memory

struct index_node { // a field of the object
	struct index_node *next;
	struct hash_words key;
};

struct index_bucket {
	uint64_t tags[INDEX_INLINE]; // the second words of their keys; the first ones led here
	struct index_node
		*nodes[INDEX_INLINE]; // NULL: free; the last may be a chain, which is marked
};

struct index {
	struct index_bucket *buckets;
	size_t bucket_count; // a power of two
	size_t count; // nodes
	struct index_bucket *old_buckets; // NULL, or those it grows out of, a few at each addition
	size_t old_count, moved; // how many these are; the first `moved` are empty
};

enum status index_init(struct index *index, size_t expected);
void index_clear(struct index *index); // forgets the nodes, frees the buckets
// Grows when it can, never fails. Of two with one key either is found.
void index_add(struct index *index, struct index_node *node, struct hash_words key);
struct index_node *index_find(const struct index *index, struct hash_words key); // may be NULL
// Has the line fetched that index_find will read, while something else is done.
void index_expect(const struct index *index, struct hash_words key);
void index_remove(struct index *index, struct index_node *node); // harmless when absent
// Walking: start with place 0 and after NULL; NULL at the end. Fetch the next node before removing or
// freeing one; add nothing during a walk.
struct index_node *index_next(const struct index *index, size_t *place, struct index_node *after);

#define index_entry(node, type, field) ((type *)((char *)(node)-offsetof(type, field)))
