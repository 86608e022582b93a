#pragma once

// Directories of any size, and INVITEs of their customers, for admissioncost.
// Runs on: one thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "call/state.h"

#define COST_BASE "pstn.example.com"
#define COST_OCTETS 2048 // of one INVITE

struct cost_size {
	unsigned trunks, numbers, entries, blocked;
};

struct cost_trunk {
	char domain[16];
	char number[17]; // one of its account's
	struct address source; // that its ACL holds
};

struct cost_world {
	struct clock clock;
	struct calls calls; // what admission reads of it
	struct cost_trunk *trunks;
	unsigned count;
};

// Each trunk has an account, a credential list and its share of the ACL's entries, in a list of its own,
// or all in one that they share. Entries have many lengths, of IPv4 and IPv6.
bool cost_world_create(struct cost_world *world, const struct cost_size *size, bool is_shared,
		       bool has_digest);
uint32_t cost_random(uint32_t *order, uint32_t below); // the same numbers each time
