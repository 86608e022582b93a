#pragma once

// Lists made together with the trunk they are attached to: "Create ACL" and "Create Credential List" of its
// Authentication section (AUTH-018). All of it is made, or nothing.
// Runs on: control thread.

#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"
#include "base/text.h"

struct admin_change;
struct directory_object;
struct directory_problem;

#define ADMIN_TRUNK_GROUP_MAX 12 // objects, the trunk among them

struct admin_trunk_group {
	struct directory_object *objects[ADMIN_TRUNK_GROUP_MAX];
	unsigned count;
};

// The words that are about new lists, field=value; the rows of help follow from the same table.
bool admin_trunk_is_of_list(struct text word);
const char *admin_trunk_list_word(unsigned row, const char **out_text); // NULL: there are no more
// What the words of a change ask for besides the trunk, attached to it. The trunk stays the caller's; the
// group's objects are the caller's too, also after a refusal.
enum status admin_trunk_make_lists(const struct admin_change *change,
				   struct directory_object *trunk,
				   struct admin_trunk_group *out_group,
				   struct directory_problem *problem);
