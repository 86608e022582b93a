#pragma once

// How many there may be: trunks and numbers of an account, Origination URIs of a trunk (ORIG-017),
// carriers that are enabled. The mirror counts first; the store counts again when it writes, since
// nodes change things at once.
// Runs on: control thread.

#include <stdbool.h>

#include "base/status.h"
#include "directory/schema.h"

struct directory;
struct directory_object;
struct directory_problem;

struct directory_room {
	enum directory_kind kind;
	char holder
		[35]; // SID that those of the kind refer to; empty: the enabled ones of all count
	unsigned most;
};

// Whether the object takes a place that it has not got yet, by the version that the mirror holds; false:
// nothing bounds it, or the place is its own already.
bool directory_room_of(const struct directory *directory, const struct directory_object *object,
		       struct directory_room *out_room);
unsigned directory_room_used(const struct directory *directory, const struct directory_room *room);
// ERR_LIMIT, in words.
enum status directory_room_refuse(const struct directory *directory,
				  const struct directory_room *room, unsigned used,
				  struct directory_problem *out_problem);
