// Division without a remainder to quarrel about. Runs on the control thread.

#include "call/limit/share.h"

#define SECOND_MS 1000

struct share share_of_rate(uint32_t rate, unsigned nodes)
{
	if (rate == 0 || rate >= nodes)
		return (struct share){ rate / nodes, SECOND_MS };
	return (struct share){ 1, ((uint64_t)SECOND_MS * nodes + rate - 1) / rate };
}

uint32_t share_of_calls(uint32_t calls, unsigned nodes)
{
	return calls == 0 || calls >= nodes ? calls / nodes : 1;
}
