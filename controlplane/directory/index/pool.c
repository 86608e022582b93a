// Objects of one size, in chunks that grow. Runs on the thread that owns the pool.

#include "directory/index/pool.h"

#include <string.h>

#include "base/memory.h"
#include "directory/index/index.h"

#define SMALLEST ((size_t)16 << 10) // of chunks
#define LARGEST ((size_t)2 << 20) // a huge page

struct directory_chunk {
	_Alignas(DIRECTORY_LINE) struct directory_chunk *next;
	size_t size; // with this
};

struct directory_free {
	struct directory_free *next;
};

static bool add_chunk(struct directory_pool *pool)
{
	size_t size = pool->chunks ? 2 * pool->chunks->size : SMALLEST;
	struct directory_chunk *chunk = memory_take(size < LARGEST ? size : LARGEST);
	if (!chunk)
		return false;
	*chunk = (struct directory_chunk){ pool->chunks, size < LARGEST ? size : LARGEST };
	pool->chunks = chunk;
	pool->used = sizeof(*chunk);
	return true;
}

void *directory_pool_take(struct directory_pool *pool, size_t size)
{
	struct directory_free *object = pool->free;
	if (pool->size == 0)
		pool->size = (size + DIRECTORY_LINE - 1) / DIRECTORY_LINE * DIRECTORY_LINE;
	if (object) {
		pool->free = object->next;
	} else {
		if ((!pool->chunks || pool->used + pool->size > pool->chunks->size) &&
		    !add_chunk(pool))
			return NULL;
		object = (struct directory_free *)((char *)pool->chunks + pool->used);
		pool->used += pool->size;
	}
	pool->taken++;
	return memset(object, 0, pool->size);
}

void directory_pool_give(struct directory_pool *pool, void *object)
{
	struct directory_free *given = object;
	given->next = pool->free;
	pool->free = given;
	if (--pool->taken > 0)
		return;
	while (pool->chunks) {
		struct directory_chunk *chunk = pool->chunks;
		pool->chunks = chunk->next;
		memory_give(chunk, chunk->size);
	}
	*pool = (struct directory_pool){ 0 };
}
