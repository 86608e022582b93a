#pragma once

// Where a call goes next: the carriers in the order this call tries them. By priority, and by a draw
// without replacement in proportion to weight among equals (D-22).
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "directory/directory.h"

struct route_target { // found again by its SID: the directory may change while a call tries others
	char sid[DIRECTORY_SID_SIZE];
	char name[DIRECTORY_NAME_SIZE];
};

struct route {
	struct route_target *targets; // as many as there are: a call that is up has none
	unsigned count;
	unsigned next; // the one to try now
};

enum status route_choose(struct route *route, const struct directory *directory);
void route_clear(struct route *route); // nothing more will be tried; harmless when repeated
const struct route_target *route_next(struct route *route); // NULL: all tried
// Does this final answer of a carrier end the call (true) or does the next carrier get it? The list
// is the one of ORIG-027: definitive answers about the called party.
bool route_is_definitive(unsigned status);
