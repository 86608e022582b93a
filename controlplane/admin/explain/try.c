// Changes made in a copy of the directory. Runs on the control thread; the store never hears of them.

#include <string.h>

#include "admin/change.h"
#include "admin/command.h"
#include "admin/explain/explain.h"
#include "admin/handler.h"
#include "directory/value.h"

static enum status fill_and_put(const struct admin_change *change, struct directory *copy,
				struct directory_object *object, bool is_new,
				struct directory_problem *problem)
{
	enum status status =
		object != NULL ? admin_change_fill(change, object, problem) : ERR_MEMORY;
	if (status == OK)
		status = directory_check(copy, object, is_new, problem);
	if (status == OK)
		return directory_put(copy, object);
	directory_object_destroy(object);
	return status;
}

// The value without one of its words.
static void write_without(struct text value, struct text word, struct writer *writer)
{
	struct text next;
	while ((next = directory_value_next(&value)).size > 0) {
		if (text_is_equal(next, word))
			continue;
		writer_string(writer, writer->used > 0 ? " " : "");
		writer_text(writer, next);
	}
}

// TRUNK-009: what is released when its target goes, is.
static enum status release(struct directory *copy, const struct directory_object *object,
			   unsigned field, struct text sid)
{
	char room[4096];
	struct writer writer = writer_of(room, sizeof(room));
	struct directory_problem problem;
	struct directory_object *own = directory_object_copy(object);
	const struct directory_field *row = &directory_schema(object->kind)->fields[field];
	if (own == NULL)
		return ERR_MEMORY;
	write_without(text_of(own->values[field]), sid, &writer);
	(void)directory_object_set(own, text_of(row->name), writer_done(&writer), &problem);
	return directory_put(copy, own);
}

static bool refers(const struct directory_object *object, unsigned field, struct text sid)
{
	struct text value = text_of(object->values[field]), word;
	while ((word = directory_value_next(&value)).size > 0)
		if (text_is_equal(word, sid))
			return true;
	return false;
}

static bool is_released(const struct directory_object *object, struct text sid, unsigned *out_field)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	for (unsigned field = 0; field < schema->field_count; field++) {
		*out_field = field;
		if (schema->fields[field].is_released && refers(object, field, sid))
			return true;
	}
	return false;
}

// One that refers to it and does not block its removal; NULL: none is left.
static const struct directory_object *find_released(const struct directory *copy, struct text sid,
						    unsigned *out_field)
{
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++) {
		const struct directory_object *object = NULL;
		while ((object = directory_next(copy, (enum directory_kind)kind, object)) != NULL)
			if (is_released(object, sid, out_field))
				return object;
	}
	return NULL;
}

static enum status remove_one(struct directory *copy, const struct directory_object *object,
			      struct directory_problem *problem)
{
	char sid[DIRECTORY_SID_SIZE];
	unsigned field;
	const struct directory_object *other;
	enum status status = directory_check_removal(copy, object, problem);
	(void)text_copy(text_of(object->sid), sid, sizeof(sid));
	while (status == OK && (other = find_released(copy, text_of(sid), &field)) != NULL)
		status = release(copy, other, field, text_of(sid));
	if (status == OK)
		directory_drop(copy, sid);
	return status;
}

static enum status refuse(struct directory_problem *problem, enum status status, const char *text)
{
	directory_problem_set(problem, "", "%s", text);
	return status;
}

enum status admin_explain_try(const struct admin_context *context, struct directory *copy,
			      const struct text *words, unsigned count,
			      struct directory_problem *out_problem)
{
	struct admin_command_match match = admin_command_find(words, count);
	if (match.problem[0])
		return refuse(out_problem, ERR_MALFORMED, match.problem);
	const struct text *arguments = words + match.words;
	struct admin_change change = { context, copy, arguments, count - match.words };
	if (match.command->run == admin_change_add)
		return fill_and_put(&change, copy, directory_object_create(match.kind), true,
				    out_problem);
	if (match.command->run != admin_change_change && match.command->run != admin_change_remove)
		return refuse(out_problem, ERR_MALFORMED,
			      "only add, change and remove can be tried");
	const struct directory_object *found = directory_find(copy, match.kind, arguments[0]);
	if (found == NULL)
		return refuse(out_problem, ERR_NOT_FOUND,
			      "no object of this kind has this SID or unique name");
	if (match.command->run == admin_change_remove)
		return remove_one(copy, found, out_problem);
	change.words++;
	change.count--;
	return fill_and_put(&change, copy, directory_object_copy(found), false, out_problem);
}
