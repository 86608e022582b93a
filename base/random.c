// Unpredictable octets: always the kernel's generator, never one of our own.
// Runs on: any thread. Aborts when the kernel has none, since nothing may be guessable.
//
// A call takes a dozen tags, branches and identifiers of a few octets: each as a question of its own to the
// kernel cost more than the octets. So some are fetched at once; what is handed out is wiped, and a child of
// the process finds none. They are mutable at file scope since their users are everywhere, and pass nothing
// down for them.

#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define SID_OCTETS 16
#define PAGE_SIZE 4096
#define FETCHED 256 // octets at once: more of them cost as much again
#define SMALL 20 // octets; who asks for more, as for keys, asks the kernel

struct random_pool {
	size_t left; // octets of the room not yet handed out, at its start
	uint8_t room[FETCHED];
};

static struct random_pool
	*random_pool; // a page that the kernel empties for a child; NULL: there is none
static pthread_once_t random_pool_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t random_pool_lock = PTHREAD_MUTEX_INITIALIZER;

static void map_pool(void)
{
	void *page =
		mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return;
	if (madvise(page, PAGE_SIZE, MADV_WIPEONFORK) != 0) {
		(void)munmap(page, PAGE_SIZE);
		return;
	}
	(void)madvise(page, PAGE_SIZE, MADV_DONTDUMP);
	random_pool = page;
}

static void fetch(void *room, size_t size)
{
	char *at = room;
	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		size -= (size_t)got;
	}
}

static void take(struct random_pool *pool, void *room, size_t size)
{
	if (pool->left < size) {
		fetch(pool->room, sizeof(pool->room));
		pool->left = sizeof(pool->room);
	}
	pool->left -= size;
	memcpy(room, pool->room + pool->left, size);
	explicit_bzero(pool->room + pool->left, size);
}

void random_fill(void *room, size_t size)
{
	pthread_once(&random_pool_once, map_pool);
	if (size > SMALL || random_pool == NULL) {
		fetch(room, size);
		return;
	}
	pthread_mutex_lock(&random_pool_lock);
	take(random_pool, room, size);
	pthread_mutex_unlock(&random_pool_lock);
}

uint64_t random_number(void)
{
	uint64_t number;
	random_fill(&number, sizeof(number));
	return number;
}

// Draws again what would make the low numbers likelier than the others.
uint32_t random_below(uint32_t limit)
{
	assert(limit > 0);
	uint32_t unfair = (uint32_t)(-limit) % limit;
	uint32_t drawn;
	do {
		drawn = (uint32_t)random_number();
	} while (drawn < unfair);
	return drawn % limit;
}

void random_write_hex(struct writer *writer, size_t octets)
{
	static const char digits[16] = "0123456789abcdef";
	uint8_t drawn[64];
	while (octets > 0 && !writer->failed) {
		size_t size = octets < sizeof(drawn) ? octets : sizeof(drawn);
		random_fill(drawn, size);
		for (size_t i = 0; i < size; i++) {
			writer_char(writer, digits[drawn[i] >> 4]);
			writer_char(writer, digits[drawn[i] & 15]);
		}
		octets -= size;
	}
}

void random_sid(const char prefix[static 2], char room[static RANDOM_SID_SIZE])
{
	struct writer writer = writer_of(room, RANDOM_SID_SIZE);
	writer_text(&writer, (struct text){ prefix, 2 });
	random_write_hex(&writer, SID_OCTETS);
	writer_char(&writer, 0);
}
