// An object's life and its values, each in the canonical form of its type. Also the problem text.
// Runs on: control thread. Never looks at other objects but to resolve a name.

#include "directory/object.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/secret.h"
#include "directory/number.h"
#include "directory/value.h"

#define UNKNOWN_SIZE 64 // of what is said before the names

#define FIELD_NAME_MAX 32 // longer words are not compared with known names

static void free_value(char *value)
{
	if (value)
		secret_wipe(value, strlen(value));
	free(value);
}

struct directory_object *directory_object_create(enum directory_kind kind)
{
	const struct directory_schema *schema = directory_schema(kind);
	struct directory_object *object = schema ? calloc(1, sizeof(*object)) : NULL;
	if (!object)
		return NULL;
	object->kind = kind;
	random_sid(schema->prefix, object->sid);
	for (unsigned i = 0; i < schema->field_count; i++) {
		const char *fallback = schema->fields[i].fallback;
		object->values[i] = fallback ? strdup(fallback) : NULL;
		if (fallback && !object->values[i])
			goto fail;
	}
	return object;
fail:
	directory_object_destroy(object);
	return NULL;
}

void directory_object_destroy(struct directory_object *object)
{
	for (unsigned i = 0; object && i < DIRECTORY_FIELDS_MAX; i++)
		free_value(object->values[i]);
	free(object);
}

struct directory_object *directory_object_copy(const struct directory_object *object)
{
	struct directory_object *copy = calloc(1, sizeof(*copy));
	if (!copy)
		return NULL;
	*copy = (struct directory_object){ .kind = object->kind, .version = object->version };
	memcpy(copy->sid, object->sid, sizeof(copy->sid));
	for (unsigned i = 0; i < DIRECTORY_FIELDS_MAX; i++) {
		copy->values[i] = object->values[i] ? strdup(object->values[i]) : NULL;
		if (object->values[i] && !copy->values[i])
			goto fail;
	}
	return copy;
fail:
	directory_object_destroy(copy);
	return NULL;
}

void directory_problem_set(struct directory_problem *out_problem, const char *field,
			   const char *format, ...)
{
	if (!out_problem)
		return;
	va_list arguments;
	va_start(arguments, format);
	(void)snprintf(out_problem->field, sizeof(out_problem->field), "%s", field);
	int size = vsnprintf(out_problem->text, sizeof(out_problem->text), format, arguments);
	va_end(arguments);
	size_t end = sizeof(out_problem->text) - 1;
	if (size < 0 || (size_t)size <= end)
		return;
	while (end > 0 && (out_problem->text[end - 1] & 0xc0) == 0x80)
		end--; // no half a character at the cut
	if (end > 0 && out_problem->text[end - 1] & 0x80)
		end--;
	out_problem->text[end] = 0;
}

// Levenshtein's distance by two rows; both words are at most FIELD_NAME_MAX long.
static unsigned distance(struct text a, struct text b)
{
	unsigned rows[2][FIELD_NAME_MAX + 1];
	for (unsigned j = 0; j <= b.size; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a.size; i++) {
		unsigned *above = rows[(i - 1) % 2], *row = rows[i % 2];
		row[0] = i;
		for (unsigned j = 1; j <= b.size; j++) {
			unsigned replaced = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
			unsigned added = row[j - 1] + 1, dropped = above[j] + 1;
			unsigned least = added < dropped ? added : dropped;
			row[j] = replaced < least ? replaced : least;
		}
	}
	return rows[a.size % 2][b.size];
}

static const char *nearest(const struct directory_schema *schema, struct text word)
{
	const char *best = NULL;
	unsigned best_distance = 4; // further than three edits is no typing error
	for (unsigned i = 0; word.size <= FIELD_NAME_MAX && i < schema->field_count; i++) {
		unsigned steps = schema->fields[i].is_hidden
					 ? best_distance
					 : distance(word, text_of(schema->fields[i].name));
		if (steps < best_distance) {
			best = schema->fields[i].name;
			best_distance = steps;
		}
	}
	return best;
}

// As many as there is room for, then "...".
static void write_fields(const struct directory_schema *schema, struct writer *out)
{
	for (unsigned i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].is_hidden)
			continue;
		struct writer longer = *out;
		writer_format(&longer, "%s%s", out->used > 0 ? " " : "", schema->fields[i].name);
		struct writer ended = longer;
		writer_string(&ended, " ...");
		if (ended.failed) {
			writer_string(out, " ...");
			return;
		}
		*out = longer;
	}
}

