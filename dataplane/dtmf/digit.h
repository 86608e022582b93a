#pragma once

// The payload of a telephone event: which key, how long it has been held so far, whether it is let go
// (RFC 4733 2.3). A key is its character; the number on the wire is nobody else's business.
// Runs on: any thread; pure.

#include <stdbool.h>
#include <stdint.h>

#define DIGIT_SIZE 4 // octets of one event; what stands behind is of others (RFC 4733 2.6.2)
#define DIGIT_COUNT 16 // events that are keys (RFC 4733 3.2)
#define DIGIT_VOLUME 10 // of ours, in -dBm0

struct digit {
	char key; // '0' to '9', '*', '#', 'A' to 'D'; 0: an event that is no key
	bool is_end;
	uint16_t duration; // in 1/8000 s, of this segment (RFC 4733 2.5.1.3)
};

struct digit digit_read(const uint8_t octets[static DIGIT_SIZE]);
// false, nothing written: no key.
bool digit_write(const struct digit *digit, uint8_t octets[static DIGIT_SIZE]);
