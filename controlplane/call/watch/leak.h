#pragma once

// The alarm for media ports that nobody gives back: once a minute the ledger is compared with the calls
// there are (the ledger itself: media/ports.h).
// Runs on: control thread.

#include "call/state.h"

void leak_start(struct calls *calls);
void leak_stop(struct calls *calls);