static enum status refuse_unknown(const struct directory_schema *schema, struct text field,
				  struct directory_problem *out_problem)
{
	char room[sizeof(out_problem->text) - UNKNOWN_SIZE], name[sizeof(out_problem->field)];
	struct writer known = writer_of(room, sizeof(room));
	bool is_clean = directory_value_is_printable(field) && text_copy(field, name, sizeof(name));
	const char *best = nearest(schema, field);
	write_fields(schema, &known);
	if (best)
		directory_problem_set(out_problem, is_clean ? name : "",
				      "a%s %s has no such field; did you mean '%s'?",
				      schema->name[0] == 'a' ? "n" : "", schema->name, best);
	else
		directory_problem_set(out_problem, is_clean ? name : "",
				      "a%s %s has no such field; it has: %s",
				      schema->name[0] == 'a' ? "n" : "", schema->name,
				      writer_string_done(&known));
	return ERR_NOT_FOUND;
}

enum status directory_object_set(struct directory_object *object, struct text field,
				 struct text value, struct directory_problem *out_problem)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	unsigned index = directory_field_index(schema, field);
	char room[DIRECTORY_VALUE_SIZE];
	struct writer out = writer_of(room, sizeof(room));
	if (index == schema->field_count)
		return refuse_unknown(schema, field, out_problem);
	const struct directory_field *row = &schema->fields[index];
	value = text_trim(value);
	if (value.size == 0 && row->fallback)
		value = text_of(row->fallback);
	enum status status =
		value.size > 0 ? directory_value_write(row, value, &out, out_problem) : OK;
	struct text written = writer_done(&out);
	if (status == OK && written.size == 0 && row->is_required) {
		directory_problem_set(out_problem, row->name, "must not be empty: %s", row->text);
		status = ERR_MALFORMED;
	}
	char *copy = status == OK && written.size > 0 ? strndup(written.data, written.size) : NULL;
	if (status == OK && written.size > 0 && !copy)
		status = ERR_MEMORY;
	secret_wipe(room, sizeof(room));
	if (status != OK)
		return status;
	free_value(object->values[index]);
	object->values[index] = copy;
	return OK;
}

struct text directory_object_get(const struct directory_object *object, const char *field)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	unsigned index = directory_field_index(schema, text_of(field));
	return index < schema->field_count ? text_of(object->values[index]) : TEXT_NONE;
}

// A name may hold spaces, so a single reference is looked up whole; of several each word is one.
static enum status resolve(const struct directory *directory, const struct directory_field *row,
			   struct text value, struct writer *out,
			   struct directory_problem *out_problem)
{
	bool is_list = row->type == DIRECTORY_REFERENCES;
	const struct directory_object *whole = directory_find(directory, row->refers_to, value);
	if (whole || !is_list) {
		writer_text(out, whole ? text_of(whole->sid) : value);
		value = TEXT_NONE;
	}
	struct text word = value;
	while (is_list && (word = directory_value_next(&value)).size > 0) {
		const struct directory_object *found =
			directory_find(directory, row->refers_to, word);
		writer_text(out, found ? text_of(found->sid) : word);
		writer_char(out, ' ');
	}
	if (!out->failed)
		return OK;
	directory_problem_set(out_problem, row->name, "names too many of kind %s; at most %lu",
			      directory_schema(row->refers_to)->name, (unsigned long)row->max);
	return ERR_MALFORMED;
}

enum status directory_set(const struct directory *directory, struct directory_object *object,
			  struct text field, struct text value,
			  struct directory_problem *out_problem)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	unsigned index = directory_field_index(schema, field);
	const struct directory_field *row =
		index < schema->field_count ? &schema->fields[index] : NULL;
	char room[DIRECTORY_VALUE_SIZE];
	struct writer out = writer_of(room, sizeof(room));
	value = text_trim(value);
	if (!row || (row->type != DIRECTORY_REFERENCE && row->type != DIRECTORY_REFERENCES)) {
		enum status set = directory_object_set(object, field, value, out_problem);
		directory_number_settle(object, field);
		return set;
	}
	enum status status = resolve(directory, row, value, &out, out_problem);
	if (status != OK)
		return status;
	struct directory_problem problem = { 0 };
	status = directory_object_set(object, field, writer_done(&out), &problem);
	if (status == ERR_MALFORMED && value.size > 0)
		directory_problem_set(&problem, row->name,
				      "'%.*s' is no SID or unique name of a known %s",
				      TEXT_FORMAT(directory_value_shown(value)),
				      directory_schema(row->refers_to)->name);
	if (status != OK && out_problem)
		*out_problem = problem;
	directory_number_settle(object, field);
	return status;
}
