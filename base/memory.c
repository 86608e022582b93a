// Pages of memory. Runs on any thread.

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_SIZE 4096
#define HUGE_SIZE ((size_t)2 << 20)
#define HUGE_FROM (HUGE_SIZE / 2) // half of the page may be spare

void memory_touch(void *room, size_t size)
{
	volatile char *octets = room; // or the compiler sees that nothing changes
	for (size_t i = 0; octets != NULL && i < size; i += PAGE_SIZE)
		octets[i] = octets[i];
	if (octets != NULL && size > 0) // of the last page
		octets[size - 1] = octets[size - 1];
}

static size_t whole(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

// The kernel places it anywhere; what it gave too much before and behind goes back.
static void *take_huge(size_t size)
{
	size = whole(size, HUGE_SIZE);
	char *room = mmap(NULL, size + HUGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return NULL;
	size_t before = whole((uintptr_t)room, HUGE_SIZE) - (uintptr_t)room;
	if (before > 0)
		(void)munmap(room, before);
	if (before < HUGE_SIZE)
		(void)munmap(room + before + size, HUGE_SIZE - before);
	(void)madvise(room + before, size, MADV_HUGEPAGE); // a kernel without them says no
	memory_touch(room + before, size);
	return room + before;
}

void *memory_take(size_t size)
{
	if (size >= HUGE_FROM)
		return take_huge(size);
	void *room = aligned_alloc(MEMORY_LINE, whole(size, MEMORY_LINE));
	if (room != NULL)
		memset(room, 0, size);
	return room;
}

void memory_give(void *room, size_t size)
{
	if (size < HUGE_FROM)
		free(room);
	else if (room != NULL)
		(void)munmap(room, whole(size, HUGE_SIZE));
}
