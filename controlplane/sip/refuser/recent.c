// A ring of windows and when each was over. Runs on the refuser's thread; pure.

#include "sip/refuser/recent.h"

#include <string.h>

void sip_refuser_recent_init(struct sip_refuser_recent *recent)
{
	memset(recent, 0, sizeof(*recent)); // empty windows, long over
	recent->windows[0].share = SIP_GUARD_SHARE_ALL;
}

static bool is_same(const struct sip_guard_sieve *a, const struct sip_guard_sieve *b)
{
	return a->salt == b->salt && a->start == b->start && a->share == b->share;
}

void sip_refuser_recent_follow(struct sip_refuser_recent *recent,
			       const struct sip_guard_sieve *sieve, uint64_t now_ms)
{
	if (is_same(&recent->windows[recent->newest], sieve))
		return;
	recent->until_ms[recent->newest] = now_ms;
	recent->newest = (recent->newest + 1) % SIP_REFUSER_RECENT;
	recent->windows[recent->newest] = *sieve;
}

// Places under another salt say nothing: then all may have been read.
bool sip_refuser_recent_has(const struct sip_refuser_recent *recent, uint32_t place,
			    uint64_t now_ms)
{
	const struct sip_guard_sieve *newest = &recent->windows[recent->newest];
	for (unsigned i = 0; i < SIP_REFUSER_RECENT; i++) {
		const struct sip_guard_sieve *window = &recent->windows[i];
		bool is_over =
			window != newest && now_ms >= recent->until_ms[i] + SIP_REFUSER_QUIET_MS;
		if (is_over || window->share == 0)
			continue;
		uint32_t behind = (place - window->start) & (SIP_GUARD_SHARE_ALL - 1);
		if (window->salt != newest->salt || behind < window->share)
			return true;
	}
	return false;
}
