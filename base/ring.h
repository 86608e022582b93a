#pragma once

// A bounded queue by value between one producing and one consuming thread of this process, with an
// eventfd so that the consumer's loop can sleep. Between processes the dataplane has its own rings.
// Runs on: one thread calls ring_put, one thread calls ring_take.

#include <stdbool.h>
#include <stddef.h>

struct ring;

// count: a power of two; NULL: no memory.
struct ring *ring_create(size_t element_size, size_t count);
void ring_destroy(struct ring *ring);
bool ring_put(struct ring *ring, const void *element); // false: full
bool ring_take(struct ring *ring, void *out_element); // false: empty
int ring_fd(const struct ring *ring); // readable while something may wait
void ring_quiet(struct ring *ring); // consumer: reset the fd, then take until empty
void ring_rouse(struct ring *ring); // consumer: not empty, and it goes on later
size_t
ring_length(const struct ring *ring); // either of both; what the other does meanwhile is not in it
