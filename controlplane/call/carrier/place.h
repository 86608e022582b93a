#pragma once

// At which addresses carriers were called lately: a carrier may be a name, and TLS must know whose
// certificate belongs there. Bounded; the oldest goes first.
// Runs on: control thread.

#include <stdint.h>

#include "base/address.h"
#include "directory/directory.h"

#define PLACES_MAX 256 // 32 carriers, six addresses each, and some that have changed

struct place {
	struct address address; // of no family: free
	char carrier_sid[DIRECTORY_SID_SIZE];
};

struct places { // all zero: none
	struct place items[PLACES_MAX];
	unsigned next;
};

void place_note(struct places *places, const struct address *address, const char *carrier_sid);
const char *place_carrier(const struct places *places,
			  const struct address *address); // its SID or NULL
