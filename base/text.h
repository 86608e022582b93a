#pragma once

// Borrowed text, a cursor that cannot read past its end, a writer that cannot write past its room.
// All three never allocate; text is never terminated by a zero unless a function says so.
// Runs on: any thread; each object belongs to its caller.

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	const char *data;
	size_t size;
};

#define TEXT(literal) ((struct text){ (literal), sizeof(literal) - 1 })
#define TEXT_NONE ((struct text){ NULL, 0 })
#define TEXT_FORMAT(text) (int)(text).size, (text).data // for "%.*s"

struct text text_of(const char *string); // string may be NULL
bool text_is_equal(struct text a, struct text b);
bool text_is_same(struct text a, struct text b); // ASCII case ignored
bool text_has_prefix(struct text text, struct text prefix);
bool text_has_suffix_same(struct text text, struct text suffix); // ASCII case ignored
struct text text_trim(struct text text); // spaces and tabs at both ends
struct text text_cut(struct text text, size_t from); // what follows the first `from` octets
// Splits at the first `separator`: returns what precedes it, leaves what follows in *rest.
struct text text_split(struct text *rest, char separator);
const char *text_find(struct text text, char wanted); // NULL when absent
// The whole text as decimal digits and nothing else; false when empty, other, or above max.
bool text_to_unsigned(struct text text, uint64_t max, uint64_t *out_value);
// Copies and terminates with a zero; false (and an empty string) when it does not fit.
bool text_copy(struct text text, char *room, size_t room_size);
// The same for what may be cut: as much as fits, always terminated. room_size > 0.
void text_copy_cut(struct text text, char *room, size_t room_size);

// Reading. After the first error every call returns nothing and `failed` stays true.
struct cursor {
	struct text rest;
	bool failed;
};

struct cursor cursor_of(struct text text);
bool cursor_is_done(const struct cursor *cursor); // nothing left, or failed
char cursor_peek(const struct cursor *cursor); // 0 at the end
bool cursor_take(struct cursor *cursor, char wanted); // takes it if it is next, no error if not
void cursor_expect(struct cursor *cursor, char wanted); // error when it is not next
// ASCII case ignored, no error if absent.
bool cursor_take_text(struct cursor *cursor, struct text wanted);
// Up to and without `stop`, which it takes; to the end when absent.
struct text cursor_until(struct cursor *cursor, char stop);
struct text cursor_line(struct cursor *cursor); // up to CRLF or LF, which it takes
struct text cursor_word(struct cursor *cursor); // skips spaces, then up to the next space or end
// Error when no digit comes, or above max.
uint64_t cursor_unsigned(struct cursor *cursor, uint64_t max);
void cursor_skip_space(struct cursor *cursor); // spaces and tabs

// Writing. Once something did not fit, nothing more is written and `failed` stays true; check once.
struct writer {
	char *room;
	size_t size; // of room
	size_t used;
	bool failed;
};

struct writer writer_of(char *room, size_t size);
void writer_text(struct writer *writer, struct text text);
// The same; returns the copy, which is of no use when the writer has failed.
struct text writer_keep(struct writer *writer, struct text text);
void writer_string(struct writer *writer, const char *string);
void writer_char(struct writer *writer, char character);
void writer_unsigned(struct writer *writer, uint64_t value);
void writer_format(struct writer *writer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct text writer_done(const struct writer *writer); // what was written; empty when failed
// Also writes a terminating zero (not counted); NULL when failed or no room for it.
const char *writer_string_done(struct writer *writer);
