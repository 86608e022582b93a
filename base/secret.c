// Keys and passwords in memory: stored whole or not at all, wiped, compared in constant time.
// Runs on: any thread. Never writes a secret to a log or a text.

#include "base/secret.h"

#include <string.h>

bool secret_set(struct secret *secret, const void *octets, size_t size)
{
	if (size > SECRET_SIZE)
		return false;
	struct secret fresh = { .size = size };
	if (size > 0)
		memcpy(fresh.octets, octets, size);
	*secret = fresh;
	secret_clear(&fresh);
	return true;
}

void secret_clear(struct secret *secret)
{
	secret_wipe(secret, sizeof(*secret));
}

void secret_wipe(void *memory, size_t size)
{
	explicit_bzero(memory, size);
}

// The differences are gathered, never branched on; volatile keeps the compiler from leaving early.
bool secret_is_equal(const void *a, const void *b, size_t size)
{
	const volatile uint8_t *left = a;
	const volatile uint8_t *right = b;
	uint8_t difference = 0;
	for (size_t i = 0; i < size; i++)
		difference = (uint8_t)(difference | (left[i] ^ right[i]));
	return difference == 0;
}
