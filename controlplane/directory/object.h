#pragma once

// One object as rows of field and value: the common form for commands, store and mirror.
// Runs on: control thread.

#include <stdbool.h>

#include "base/status.h"
#include "base/text.h"
#include "directory/schema.h"

#define DIRECTORY_FIELDS_MAX 32

struct directory;

struct directory_object {
	enum directory_kind kind;
	char sid[35];
	unsigned long version; // of the last change of it
	char *values[DIRECTORY_FIELDS_MAX]; // by row of the schema, owned; NULL: not set
};

struct directory_problem { // a precise refusal
	char field[32];
	char text[192]; // what is wrong and what is allowed
};

// With a new SID and every fallback set. NULL: no memory.
struct directory_object *directory_object_create(enum directory_kind kind);
void directory_object_destroy(struct directory_object *object);
struct directory_object *directory_object_copy(const struct directory_object *object);
// ERR_NOT_FOUND: no such field (the problem names the nearest); ERR_MALFORMED: not of its type. The
// value is kept in its one canonical form; an empty one brings back the fallback, or clears.
enum status directory_object_set(struct directory_object *object, struct text field,
				 struct text value, struct directory_problem *out_problem);
// The same, and references may be given by name, domain or number as well as by SID.
enum status directory_set(const struct directory *directory, struct directory_object *object,
			  struct text field, struct text value,
			  struct directory_problem *out_problem);
struct text directory_object_get(const struct directory_object *object, const char *field);

// Whole-object rules against the mirror: required, unique, references exist, parent domains
// (TERM-009, -010). is_new: add; else change.
enum status directory_check(const struct directory *directory,
			    const struct directory_object *object, bool is_new,
			    struct directory_problem *out_problem);
// The same of several that come together, all or none: each may refer to those before it. Those of version 0
// are new.
enum status directory_check_group(const struct directory *directory,
				  struct directory_object *const *objects, unsigned count,
				  struct directory_problem *out_problem);
// May it go? ERR_CONFLICT names what still refers to it (TERM-011).
enum status directory_check_removal(const struct directory *directory,
				    const struct directory_object *object,
				    struct directory_problem *out_problem);

// Advice that is no refusal (TERM-008, AUTH-017, TRUNK-012); false: none.
bool directory_hint(const struct directory_object *object, struct directory_problem *out_hint);
// Cut at the room's end; out_problem may be NULL.
void directory_problem_set(struct directory_problem *out_problem, const char *field,
			   const char *format, ...) __attribute__((format(printf, 3, 4)));

// The mirror itself. put takes the object over, also when it fails, and replaces one of the same SID;
// only the store (and tests) call these five. swap exchanges what two mirrors hold.
enum status directory_put(struct directory *directory, struct directory_object *object);
void directory_drop(struct directory *directory, const char *sid);
void directory_empty(struct directory *directory);
bool directory_shrink(struct directory *directory, unsigned count); // by so many; true: empty now
void directory_swap(struct directory *a, struct directory *b);

// By SID, or by a unique field's value (name, domain, number), or by a name that only one of them
// has. NULL: none, or not unique.
const struct directory_object *directory_find(const struct directory *directory,
					      enum directory_kind kind, struct text word);
// In the order in which they came; NULL starts and ends.
const struct directory_object *directory_next(const struct directory *directory,
					      enum directory_kind kind,
					      const struct directory_object *after);
// Objects of the kind that refer to the SID, or as many as there is room for; returns how many.
unsigned directory_referrers(const struct directory *directory, const char *sid,
			     enum directory_kind kind, const struct directory_object **out_found,
			     unsigned max);
// Another number after each change of any object of the kind, and after a swap.
uint64_t directory_generation(const struct directory *directory, enum directory_kind kind);
unsigned directory_count(const struct directory *directory, enum directory_kind kind);
