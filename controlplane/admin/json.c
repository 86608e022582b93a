// JSON values of our own kinds. Runs on the control thread. Must never fail on what a stranger sent:
// a header in Latin-1 is shown with question marks, not left out.

#include "admin/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

// Octets of the UTF-8 sequence at the start (RFC 3629 4), 0 when there is none.
static size_t sequence_size(struct text text)
{
	static const uint32_t FIRST[5] = { 0, 0, 0x80, 0x800, 0x10000 }; // shortest form only
	unsigned char first = (unsigned char)text.data[0];
	size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (first > 0xf4 || size > text.size)
		return 0;
	uint32_t code = size > 1 ? first & (0xffu >> (size + 1)) : first;
	for (size_t i = 1; i < size; i++) {
		unsigned char next = (unsigned char)text.data[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (next & 0x3f);
	}
	bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
	return size && code >= FIRST[size] && code <= 0x10ffff && !is_surrogate ? size : 0;
}

bool admin_json_is_utf8(struct text text)
{
	while (text.size > 0) {
		size_t size = sequence_size(text);
		unsigned char first = (unsigned char)text.data[0];
		if (size == 0 || (first < ' ' && first != '\t') || first == 0x7f)
			return false;
		text = text_cut(text, size);
	}
	return true;
}

json_t *admin_json_text(struct text text)
{
	json_t *value = json_stringn(text.data ? text.data : "", text.size);
	if (value)
		return value;
	char *copy = malloc(text.size + 1);
	if (!copy)
		return NULL;
	if (text.size > 0)
		memcpy(copy, text.data, text.size);
	for (size_t i = 0; i < text.size;) {
		size_t size = sequence_size((struct text){ copy + i, text.size - i });
		if (size == 0)
			copy[i] = '?';
		i += size > 0 ? size : 1;
	}
	value = json_stringn(copy, text.size);
	free(copy);
	return value;
}

json_t *admin_json_string(const char *string)
{
	return admin_json_text(text_of(string));
}

json_t *admin_json_address(const struct address *address)
{
	char room[ADDRESS_TEXT_SIZE];
	if (address->family == ADDRESS_NONE)
		return json_null();
	return admin_json_string(address_string(address, room));
}

json_t *admin_json_time(uint64_t wall_ms)
{
	char room[25];
	if (wall_ms == 0)
		return json_null();
	clock_write_iso(wall_ms, room);
	return json_string(room);
}

json_t *admin_json_seconds(uint64_t from_ms, uint64_t to_ms)
{
	if (from_ms == 0 || to_ms == 0)
		return json_null();
	return json_real(to_ms > from_ms ? (double)(to_ms - from_ms) / 1000 : 0);
}

json_t *admin_json_number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

void admin_json_set(json_t *object, const char *key, json_t *value)
{
	// Only memory can lack here; the key is then missing in the answer.
	(void)json_object_set_new(object, key, value ? value : json_null());
}
