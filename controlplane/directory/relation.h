#pragma once

// What an object claims for itself alone (unique values) and what it leans on (references, the parent
// of a sub-domain), read off the schema. The mirror indexes by it, the store repeats the checks with it.
// Runs on: any thread; control thread.

#include <stdbool.h>

#include "base/text.h"
#include "directory/schema.h"

#define DIRECTORY_KEY_SIZE 160 // of the key of a unique value

struct directory;
struct directory_object;

// "trunk:domain::acme", "credential:user:CL…:bob": the same text here and in the store.
bool directory_relation_key(enum directory_kind kind, const struct directory_field *field,
			    struct text scope, struct text value, struct writer *out);
// The key of one field of an object; false: the field is not unique, or not set.
bool directory_relation_key_of(const struct directory_object *object, unsigned field,
			       struct writer *out);
// "b" of the domain "a.b" (TERM-009); empty: the object is no sub-domain.
struct text directory_relation_parent(const struct directory_object *object);
// The trunk that has a domain. NULL: none.
const struct directory_object *directory_relation_owner(const struct directory *directory,
							struct text domain);
