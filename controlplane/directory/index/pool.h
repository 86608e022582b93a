#pragma once

// Memory for objects of one size that lie side by side, in huge pages once there are many: to look at one
// of 100,000 must not cost a walk of page tables besides. Objects begin at a cache line.
// Runs on: the thread that owns the pool.

#include <stddef.h>

struct directory_pool { // all zero: empty
	struct directory_chunk *chunks; // the newest first
	struct directory_free *free; // objects given back
	size_t size; // of an object, a multiple of a cache line; 0 until the first
	size_t used; // octets of the newest chunk
	size_t taken; // objects
};

void *directory_pool_take(struct directory_pool *pool, size_t size); // zeroed; NULL: no memory
// When the last comes back, the memory goes back to the process.
void directory_pool_give(struct directory_pool *pool, void *object);
