// Unpredictable octets: always the kernel's generator, never one of our own.
// Runs on: any thread. Aborts when the kernel has none, since nothing may be guessable.

#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SID_OCTETS 16

void random_fill(void *room, size_t size)
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
