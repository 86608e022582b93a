// Pauses of triggers, in sets by hash. Runs on the control thread; memory only.

#include "notify/pause.h"

#include <string.h>

#include "base/map.h"

struct notify_pause *notify_pause_find(struct notify_pauses *pauses, const char *sid,
				       uint64_t now_ms)
{
	size_t set = map_hash(text_of(sid)) % (NOTIFY_PAUSES_MAX / NOTIFY_PAUSE_PLACES);
	struct notify_pause *places = &pauses->places[set * NOTIFY_PAUSE_PLACES], *oldest = places;
	for (unsigned i = 0; i < NOTIFY_PAUSE_PLACES; i++) {
		if (strcmp(places[i].sid, sid) == 0)
			return &places[i];
		if (places[i].until_ms < oldest->until_ms)
			oldest = &places[i];
	}
	if (oldest->until_ms > now_ms)
		return NULL;
	*oldest = (struct notify_pause){ 0 };
	text_copy_cut(text_of(sid), oldest->sid, sizeof(oldest->sid));
	return oldest;
}
