#pragma once

// Keys and passwords: wiped when done with, compared in constant time, and with no log format.
// Runs on: any thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_SIZE 128

struct secret {
	size_t size;
	uint8_t octets[SECRET_SIZE];
};

// false: longer than SECRET_SIZE.
bool secret_set(struct secret *secret, const void *octets, size_t size);
void secret_clear(struct secret *secret); // wipes, not optimised away
void secret_wipe(void *memory, size_t size);
bool secret_is_equal(const void *a, const void *b, size_t size); // time depends on size alone
