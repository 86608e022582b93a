// Units and labels. Must never let a control character from the network reach the terminal.

#include "format.h"

#include <string.h>

#include "base/clock.h"

#define MOMENT_S_LEAST 1e9 // September 2001

struct unit {
	const char *suffix; // of the key, or all of it when no "_" leads
	void (*write)(struct writer *writer, const json_t *value);
};

static void write_counted(struct writer *writer, double value, const char *unit)
{
	unsigned digits = value < 10 ? 2 : 1;
	writer_format(writer, "%.*f %s", value == 0 ? 0 : (int)digits, value, unit);
}

void format_seconds(struct writer *writer, double seconds)
{
	unsigned long whole = (unsigned long)seconds;
	if (seconds < 60)
		writer_format(writer, "%.*f s", seconds == (double)whole ? 0 : 1, seconds);
	else if (whole < 3600)
		writer_format(writer, "%lu min %02lu s", whole / 60, whole % 60);
	else if (whole < 86400)
		writer_format(writer, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
	else
		writer_format(writer, "%lu d %02lu h", whole / 86400, whole / 3600 % 24);
}

// Objects hold moments as seconds since 1970; nothing lasts for thirty years.
static void write_seconds(struct writer *writer, const json_t *value)
{
	char room[25];
	double seconds = json_number_value(value);
	if (seconds < MOMENT_S_LEAST) {
		format_seconds(writer, seconds);
		return;
	}
	clock_write_iso((uint64_t)seconds * 1000, room);
	writer_format(writer, "%.10s %.8s UTC", room, room + strlen("2026-11-21T"));
}

static void write_ms(struct writer *writer, const json_t *value)
{
	write_counted(writer, json_number_value(value), "ms");
}

static void write_percent(struct writer *writer, const json_t *value)
{
	write_counted(writer, json_number_value(value), "%");
}

static void write_octets(struct writer *writer, const json_t *value)
{
	static const char *const UNITS[] = { "B", "kB", "MB", "GB", "TB" };
	double number = json_number_value(value);
	unsigned unit = 0;
	for (; number >= 1000 && unit < 4; unit++)
		number /= 1000;
	writer_format(writer, "%.*f %s", unit == 0 ? 0 : 1, number, UNITS[unit]);
}

static void write_time(struct writer *writer, const json_t *value)
{
	struct text text = text_of(json_string_value(value));
	if (text.size != strlen("2026-11-21T20:47:38.123Z")) {
		format_safe(writer, text);
		return;
	}
	writer_format(writer, "%.10s %.12s UTC", text.data, text.data + 11);
}

static const struct unit UNITS[] = {
	{ "_s", write_seconds },    { "_ms", write_ms },   { "_percent", write_percent },
	{ "octets", write_octets }, { "_at", write_time }, { "at", write_time },
};

static bool ends_with(const char *key, const char *suffix)
{
	if (suffix[0] != '_')
		return strcmp(key, suffix) == 0;
	size_t size = strlen(key), wanted = strlen(suffix);
	return size >= wanted && strcmp(key + size - wanted, suffix) == 0;
}

// UTF-8 passes, but for the C1 control characters U+0080 to U+009F, which some terminals obey.
void format_safe(struct writer *writer, struct text text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char octet = (unsigned char)text.data[i];
		unsigned char next = i + 1 < text.size ? (unsigned char)text.data[i + 1] : 0;
		bool is_control = octet < ' ' || octet == 0x7f || (octet == 0xc2 && next < 0xa0);
		if (is_control)
			writer_char(writer, '?');
		else
			writer_char(writer, text.data[i]);
		i += octet == 0xc2 && is_control;
	}
}

static void write_plain(struct writer *writer, const json_t *value)
{
	if (json_is_null(value))
		writer_char(writer, '-');
	else if (json_is_boolean(value))
		writer_string(writer, json_is_true(value) ? "yes" : "no");
	else if (json_is_integer(value))
		writer_format(writer, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		writer_format(writer, "%.3f", json_real_value(value));
	else if (json_is_string(value) && json_string_length(value) == 0)
		writer_char(writer, '-');
	else if (json_is_string(value))
		format_safe(writer, text_of(json_string_value(value)));
}

static void write_array(struct writer *writer, const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		writer_string(writer, i > 0 ? ", " : "");
		write_plain(writer, json_array_get(array, i));
	}
	if (json_array_size(array) == 0)
		writer_char(writer, '-');
}

const char *format_value(const char *key, const json_t *value, char room[static FORMAT_SIZE])
{
	struct writer writer = writer_of(room, FORMAT_SIZE);
	const struct unit *unit = NULL;
	for (unsigned i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++)
		if (ends_with(key, UNITS[i].suffix))
			unit = &UNITS[i];
	if (unit && (json_is_number(value) || (json_is_string(value) && unit->write == write_time)))
		unit->write(&writer, value);
	else if (json_is_array(value))
		write_array(&writer, value);
	else
		write_plain(&writer, value);
	const char *text = writer_string_done(&writer);
	return text ? text : "(too long, see --json)";
}

const char *format_label(const char *key, char room[static FORMAT_SIZE])
{
	static const char *const DROPPED[] = { "_s", "_ms", "_percent", "_at", "_name", "_names" };
	size_t size = strlen(key);
	for (unsigned i = 0; i < sizeof(DROPPED) / sizeof(DROPPED[0]); i++)
		if (ends_with(key, DROPPED[i]) && size == strlen(key))
			size -= strlen(DROPPED[i]);
	struct writer writer = writer_of(room, FORMAT_SIZE);
	for (size_t i = 0; i < size; i++)
		writer_char(&writer, key[i] == '_' ? ' ' : key[i]);
	const char *text = writer_string_done(&writer);
	return text ? text : key;
}

unsigned format_width(const char *text)
{
	unsigned width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}
