#pragma once

// What every command shares that changes one object: the fields from its words, and the answer.
// Runs on: control thread.

#include "base/status.h"

struct admin_request;
struct directory_problem;

void admin_change_refuse(struct admin_request *request, enum status status,
			 const struct directory_problem *problem);
// As store_done_fn, with the request as context: answers with the object as it is now.
void admin_change_done(void *context, enum status status, const struct directory_problem *problem,
		       const char *sid);
