#pragma once

// How many alerts of one trunk and cause are written in a second (alerts.max_per_s): a customer whose calls
// are all refused must not fill the disk, nor the operator's list. What is held back is counted, and the
// alert that follows tells how many it stands for.
// Runs on: control thread; a fixed amount of memory, no allocation.

#include <stdbool.h>
#include <stdint.h>

#define DAMPERS_REMEMBERED 2048
#define DAMPER_PLACES 8 // in which of these one may be

struct damper { // of a trunk and a cause; whose second is not over keeps its place
	uint64_t key; // a hash of both; 0: free
	uint64_t since_ms; // monotonic: when its second began
	uint32_t written, held_back;
};

// False: hold it back. True: write it; *out_held_back is how many were held back since the last one. While
// others have all places of the key it waits for one, or nobody's second would hold. per_s 0: no bound.
bool damper_pass(struct damper dampers[static DAMPERS_REMEMBERED], uint64_t key, uint64_t now_ms,
		 unsigned per_s, unsigned *out_held_back);
