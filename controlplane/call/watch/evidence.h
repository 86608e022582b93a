#pragma once

// The alert about one-way audio in words: who does not hear whom, and the figures that show it.
// Runs on: control thread; pure.

#include "call/call.h"
#include "call/refusal.h"

struct evidence {
	const struct media_figures *speaker, *listener;
	enum diagnosis diagnosis; // not NONE
	enum call_direction direction; // who listens
	bool is_from_customer; // who speaks: another kind, but after a transfer
	bool is_neither; // the other direction is not heard either
};

void evidence_tell(const struct evidence *evidence, struct refusal *out_refusal);
