#pragma once

// Makes the zone what it should be: from all it holds, or from what has changed since.
// Runs on: the publisher's thread, which may wait.

#include "names/list.h"
#include "names/plan.h"
#include "names/update.h"

struct names_outcome { // as far as it came
	unsigned names; // that are as they should be
	unsigned added, replaced, removed;
	unsigned conflicts; // names that are somebody else's
	char conflict[NAMES_NAME_SIZE]; // one of them
	char problem[NAMES_PROBLEM_SIZE];
};

// Reads the zone, then adds, replaces and removes names. What is ours and wanted no more goes.
enum status names_reconcile(struct names_server *server, const struct names_plan *plan,
			    const struct names_list *wanted, struct names_outcome *out_outcome);
// From one list to the next, trusting that the zone is right for the first. ERR_CONFLICT: it is not.
enum status names_follow(struct names_server *server, const struct names_plan *plan,
			 const struct names_list *before, const struct names_list *after,
			 struct names_outcome *out_outcome);
