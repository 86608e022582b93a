#pragma once

// Lists of those who have sent on a connection and heard nothing yet: when it ends, they fail.
// Runs on: control thread. Inside sip/ only.

struct sip_waiter { // a field of who waits; all zero: does not
	struct sip_waiter *next, *previous;
	struct sip_waiter **list; // it is in
};

void sip_waiter_enter(struct sip_waiter *waiter, struct sip_waiter **list); // once is enough
void sip_waiter_leave(struct sip_waiter *waiter); // harmless when in none
