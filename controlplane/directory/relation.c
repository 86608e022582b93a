// Keys of unique values and the parent of a sub-domain, derived from the schema's rows.
// Runs on: any thread; pure.

#include "directory/relation.h"

#include "directory/mirror.h"

bool directory_relation_key(enum directory_kind kind, const struct directory_field *field,
			    struct text scope, struct text value, struct writer *out)
{
	writer_string(out, directory_schema(kind)->name);
	writer_char(out, ':');
	writer_string(out, field->name);
	writer_char(out, ':');
	writer_text(out, scope);
	writer_char(out, ':');
	writer_text(out, value);
	return !out->failed;
}

bool directory_relation_key_of(const struct directory_object *object, unsigned field,
			       struct writer *out)
{
	const struct directory_field *row = &directory_schema(object->kind)->fields[field];
	if (!row->is_unique || !object->values[field])
		return false;
	struct text scope = row->scope ? directory_object_get(object, row->scope) : TEXT_NONE;
	return directory_relation_key(object->kind, row, scope, text_of(object->values[field]),
				      out);
}

struct text directory_relation_parent(const struct directory_object *object)
{
	struct text domain = object->kind == DIRECTORY_TRUNK
				     ? directory_object_get(object, "domain")
				     : TEXT_NONE;
	(void)text_split(&domain, '.');
	return domain;
}

const struct directory_object *directory_relation_owner(const struct directory *directory,
							struct text domain)
{
	const struct directory_schema *schema = directory_schema(DIRECTORY_TRUNK);
	unsigned field = directory_field_index(schema, TEXT("domain"));
	char room[DIRECTORY_KEY_SIZE];
	struct writer key = writer_of(room, sizeof(room));
	if (!directory_relation_key(DIRECTORY_TRUNK, &schema->fields[field], TEXT_NONE, domain,
				    &key))
		return NULL;
	const struct directory_entry *entry = directory_mirror_unique(directory, writer_done(&key));
	return entry ? entry->object : NULL;
}
