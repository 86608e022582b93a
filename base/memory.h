#pragma once

// Memory of the kernel: taken before it is needed, so that a process grows at its start and not when it is
// busy; and in large pages, for tables that are read at random.
// Runs on: any thread.

#include <stddef.h>

// Writes to every page of it, and changes nothing. NULL is harmless.
void memory_touch(void *room, size_t size);

#define MEMORY_LINE 64 // octets that the cache takes at once

// Zeroed, and at the start of a line. From 1 MiB on it is there at once, lest a flood be what makes the
// process grow, and of huge pages where the kernel gives them: a table that is read at random otherwise
// waits for page tables too. NULL: there is none.
void *memory_take(size_t size);
void memory_give(void *room, size_t size); // as it was taken; NULL is harmless
