#pragma once

// What calls look up by: the same few cache lines whatever the number of customers. Beside the keys of
// text that the mirror has for everybody, each entry that calls ask for is in an index of its kind, under a
// hash that stands for its key: a line of that is read, and of the entry the line that has the answer.
// Runs on: control thread. Inside directory/ but for the functions of directory.h.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/index/index.h"
#include "base/status.h"
#include "base/text.h"
#include "directory/schema.h"

#define DIRECTORY_LINE 64 // octets of a cache line

struct directory;
struct directory_entry;
struct mirror_group;

struct directory_index {
	struct index kinds[DIRECTORY_KIND_COUNT]; // all zero: none of that kind yet
	struct index owned; // numbers by account
};

// Lengths of prefixes in a list, a bit each. One that has gone may keep its bit as long as others stay.
struct directory_lengths {
	uint64_t words[3];
};

void directory_index_clear(struct directory_index *index);
enum status directory_index_add(struct directory_index *index, struct directory_entry *entry);
void directory_index_remove(struct directory_index *index, struct directory_entry *entry);

// All of these: NULL when there is none.
struct directory_entry *directory_index_trunk(const struct directory *directory,
					      struct text domain); // in lower case
struct directory_entry *directory_index_number(const struct directory *directory,
					       enum directory_kind kind, struct text e164);
struct directory_entry *directory_index_credential(const struct directory *directory,
						   const struct mirror_group *list,
						   struct text user);
struct directory_entry *directory_index_route(const struct directory *directory, struct text trunk,
					      struct text prefix);
bool directory_index_is_owned(const struct directory *directory, struct text account,
			      struct text e164);
// Has the line of the index fetched that will be read. Of addresses those of a few lengths.
void directory_index_expect_number(const struct directory *directory, enum directory_kind kind,
				   struct text e164);
void directory_index_expect_owned(const struct directory *directory, struct text account,
				  struct text e164);
void directory_index_expect_credential(const struct directory *directory,
				       const struct mirror_group *list, struct text user);
void directory_index_expect_address(const struct directory *directory,
				    const struct mirror_group *list, const struct address *address);
// Is the address in any prefix of the list? At most one look-up for each length its prefixes have.
bool directory_index_has_address(const struct directory *directory, const struct mirror_group *list,
				 const struct address *address);
