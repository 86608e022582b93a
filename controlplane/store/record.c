// Between objects and what the script and HGETALL say of them.
// Runs on: control thread. Never trusts what it reads: every value goes through the schema's check.

#include "store/record.h"

#include <limits.h>

#include "directory/relation.h"
#include "directory/room.h"
#include "directory/value.h"
#include "store/redis.h"

// What earlier versions wrote in fields that are no more. Only values that forbid something are here, and
// they count more than the field of today: while nodes of both versions run, each writes its own of the
// two, and the one that does not know the other's must not let anybody in.
static const struct former {
	enum directory_kind kind;
	const char *field, *value; // as it was
	const char *now, *now_value;
} formers[] = {
	{ DIRECTORY_ACCOUNT, "enabled", "false", "status", "suspended" },
};

#define FORMERS (sizeof(formers) / sizeof(formers[0]))

const char *store_record_former(enum directory_kind kind, unsigned index)
{
	for (unsigned i = 0; i < FORMERS; i++)
		if (formers[i].kind == kind && index-- == 0)
			return formers[i].field;
	return NULL;
}

static struct text field_of(const struct redisReply *hash, struct text field)
{
	for (unsigned i = 0; i + 1 < store_redis_count(hash); i += 2)
		if (text_is_equal(store_redis_text(store_redis_at(hash, i)), field))
			return store_redis_text(store_redis_at(hash, i + 1));
	return TEXT_NONE;
}

static enum status read_formers(struct directory_object *object, const struct redisReply *hash,
				struct directory_problem *out_problem)
{
	enum status status = OK;
	for (unsigned i = 0; status == OK && i < FORMERS; i++) {
		const struct former *former = &formers[i];
		if (former->kind == object->kind &&
		    text_is_equal(field_of(hash, text_of(former->field)), text_of(former->value)))
			status = directory_object_set(object, text_of(former->now),
						      text_of(former->now_value), out_problem);
	}
	return status;
}

static enum status read_field(struct directory_object *object, struct text field, struct text value,
			      struct directory_problem *out_problem)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	uint64_t version;
	if (text_is_equal(field, TEXT(".version"))) {
		if (!text_to_unsigned(value, ULONG_MAX, &version))
			return ERR_MALFORMED;
		object->version = (unsigned long)version;
		return OK;
	}
	if (directory_field_index(schema, field) == schema->field_count)
		return OK;
	return directory_object_set(object, field, value, out_problem);
}

enum status store_record_read(struct text sid, const struct redisReply *hash,
			      struct directory_object **out_object,
			      struct directory_problem *out_problem)
{
	enum directory_kind kind = directory_kind_of_sid(sid);
	struct directory_object *object =
		kind < DIRECTORY_KIND_COUNT ? directory_object_create(kind) : NULL;
	directory_problem_set(out_problem, ".version", "is missing or no number");
	if (kind == DIRECTORY_KIND_COUNT) {
		directory_problem_set(out_problem, "sid", "is none of a known kind");
		return ERR_MALFORMED;
	}
	if (!object)
		return ERR_MEMORY;
	(void)text_copy(sid, object->sid, sizeof(object->sid));
	enum status status = OK;
	for (unsigned i = 0; status == OK && i + 1 < store_redis_count(hash); i += 2)
		status = read_field(object, store_redis_text(store_redis_at(hash, i)),
				    store_redis_text(store_redis_at(hash, i + 1)), out_problem);
	if (status == OK)
		status = read_formers(object, hash, out_problem);
	if (status == OK && object->version == 0)
		status = ERR_MALFORMED;
	if (status != OK) {
		directory_object_destroy(object);
		return status == ERR_MEMORY ? status : ERR_MALFORMED;
	}
	*out_object = object;
	return OK;
}

static void end_line(struct writer *out)
{
	writer_char(out, '\n');
}

bool store_record_uniques(const struct directory_object *object, struct writer *out)
{
	for (unsigned i = 0; i < directory_schema(object->kind)->field_count; i++) {
		if (directory_relation_key_of(object, i, out))
			end_line(out);
	}
	return !out->failed;
}

bool store_record_references(const struct directory *directory,
			     const struct directory_object *object, struct writer *out)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	for (unsigned i = 0; i < schema->field_count; i++) {
		enum directory_type type = schema->fields[i].type;
		struct text rest = text_of(object->values[i]), sid;
		if (type != DIRECTORY_REFERENCE && type != DIRECTORY_REFERENCES)
			continue;
		while ((sid = directory_value_next(&rest)).size > 0) {
			writer_text(out, sid);
			end_line(out);
		}
	}
	struct text parent = directory_relation_parent(object);
	const struct directory_object *owner =
		parent.size > 0 ? directory_relation_owner(directory, parent) : NULL;
	if (owner) {
		writer_string(out, owner->sid);
		end_line(out);
	}
	return !out->failed;
}

bool store_record_parent(const struct directory *directory, const struct directory_object *object,
			 struct writer *out)
{
	struct text parent = directory_relation_parent(object);
	const struct directory_object *owner =
		parent.size > 0 ? directory_relation_owner(directory, parent) : NULL;
	const struct directory_schema *schema = directory_schema(DIRECTORY_TRUNK);
	unsigned field = directory_field_index(schema, TEXT("domain"));
	if (!owner)
		return true;
	(void)directory_relation_key(DIRECTORY_TRUNK, &schema->fields[field], TEXT_NONE, parent,
				     out);
	end_line(out);
	writer_string(out, owner->sid);
	return !out->failed;
}

bool store_record_room(const struct directory *directory, const struct directory_object *object,
		       struct writer *out)
{
	struct directory_room room;
	if (directory_room_of(directory, object, &room))
		writer_format(out, "%s\n%u\n%s\n", directory_schema(room.kind)->prefix, room.most,
			      room.holder);
	return !out->failed;
}

bool store_record_released(struct writer *out)
{
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++) {
		const struct directory_schema *schema = directory_schema((enum directory_kind)kind);
		for (unsigned i = 0; i < schema->field_count; i++) {
			if (schema->fields[i].is_released)
				writer_format(out, "%s %s\n", schema->prefix,
					      schema->fields[i].name);
		}
	}
	return !out->failed;
}
