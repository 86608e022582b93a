// Holds back what is told too often. Runs on the control thread; pure.

#include "call/watch/damper.h"

#include <stddef.h>

#define SECOND_MS 1000

static bool is_over(const struct damper *damper, uint64_t now_ms)
{
	return damper->key == 0 || now_ms - damper->since_ms >= SECOND_MS;
}

// NULL: others have all of its places.
static struct damper *find(struct damper *dampers, uint64_t key, uint64_t now_ms)
{
	struct damper *places =
		&dampers[key % (DAMPERS_REMEMBERED / DAMPER_PLACES) * DAMPER_PLACES];
	struct damper *oldest = &places[0];
	for (unsigned i = 0; i < DAMPER_PLACES; i++) {
		if (places[i].key == key)
			return &places[i];
		if (places[i].key == 0 || places[i].since_ms < oldest->since_ms)
			oldest = &places[i];
		if (oldest->key == 0)
			break;
	}
	if (!is_over(oldest, now_ms))
		return NULL;
	*oldest = (struct damper){ .key = key, .since_ms = now_ms };
	return oldest;
}

bool damper_pass(struct damper dampers[static DAMPERS_REMEMBERED], uint64_t key, uint64_t now_ms,
		 unsigned per_s, unsigned *out_held_back)
{
	*out_held_back = 0;
	if (per_s == 0)
		return true;
	struct damper *damper = find(dampers, key != 0 ? key : 1, now_ms);
	if (damper == NULL)
		return false;
	if (is_over(damper, now_ms)) {
		damper->since_ms = now_ms;
		damper->written = 0;
	}
	if (damper->written >= per_s) {
		damper->held_back++;
		return false;
	}
	damper->written++;
	*out_held_back = damper->held_back;
	damper->held_back = 0;
	return true;
}
