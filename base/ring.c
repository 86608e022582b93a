// The bounded queue between two threads: two counters that only their owners write, and an eventfd.
// Runs on: one producing and one consuming thread. Never blocks; a full ring says so.

#include "base/ring.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"

#define CACHE_LINE 64

struct ring {
	alignas(CACHE_LINE) atomic_size_t written; // producer writes, consumer reads
	alignas(CACHE_LINE) atomic_size_t taken; // consumer writes, producer reads
	alignas(CACHE_LINE) atomic_bool is_signalled; // the eventfd is, or will be, readable
	size_t element_size;
	size_t count;
	int fd;
	char *elements;
};

struct ring *ring_create(size_t element_size, size_t count)
{
	assert(element_size > 0 && count > 0 && (count & (count - 1)) == 0);
	struct ring *ring = aligned_alloc(CACHE_LINE, sizeof(*ring));
	if (!ring)
		return NULL;
	memset(ring, 0, sizeof(*ring));
	ring->element_size = element_size;
	ring->count = count;
	ring->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ring->elements = calloc(count, element_size);
	if (ring->fd < 0 || !ring->elements)
		goto fail;
	memory_touch(ring->elements, count * element_size);
	return ring;
fail:
	ring_destroy(ring);
	return NULL;
}

void ring_destroy(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring->elements);
	free(ring);
}

static char *element_at(struct ring *ring, size_t index)
{
	return ring->elements + (index & (ring->count - 1)) * ring->element_size;
}

// One system call for as many elements as come before the consumer wakes, not one for each.
static void signal_consumer(struct ring *ring)
{
	if (atomic_exchange(&ring->is_signalled, true))
		return;
	const uint64_t one = 1;
	ssize_t written = write(ring->fd, &one, sizeof(one));
	(void)written; // the only failure is a counter at its maximum, which is readable as well
}

bool ring_put(struct ring *ring, const void *element)
{
	size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
	size_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
	if (written - taken == ring->count)
		return false;
	memcpy(element_at(ring, written), element, ring->element_size);
	atomic_store_explicit(&ring->written, written + 1, memory_order_release);
	signal_consumer(ring);
	return true;
}

bool ring_take(struct ring *ring, void *out_element)
{
	size_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
	size_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
	if (written == taken)
		return false;
	memcpy(out_element, element_at(ring, taken), ring->element_size);
	atomic_store_explicit(&ring->taken, taken + 1, memory_order_release);
	return true;
}

int ring_fd(const struct ring *ring)
{
	return ring->fd;
}

// Read first, then allow a new signal: the other way round a signal given in between would be
// read away here while the flag says that it still stands, and the consumer would sleep for ever.
void ring_quiet(struct ring *ring)
{
	uint64_t count;
	ssize_t got = read(ring->fd, &count, sizeof(count));
	(void)got; // nothing to read is fine
	// An exchange: whoever did not signal because it still stood has put before, and that is seen now.
	(void)atomic_exchange(&ring->is_signalled, false);
}

void ring_rouse(struct ring *ring)
{
	signal_consumer(ring);
}

size_t ring_length(const struct ring *ring)
{
	size_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
	return atomic_load_explicit(&ring->written, memory_order_acquire) - taken;
}
