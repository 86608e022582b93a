#pragma once

// Which carriers a call goes to: a route leads numbers that begin alike, of all trunks or of one, to groups
// of carriers, tried one group after the other. The longest prefix counts, a trunk's own routes first.
// Runs on: control thread.

#include <stdbool.h>

#include "directory/directory.h"

#define DIRECTORY_GROUP_SIZE 33 // DIRECTORY_CARRIER_GROUP_MAX and a zero
#define DIRECTORY_GROUPS_SIZE 161 // of several, with a space between each two

struct directory_entry;

struct directory_route { // RO…
	char sid[DIRECTORY_SID_SIZE];
	char prefix[17]; // "+81"; "+": of all numbers
	char groups[DIRECTORY_GROUPS_SIZE];
	bool is_of_trunk; // for its calls alone
};

// NULL: none leads it anywhere, it is for the carriers that are in no group.
const struct directory_route *directory_route_of(const struct directory *directory,
						 const char *trunk_sid, const char *called);
// Enabled carriers of one group, "" for those in none, in order of priority; returns how many.
unsigned directory_group(const struct directory *directory, struct text group,
			 const struct carrier *out_carriers[DIRECTORY_CARRIERS_MAX]);
// The next of a route's groups; without a route one, "". False: no more. Start with *rest a route's groups
// and *nth 0.
bool directory_group_next(struct text *rest, unsigned *nth, struct text *out_group);
