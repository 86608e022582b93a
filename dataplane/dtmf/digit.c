// Four octets, read and written. Runs on: any thread; pure.

#include "dataplane/dtmf/digit.h"

#include <string.h>

static const char keys[DIGIT_COUNT] = "0123456789*#ABCD"; // in the order of RFC 4733 3.2

#define END_BIT 0x80

struct digit digit_read(const uint8_t octets[static DIGIT_SIZE])
{
	return (struct digit){
		.key = octets[0] < DIGIT_COUNT ? keys[octets[0]] : 0,
		.is_end = octets[1] & END_BIT,
		.duration = (uint16_t)(octets[2] << 8 | octets[3]),
	};
}

bool digit_write(const struct digit *digit, uint8_t octets[static DIGIT_SIZE])
{
	const char *found = digit->key ? memchr(keys, digit->key, DIGIT_COUNT) : NULL;
	if (!found)
		return false;
	octets[0] = (uint8_t)(found - keys);
	octets[1] = (uint8_t)((digit->is_end ? END_BIT : 0) | DIGIT_VOLUME);
	octets[2] = (uint8_t)(digit->duration >> 8);
	octets[3] = (uint8_t)digit->duration;
	return true;
}
