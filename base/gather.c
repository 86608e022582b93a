// Gathering, as network cards do it: for so long, or until so much is there. Pure.

#include "base/gather.h"

// A thread that is busy, or woke from a long sleep, is late by now and waits for nothing.
uint64_t gather_until(struct gather *gather, uint64_t now_ns, uint64_t done)
{
	uint64_t count = done - gather->done, wait_ns = GATHER_NS;
	uint64_t enough_ns =
		count > 0 ? (now_ns - gather->ended_ns) / count * GATHER_ENOUGH : wait_ns;
	if (enough_ns < wait_ns)
		wait_ns = enough_ns;
	uint64_t next_ns = gather->begun_ns + wait_ns;
	if (next_ns < now_ns)
		next_ns = now_ns;
	*gather = (struct gather){ .begun_ns = next_ns, .ended_ns = now_ns, .done = done };
	return next_ns;
}
