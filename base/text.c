// Borrowed text, the reading cursor and the bounded writer that every parser and printer uses.
// Runs on: any thread; pure. Never allocates, never reads or writes beyond the sizes it was given.

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static char lower(char character)
{
	return character >= 'A' && character <= 'Z' ? (char)(character | 0x20) : character;
}

static bool is_space(char character)
{
	return character == ' ' || character == '\t';
}

struct text text_of(const char *string)
{
	return (struct text){ string, string ? strlen(string) : 0 };
}

bool text_is_equal(struct text a, struct text b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool text_is_same(struct text a, struct text b)
{
	if (a.size != b.size)
		return false;
	for (size_t i = 0; i < a.size; i++) {
		if (a.data[i] != b.data[i] && lower(a.data[i]) != lower(b.data[i]))
			return false;
	}
	return true;
}

bool text_has_prefix(struct text text, struct text prefix)
{
	return text.size >= prefix.size &&
	       text_is_equal((struct text){ text.data, prefix.size }, prefix);
}

bool text_has_suffix_same(struct text text, struct text suffix)
{
	return text.size >= suffix.size &&
	       text_is_same(text_cut(text, text.size - suffix.size), suffix);
}

struct text text_trim(struct text text)
{
	while (text.size > 0 && is_space(text.data[0]))
		text = text_cut(text, 1);
	while (text.size > 0 && is_space(text.data[text.size - 1]))
		text.size--;
	return text;
}

struct text text_cut(struct text text, size_t from)
{
	if (from > text.size)
		from = text.size;
	return text.data ? (struct text){ text.data + from, text.size - from } : TEXT_NONE;
}

struct text text_split(struct text *rest, char separator)
{
	const char *found = text_find(*rest, separator);
	size_t size = found ? (size_t)(found - rest->data) : rest->size;
	struct text head = { rest->data, size };
	*rest = text_cut(*rest, found ? size + 1 : size);
	return head;
}

const char *text_find(struct text text, char wanted)
{
	return text.size > 0 ? memchr(text.data, wanted, text.size) : NULL;
}

bool text_to_unsigned(struct text text, uint64_t max, uint64_t *out_value)
{
	struct cursor cursor = cursor_of(text);
	uint64_t value = cursor_unsigned(&cursor, max);
	if (cursor.failed || cursor.rest.size > 0)
		return false;
	*out_value = value;
	return true;
}

bool text_copy(struct text text, char *room, size_t room_size)
{
	if (room_size == 0)
		return false;
	bool fits = text.size < room_size;
	size_t size = fits ? text.size : 0;
	if (size > 0)
		memcpy(room, text.data, size);
	room[size] = 0;
	return fits;
}

void text_copy_cut(struct text text, char *room, size_t room_size)
{
	if (text.size >= room_size)
		text.size = room_size - 1;
	(void)text_copy(text, room, room_size);
}

struct cursor cursor_of(struct text text)
{
	return (struct cursor){ .rest = text };
}

// Everything a cursor hands out goes through here: it is the one place that moves it.
static struct text take(struct cursor *cursor, size_t size)
{
	if (cursor->failed || size > cursor->rest.size) {
		cursor->failed = true;
		return TEXT_NONE;
	}
	struct text taken = { cursor->rest.data, size };
	cursor->rest = text_cut(cursor->rest, size);
	return taken;
}

bool cursor_is_done(const struct cursor *cursor)
{
	return cursor->failed || cursor->rest.size == 0;
}

char cursor_peek(const struct cursor *cursor)
{
	return cursor_is_done(cursor) ? 0 : cursor->rest.data[0];
}

bool cursor_take(struct cursor *cursor, char wanted)
{
	if (cursor_is_done(cursor) || cursor->rest.data[0] != wanted)
		return false;
	take(cursor, 1);
	return true;
}

void cursor_expect(struct cursor *cursor, char wanted)
{
	if (!cursor_take(cursor, wanted))
		cursor->failed = true;
}

bool cursor_take_text(struct cursor *cursor, struct text wanted)
{
	if (cursor->failed || cursor->rest.size < wanted.size ||
	    !text_is_same((struct text){ cursor->rest.data, wanted.size }, wanted))
		return false;
	take(cursor, wanted.size);
	return true;
}

struct text cursor_until(struct cursor *cursor, char stop)
{
	if (cursor->failed)
		return TEXT_NONE;
	return text_split(&cursor->rest, stop);
}

struct text cursor_line(struct cursor *cursor)
{
	struct text line = cursor_until(cursor, '\n');
	if (line.size > 0 && line.data[line.size - 1] == '\r')
		line.size--;
	return line;
}

struct text cursor_word(struct cursor *cursor)
{
	cursor_skip_space(cursor);
	if (cursor->failed)
		return TEXT_NONE;
	size_t size = 0;
	while (size < cursor->rest.size && !is_space(cursor->rest.data[size]))
		size++;
	return take(cursor, size);
}

uint64_t cursor_unsigned(struct cursor *cursor, uint64_t max)
{
	uint64_t value = 0;
	size_t digits = 0;
	for (; !cursor_is_done(cursor); digits++) {
		char next = cursor_peek(cursor);
		if (next < '0' || next > '9')
			break;
		uint64_t digit = (uint64_t)(next - '0');
		if (digit > max || value > (max - digit) / 10)
			cursor->failed = true;
		value = value * 10 + digit;
		take(cursor, 1);
	}
	if (digits == 0)
		cursor->failed = true;
	return cursor->failed ? 0 : value;
}

void cursor_skip_space(struct cursor *cursor)
{
	while (is_space(cursor_peek(cursor)))
		take(cursor, 1);
}

struct writer writer_of(char *room, size_t size)
{
	return (struct writer){ .room = room, .size = size };
}

void writer_text(struct writer *writer, struct text text)
{
	if (writer->failed || text.size > writer->size - writer->used) {
		writer->failed = true;
		return;
	}
	if (text.size > 0)
		memcpy(writer->room + writer->used, text.data, text.size);
	writer->used += text.size;
}

struct text writer_keep(struct writer *writer, struct text text)
{
	struct text kept = { writer->room + writer->used, text.size };
	writer_text(writer, text);
	return kept;
}

void writer_string(struct writer *writer, const char *string)
{
	writer_text(writer, text_of(string));
}

void writer_char(struct writer *writer, char character)
{
	writer_text(writer, (struct text){ &character, 1 });
}

void writer_unsigned(struct writer *writer, uint64_t value)
{
	char digits[20]; // 2^64 has 20 of them
	size_t at = sizeof(digits);
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	writer_text(writer, (struct text){ digits + at, sizeof(digits) - at });
}

// The directives that messages are full of: printf takes hundreds of instructions for each. Returns
// what follows the directive; NULL when it is one that printf has to read.
static const char *write_directive(struct writer *writer, const char *directive, va_list *arguments)
{
	struct text text;
	if (directive[0] == 's') {
		writer_string(writer, va_arg(*arguments, const char *));
	} else if (directive[0] == 'u') {
		writer_unsigned(writer, va_arg(*arguments, unsigned));
	} else if (directive[0] == 'c') {
		writer_char(writer, (char)va_arg(*arguments, int));
	} else if (strncmp(directive, ".*s", 3) == 0) {
		text.size = (size_t)va_arg(*arguments, int);
		text.data = va_arg(*arguments, const char *);
		writer_text(writer, text);
		return directive + 3;
	} else if (strncmp(directive, "llu", 3) == 0) {
		writer_unsigned(writer, va_arg(*arguments, unsigned long long));
		return directive + 3;
	} else {
		return NULL;
	}
	return directive + 1;
}

// vsnprintf wants room for a zero that is not ours to keep, so a text that fits exactly but for
// that zero counts as not fitting: it asks for one octet more than it uses.
static void write_by_printf(struct writer *writer, const char *format, va_list *arguments)
{
	size_t left = writer->size - writer->used;
	int size =
		vsnprintf(left > 0 ? writer->room + writer->used : NULL, left, format, *arguments);
	if (size < 0 || (size_t)size >= left)
		writer->failed = true;
	else
		writer->used += (size_t)size;
}

void writer_format(struct writer *writer, const char *format, ...)
{
	size_t start = writer->used;
	va_list arguments;
	va_start(arguments, format);
	while (*format && !writer->failed) {
		const char *percent = strchrnul(format, '%');
		writer_text(writer, (struct text){ format, (size_t)(percent - format) });
		if (*percent == 0 || writer->failed)
			break;
		format = write_directive(writer, percent + 1, &arguments);
		if (!format) {
			write_by_printf(writer, percent, &arguments);
			break;
		}
	}
	va_end(arguments);
	if (writer->failed)
		writer->used = start; // all of it or nothing
}

struct text writer_done(const struct writer *writer)
{
	return writer->failed ? TEXT_NONE : (struct text){ writer->room, writer->used };
}

const char *writer_string_done(struct writer *writer)
{
	if (writer->failed || writer->used >= writer->size)
		return NULL;
	writer->room[writer->used] = 0;
	return writer->room;
}
