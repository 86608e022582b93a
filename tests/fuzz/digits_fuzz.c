// The body of an INFO that names a digit: whatever it says, what comes out is one of the sixteen.
// Input: the content type up to the first zero, then the body.
// Runs on: the fuzzer's thread, or the replay's.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "call/session/digits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
	if (!zero)
		return 0;
	size_t type_size = (size_t)(zero - data), body_size = size - type_size - 1;
	// Copies of their own sizes, so that the sanitizer sees the first octet behind each.
	char *type = malloc(type_size ? type_size : 1), *body = malloc(body_size ? body_size : 1);
	if (type && body) {
		struct digits_press press = { .digit = '?' };
		memcpy(type, data, type_size);
		memcpy(body, zero + 1, body_size);
		bool is_digit = digits_parse((struct text){ type, type_size },
					     (struct text){ body, body_size }, &press);
		bool is_known = press.digit != 0 && strchr("0123456789*#ABCD", press.digit);
		if (is_digit != is_known ||
		    (is_digit && (press.duration_ms == 0 || press.duration_ms > UINT16_MAX)))
			abort();
	}
	free(type);
	free(body);
	return 0;
}
