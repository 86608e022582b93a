#pragma once

// Memory for fakes and tests themselves. Where allocations are made to fail (fake/allocation.h, each
// time one), a second try succeeds, so that only the product is starved.
// Runs on: any thread.

#include <assert.h>
#include <stdlib.h>

static inline void *memory_take(size_t size) // zeroed
{
	void *memory = calloc(1, size);
	if (memory == NULL)
		memory = calloc(1, size);
	assert(memory != NULL);
	return memory;
}

static inline void *memory_grow(void *memory, size_t size)
{
	void *grown = realloc(memory, size);
	if (grown == NULL)
		grown = realloc(memory, size);
	assert(grown != NULL);
	return grown;
}
