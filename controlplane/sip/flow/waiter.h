#pragma once

// The list of those who have sent on a connection and heard nothing yet: when it ends, they fail.
// Runs on: control thread. Inside sip/ only.

#include <stdbool.h>

struct sip_waiter { // a field of who waits
	struct sip_waiter *next, *previous;
	bool is_waiting;
};

void sip_waiter_enter(struct sip_waiter *waiter, struct sip_waiter **list); // once is enough
void sip_waiter_leave(struct sip_waiter *waiter,
		      struct sip_waiter **list); // harmless when not in it
