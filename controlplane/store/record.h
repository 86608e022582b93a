#pragma once

// An object as Redis holds it: a hash of fields, read with suspicion.
// Runs on: control thread.

#include "base/status.h"
#include "directory/object.h"

struct redisReply;

// From what HGETALL answers. ERR_MALFORMED: the problem names the field. Fields unknown here are left
// alone: a newer version of the program may have written them. Fields of earlier versions count as
// what took their place.
enum status store_record_read(struct text sid, const struct redisReply *hash,
			      struct directory_object **out_object,
			      struct directory_problem *out_problem);
// The fields of earlier versions of the kind, which each change takes out of Redis: NULL ends them.
const char *store_record_former(enum directory_kind kind, unsigned index);
// What the object has to itself and what it leans on, one a line, as the script wants them.
bool store_record_uniques(const struct directory_object *object, struct writer *out);
bool store_record_references(const struct directory *directory,
			     const struct directory_object *object, struct writer *out);
bool store_record_parent(const struct directory *directory, const struct directory_object *object,
			 struct writer *out);
bool store_record_room(const struct directory *directory, const struct directory_object *object,
		       struct writer *out);
bool store_record_released(struct writer *out); // the schema's rules on removal (TRUNK-009)
