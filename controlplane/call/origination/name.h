#pragma once

// The name of who calls from the PSTN, for a trunk that wants it (CNAM-001): looked up before the first PBX
// is asked, within cnam.timeout_ms. Answers are charged to the trunk's account, failures are free.
// Runs on: control thread; never waits.

#include "call/state.h"

// Asks, then goes on to the targets: at once, or from the loop. May end the call as attempt_start does.
void name_start(struct call *call);
void name_end(
	struct call *call); // the call is over: nobody waits any more; harmless when nobody did
