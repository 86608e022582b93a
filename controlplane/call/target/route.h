#pragma once

// Where a call goes next: carriers, or Origination URIs, in the order this call tries them. By priority,
// and by a draw without replacement in proportion to weight among equals (D-22).
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "call/refusal.h"
#include "directory/directory.h"

struct route_target { // found again by its SID: the directory may change while a call tries others
	char sid[DIRECTORY_SID_SIZE];
	uint16_t priority, weight;
};

struct route {
	struct route_target *targets; // as many as there are: a call that is up has none
	unsigned count;
	unsigned next; // the one to try now
};

// Of carriers, for a number that a trunk calls: of each group that its route leads to, in turn.
enum status route_choose(struct route *route, const struct directory *directory,
			 const char *trunk_sid, const char *called);
// Why such a call finds nobody: which groups the route leads to, or that there is none.
void route_refuse(const struct directory *directory, const char *trunk_sid, const char *called,
		  struct refusal *out_refusal);
// The same of a trunk's Origination URIs (ORIG-020 to ORIG-026).
enum status route_choose_uris(struct route *route, const struct directory *directory,
			      const char *trunk_sid);
void route_clear(struct route *route); // nothing more will be tried; harmless when repeated
const struct route_target *route_next(struct route *route); // NULL: all tried
