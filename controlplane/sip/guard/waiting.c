// A number that follows a wait. Runs on the control thread; pure.

#include "sip/guard/waiting.h"

#define FIRST 64
#define STEP_MIN 0.7 // a window's mean is not sure
#define STEP_MAX 1.4

void sip_guard_waiting_begin(struct sip_guard_waiting *waiting)
{
	*waiting = (struct sip_guard_waiting){ .most = FIRST };
}

void sip_guard_waiting_note(struct sip_guard_waiting *waiting, uint64_t wait_us)
{
	waiting->waited_us += wait_us;
	waiting->count++;
}

// Where nobody was refused a short wait says nothing.
void sip_guard_waiting_follow(struct sip_guard_waiting *waiting, uint64_t aim_us, uint64_t refused)
{
	unsigned count = waiting->count;
	waiting->mean_us = count > 0 ? waiting->waited_us / count : 0;
	waiting->waited_us = waiting->count = 0;
	double step = (double)aim_us / ((double)waiting->mean_us + 1);
	if (count == 0 || (step > 1 && refused == 0))
		return;
	step = step < STEP_MIN ? STEP_MIN : step > STEP_MAX ? STEP_MAX : step;
	waiting->most *= step;
	if (waiting->most < SIP_GUARD_WAITING_MIN)
		waiting->most = SIP_GUARD_WAITING_MIN;
	if (waiting->most > SIP_GUARD_WAITING_MAX)
		waiting->most = SIP_GUARD_WAITING_MAX;
}
