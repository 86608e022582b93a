// Reads and writes crypto lines of session descriptions (RFC 4568).
// Runs on: any thread; pure. Never logs, never leaves a key where its caller does not look for one.

#include "media/sdes.h"

#include <string.h>

#include "base/secret.h"

#define TAG_DIGITS_MAX 9
#define LIFETIME_MAX (1ull << 48) // packets of SRTP one master key may protect (RFC 3711 9.2)
#define LIFETIME_POWER_MAX 48
#define BITS_PER_CHARACTER 6
#define WINDOW_SIZE_MIN 64 // RFC 4568 6.3.6

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Exactly `size` octets. Padding may be missing or too much of it: peers send both.
static bool decode_base64(struct text text, size_t size, uint8_t *out_octets)
{
	uint32_t bits = 0;
	unsigned bit_count = 0;
	size_t used = 0;
	while (text.size > 0 && text.data[text.size - 1] == '=')
		text.size--;
	if (text.size != (size * 8 + BITS_PER_CHARACTER - 1) / BITS_PER_CHARACTER)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		int value = base64_value(text.data[i]);
		if (value < 0)
			return false;
		bits = bits << BITS_PER_CHARACTER | (uint32_t)value;
		bit_count += BITS_PER_CHARACTER;
		if (bit_count >= 8) {
			bit_count -= 8;
			out_octets[used++] = (uint8_t)(bits >> bit_count);
		}
	}
	return used == size;
}

// "2^31" or "1048576"
static bool is_lifetime(struct text text)
{
	struct cursor cursor = cursor_of(text);
	uint64_t value;
	if (cursor_take_text(&cursor, TEXT("2^")))
		return text_to_unsigned(cursor.rest, LIFETIME_POWER_MAX, &value);
	return text_to_unsigned(text, LIFETIME_MAX, &value) && value > 0;
}

// "inline:KEY", "inline:KEY|2^31", "inline:KEY|2^31|1:4", "inline:KEY|1:4"
static enum media_sdes_fate parse_key(struct text text, struct media_sdes *line)
{
	const struct suite_facts *facts = suite_facts((enum suite)line->key.suite);
	struct cursor cursor = cursor_of(text);
	if (!cursor_take_text(&cursor, TEXT("inline:")))
		return MEDIA_SDES_MALFORMED;
	if (text_find(text, ';'))
		return MEDIA_SDES_SEVERAL_KEYS;
	bool has_more = text_find(cursor.rest, '|');
	struct text rest = cursor.rest, key = text_split(&rest, '|');
	if (!decode_base64(key, (size_t)facts->key_size + facts->salt_size, line->key.octets))
		return MEDIA_SDES_KEY;
	if (!has_more)
		return MEDIA_SDES_TAKEN;
	if (text_find(rest, ':'))
		return MEDIA_SDES_MKI;
	line->has_lifetime = is_lifetime(rest);
	return line->has_lifetime ? MEDIA_SDES_TAKEN : MEDIA_SDES_MALFORMED;
}

// We always encrypt and authenticate, derive once, and have no FEC. A window size is advice to the
// receiver, and ours is large enough. What is unknown must be understood unless a dash precedes it
// (RFC 4568 6.3.7).
static bool is_bearable(struct text parameter)
{
	struct cursor cursor = cursor_of(parameter);
	uint64_t value;
	if (cursor_peek(&cursor) == '-')
		return true;
	if (cursor_take_text(&cursor, TEXT("WSH=")))
		return text_to_unsigned(cursor.rest, UINT16_MAX, &value) &&
		       value >= WINDOW_SIZE_MIN;
	return cursor_take_text(&cursor, TEXT("KDR=")) &&
	       text_to_unsigned(cursor.rest, UINT16_MAX, &value) && value == 0;
}

static bool parse_tag(struct text text, uint32_t *out_tag)
{
	uint64_t tag;
	if (text.size > TAG_DIGITS_MAX || !text_to_unsigned(text, UINT32_MAX, &tag))
		return false;
	*out_tag = (uint32_t)tag;
	return true;
}

static enum media_sdes_fate parse(struct text value, unsigned suites, struct media_sdes *line)
{
	struct cursor cursor = cursor_of(value);
	struct text tag = cursor_word(&cursor), suite = cursor_word(&cursor),
		    key = cursor_word(&cursor);
	if (value.size > MEDIA_SDES_SIZE_MAX || !parse_tag(tag, &line->tag) || key.size == 0)
		return MEDIA_SDES_MALFORMED;
	line->key.suite = (uint8_t)suite_of_name(suite);
	if (line->key.suite == SUITE_NONE || !(SUITE_BIT(line->key.suite) & suites))
		return MEDIA_SDES_SUITE;
	enum media_sdes_fate fate = parse_key(key, line);
	for (cursor_skip_space(&cursor); !cursor_is_done(&cursor); cursor_skip_space(&cursor)) {
		if (!is_bearable(cursor_word(&cursor)) && fate == MEDIA_SDES_TAKEN)
			fate = MEDIA_SDES_PARAMETER;
	}
	return fate;
}

enum media_sdes_fate media_sdes_parse(struct text value, unsigned suites,
				      struct media_sdes *out_line)
{
	struct media_sdes line = { .tag = 0 };
	enum media_sdes_fate fate = parse(value, suites, &line);
	if (fate == MEDIA_SDES_TAKEN)
		*out_line = line;
	secret_wipe(&line, sizeof(line));
	return fate;
}

const char *media_sdes_fate_text(enum media_sdes_fate fate)
{
#define FATE_TEXT(name, text) [MEDIA_SDES_##name] = text,
	static const char *const texts[] = { MEDIA_SDES_FATE_LIST(FATE_TEXT) };
#undef FATE_TEXT
	return fate < MEDIA_SDES_FATES ? texts[fate] : "";
}

bool media_key_is_equal(const struct media_key *a, const struct media_key *b)
{
	return secret_is_equal(a, b, sizeof(*a));
}

static void write_base64(const uint8_t *octets, size_t size, struct writer *writer)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < size; i += 3) {
		uint32_t bits = 0;
		for (size_t j = i; j < i + 3; j++)
			bits = bits << 8 | (j < size ? octets[j] : 0);
		for (unsigned j = 0; j < 4; j++) {
			bool is_padding = i + j > size;
			uint32_t value = bits >> (18 - BITS_PER_CHARACTER * j) & 63;
			writer_char(writer, is_padding ? '=' : alphabet[value]);
		}
	}
}

void media_sdes_write(const struct media_sdes *line, struct writer *writer)
{
	const struct suite_facts *facts = suite_facts((enum suite)line->key.suite);
	writer_unsigned(writer, line->tag);
	writer_format(writer, " %s inline:", facts->name);
	write_base64(line->key.octets, (size_t)facts->key_size + facts->salt_size, writer);
}
