#pragma once

// The guard in front of SIP (sip/guard/guard.h), from the options that describe it.
// Runs on: control thread.

#include "base/status.h"

struct control;

enum status guard_start(struct control *control);
void guard_stop(struct control *control);
