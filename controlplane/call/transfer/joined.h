#pragma once

// What a party that came by transfer brought along from the call it came from; part of struct call.
// Runs on: control thread.

#include "call/limit/limits.h"
#include "media/media.h"

struct history_call;

// What is kept of the call that a party came from by transfer. record NULL: it came by none.
struct joined {
	struct history_call *record; // goes on to that party's own end
	enum media_side side; // which of the record's two it is
	struct limit_slot limit; // what that call holds of the limits
};
