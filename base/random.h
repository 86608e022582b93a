#pragma once

// Unpredictable octets from the kernel, and the identifiers made of them.
// Runs on: any thread; the first call may wait for the kernel's entropy at boot.

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define RANDOM_SID_SIZE 35 // two letters, 32 hexadecimal digits, a zero

void random_fill(void *room, size_t size);
uint64_t random_number(void);
uint32_t random_below(uint32_t limit); // uniform; limit > 0
void random_write_hex(struct writer *writer, size_t octets);
void random_sid(const char prefix[static 2], char room[static RANDOM_SID_SIZE]); // "CA0123…"
