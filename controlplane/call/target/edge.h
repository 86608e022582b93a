#pragma once

// From which edge a target is spoken to: the one its URI names, else the one at which the call arrived
// (ORIG-014 to ORIG-016, ORIG-039). An edge has addresses for SIP and for media (MEDIA-021).
// Runs on: control thread.

#include "call/state.h"

struct target;

// May the account's calls be sent from the edge that the target names? Private connections are of the
// accounts they list (NET-013); carriers are the operator's.
bool edge_is_open(const struct calls *calls, const struct target *target, const char *account_sid);
void edge_refuse(const struct target *target, struct refusal *out_refusal);
// Our signalling address of that family there. An edge nobody knows, or that is another node's, counts
// as none. `arrival` is where the call came to; NULL: it is no call. False: we have none of the family.
bool edge_address(const struct calls *calls, const struct target *target,
		  const struct address *arrival, uint8_t family, struct address *out_address);
// Where the call came to; NULL: nobody calls, it is the target of a transfer.
const struct address *edge_arrival(const struct call *call);
// The called side's media leaves from there too, where this node has an address of that edge.
enum status edge_set_media(struct call *call, const struct target *target, uint8_t family);
// So does the caller's, of the family of its signalling: its offer may ask for the other one.
enum status edge_set_caller_media(struct call *call);
