#pragma once

// Short ways to make objects for the tests of this folder and of the store.
// Runs on: the thread of the test.

#include "directory/directory.h"
#include "directory/object.h"

#define WORLD_BASE "pstn.example.com"

// Pairs of field and value, ended by NULL; every one has to be accepted.
struct directory_object *world_make(enum directory_kind kind, ...) __attribute__((sentinel));
void world_set(struct directory_object *object, const char *field, const char *value);
// Checks it as a new one, puts it into the mirror and copies its SID out.
void world_add(struct directory *directory, struct directory_object *object, char out_sid[35]);
// "2001:db8::1" and the like, which have to parse.
struct address world_address(const char *text);
