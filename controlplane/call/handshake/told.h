#pragma once

// What was told of handshakes that failed, so that it is not told again and again.
// Runs on: control thread.

#include <stdint.h>

#define HANDSHAKES_REMEMBERED 64

struct handshake_told { // an alert about handshakes, for a while the last of its kind
	uint64_t hash; // of account, host and reason
	uint64_t until_ms;
};
