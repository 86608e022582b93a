#pragma once

// The target of a transfer as a call of its own: judged like a termination where it goes to the PSTN
// (XFER-006, D-63), offered media of ours, and sent on its way.
// Runs on: control thread; never waits.

#include "call/state.h"
#include "call/transfer/refer.h"

// Is the target a telephone number of the PSTN, called by the trunk of the call? Else it is a host.
bool destination_is_number(const struct leg *referrer, const struct refer *refer);
// Starts the transfer to it. A target that may not be, or cannot be reached, fails like one that is busy.
void destination_call(struct leg *referrer, const struct refer *refer);
