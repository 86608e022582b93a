#pragma once

// The parts of the control process in the order they start: one row each. They stop backwards.
// Runs on: control thread.

#include "base/status.h"

struct control;

struct part {
	const char *name;
	enum status (*start)(struct control *control);
	void (*stop)(struct control *control); // NULL: nothing to stop; also after a failed start
};

const struct part *part_at(unsigned index); // NULL past the last
