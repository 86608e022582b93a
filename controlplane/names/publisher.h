#pragma once

// The thread that talks to the DNS server: takes lists of domains, makes the zone right, tells how it
// went. After a failure it tries again, later and later; after any doubt it reads the whole zone.
// Runs on: started and stopped by the control thread; everything else is a thread of its own.

#include <stdint.h>

#include "base/ring.h"
#include "names/plan.h"
#include "names/reconcile.h"

struct names_publisher;

struct names_report { // publisher to control, by value
	enum status status; // of the last attempt
	bool is_whole; // the whole zone was read
	unsigned domains;
	struct names_outcome outcome;
	uint64_t at_ms; // wall clock
	uint64_t took_ms;
};

struct names_publisher_options {
	struct names_server *server; // taken over
	const struct names_plan *plan; // copied
	uint64_t reconcile_ms;
	struct ring *lists; // of struct names_list *, a gift each
	struct ring *reports; // of struct names_report
};

enum status names_publisher_start(const struct names_publisher_options *options,
				  struct names_publisher **out_publisher);
// Waits until what is under way is done: a time-out of the server at the longest.
void names_publisher_stop(struct names_publisher *publisher);
