#pragma once

// Memory that is taken from the kernel before it is needed, so that a process grows at its start and not
// when it is busy.
// Runs on: any thread.

#include <stddef.h>

// Writes to every page of it, and changes nothing. NULL is harmless.
void memory_touch(void *room, size_t size);
