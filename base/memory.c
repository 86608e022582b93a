// Pages of memory. Runs on any thread.

#include "base/memory.h"

#define PAGE_SIZE 4096

void memory_touch(void *room, size_t size)
{
	volatile char *octets = room; // or the compiler sees that nothing changes
	for (size_t i = 0; octets != NULL && i < size; i += PAGE_SIZE)
		octets[i] = octets[i];
	if (octets != NULL && size > 0) // of the last page
		octets[size - 1] = octets[size - 1];
}
