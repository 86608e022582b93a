// Objects of one size, in chunks that grow. Runs on the thread that owns the pool.

#include "directory/index/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "directory/index/index.h"

#define SMALLEST ((size_t)16 << 10) // of chunks
#define HUGE_PAGE ((size_t)2 << 20) // and the largest chunk

struct directory_chunk {
	_Alignas(DIRECTORY_LINE) struct directory_chunk *next;
	size_t size; // with this
};

struct directory_free {
	struct directory_free *next;
};

// The kernel may have no huge pages: then these are ordinary ones.
void *directory_pool_room(size_t size)
{
	size_t alignment = size < HUGE_PAGE ? DIRECTORY_LINE : HUGE_PAGE;
	size = (size + alignment - 1) / alignment * alignment;
	void *room = aligned_alloc(alignment, size);
	if (!room)
		return NULL;
	if (alignment == HUGE_PAGE)
		(void)madvise(room, size, MADV_HUGEPAGE);
	return memset(room, 0, size);
}

static bool add_chunk(struct directory_pool *pool)
{
	size_t size = pool->chunks ? 2 * pool->chunks->size : SMALLEST;
	struct directory_chunk *chunk = directory_pool_room(size < HUGE_PAGE ? size : HUGE_PAGE);
	if (!chunk)
		return false;
	*chunk = (struct directory_chunk){ pool->chunks, size < HUGE_PAGE ? size : HUGE_PAGE };
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
		free(chunk);
	}
	*pool = (struct directory_pool){ 0 };
}
