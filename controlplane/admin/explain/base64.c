// Base64 without surprises: no spaces, full groups of four. Pure.

#include "admin/explain/base64.h"

#include <stdint.h>

static int value_of(char letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return letter - 'A';
	if (letter >= 'a' && letter <= 'z')
		return letter - 'a' + 26;
	if (letter >= '0' && letter <= '9')
		return letter - '0' + 52;
	return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

bool admin_base64_read(struct text text, char *room, size_t room_size, size_t *out_size)
{
	size_t used = 0, size = text.size;
	uint32_t bits = 0;
	while (size > 0 && text.size - size < 2 && text.data[size - 1] == '=')
		size--;
	if (text.size % 4 != 0)
		return false;
	for (size_t i = 0; i < size; i++) {
		int value = value_of(text.data[i]);
		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 == 0)
			continue;
		if (used == room_size)
			return false;
		room[used++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	*out_size = used;
	return true;
}
