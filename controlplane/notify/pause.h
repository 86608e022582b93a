#pragma once

// Who told something lately, and may not again before its pause is over; and how often it would have
// (DEBUG-003, DEBUG-005). Bounded: where others whose pauses are not over have all of its places, one more
// waits, or nobody's pause would hold.
// Runs on: control thread; memory only.

#include <stdint.h>

#define NOTIFY_PAUSES_MAX 4096
#define NOTIFY_PAUSE_PLACES 8 // in which of these one may be

struct notify_pause {
	char sid[35]; // of a trigger; "": free
	uint64_t until_ms;
	uint32_t held; // what it did not tell; whoever tells it next clears that
};

struct notify_pauses { // all zero at first
	struct notify_pause places[NOTIFY_PAUSES_MAX];
};

// Its place, or a new one whose pause is over. NULL: it waits, and nothing is counted.
struct notify_pause *notify_pause_find(struct notify_pauses *pauses, const char *sid,
				       uint64_t now_ms);
