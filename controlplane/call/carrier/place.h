#pragma once

// At which addresses carriers were asked lately: a carrier may be a name, and what comes from one of its
// addresses is a call of the PSTN. Bounded; the oldest goes first.
// Runs on: control thread.

#include "base/address.h"
#include "directory/directory.h"

#define PLACES_MAX 256 // 32 carriers, six addresses each, and some that have changed

struct calls;
struct sip_flow;

struct place {
	struct address address; // of no family: free
	char carrier_sid[DIRECTORY_SID_SIZE];
};

struct places { // all zero: none
	struct place items[PLACES_MAX];
	unsigned next;
};

void place_note(struct places *places, const struct address *address, const char *carrier_sid);
// Whose call is it? By the certificate that its connection came with; or by an address or prefix of the
// directory, or one it was asked at lately, whatever the port. NULL: nobody's, or of a carrier that is
// disabled, or has to show a certificate and did not.
const struct carrier *place_find_carrier(const struct calls *calls, const struct sip_flow *flow);
