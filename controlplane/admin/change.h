#pragma once

// What every command shares that changes one object: the fields from its words, and the answer.
// Runs on: control thread.

#include <stdbool.h>

#include "base/status.h"

struct admin_context;
struct admin_request;
struct directory;
struct directory_object;
struct directory_problem;
struct text;

void admin_change_refuse(struct admin_request *request, enum status status,
			 const struct directory_problem *problem);
// As store_done_fn, with the request as context: answers with the object as it is now.
void admin_change_done(void *context, enum status status, const struct directory_problem *problem,
		       const char *sid);

struct admin_change {
	const struct admin_context *context;
	const struct directory *directory; // in which names are looked up
	const struct text *words; // field=value
	unsigned count;
	bool takes_lists; // words of new lists are somebody else's (admin/trunk/lists.h)
};

// Fills the object as add and change do.
enum status admin_change_fill(const struct admin_change *change, struct directory_object *object,
			      struct directory_problem *problem);
