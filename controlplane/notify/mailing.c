// The pause between the mails of a trigger. Runs on the control thread. The oldest entry is the first to
// end its pause, since all last as long.

#include "notify/mailing.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

struct entry {
	struct map_node node; // by SID
	struct entry *newer;
	uint64_t until_ms;
	uint32_t held;
	char sid[35];
};

struct notify_mailing {
	uint64_t every_ms;
	struct map entries;
	struct entry *oldest, *newest;
};

static bool is_equal(const struct map_node *node, const void *key)
{
	return strcmp(map_entry(node, struct entry, node)->sid, key) == 0;
}

static void forget_oldest(struct notify_mailing *mailing)
{
	struct entry *entry = mailing->oldest;
	mailing->oldest = entry->newer;
	if (!mailing->oldest)
		mailing->newest = NULL;
	map_remove(&mailing->entries, &entry->node);
	free(entry);
}

static void add(struct notify_mailing *mailing, struct entry *entry)
{
	entry->newer = NULL;
	*(mailing->newest ? &mailing->newest->newer : &mailing->oldest) = entry;
	mailing->newest = entry;
	map_add(&mailing->entries, &entry->node, map_hash(text_of(entry->sid)));
}

struct notify_mailing *notify_mailing_create(uint64_t every_ms)
{
	struct notify_mailing *mailing = calloc(1, sizeof(*mailing));
	if (!mailing || !map_init(&mailing->entries, 64)) {
		free(mailing);
		return NULL;
	}
	mailing->every_ms = every_ms;
	return mailing;
}

void notify_mailing_destroy(struct notify_mailing *mailing)
{
	if (!mailing)
		return;
	while (mailing->oldest)
		forget_oldest(mailing);
	map_clear(&mailing->entries);
	free(mailing);
}

// Those whose pause is over but who held something back are kept until there is no room, lest it be
// forgotten.
static bool make_room(struct notify_mailing *mailing, uint64_t now_ms)
{
	while (mailing->oldest && mailing->oldest->until_ms <= now_ms && mailing->oldest->held == 0)
		forget_oldest(mailing);
	if (mailing->entries.count < NOTIFY_MAILING_MAX)
		return true;
	if (mailing->oldest->until_ms > now_ms)
		return false;
	forget_oldest(mailing);
	return true;
}

static void take_out(struct notify_mailing *mailing, struct entry *entry)
{
	struct entry **at = &mailing->oldest, *before = NULL;
	while (*at != entry) {
		before = *at;
		at = &(*at)->newer;
	}
	*at = entry->newer;
	if (mailing->newest == entry)
		mailing->newest = before;
	map_remove(&mailing->entries, &entry->node);
}

bool notify_mailing_take(struct notify_mailing *mailing, const char *trigger_sid, uint64_t now_ms,
			 uint32_t *out_held)
{
	struct map_node *node =
		map_find(&mailing->entries, map_hash(text_of(trigger_sid)), is_equal, trigger_sid);
	struct entry *entry = node ? map_entry(node, struct entry, node) : NULL;
	if (entry && entry->until_ms > now_ms) {
		entry->held++;
		return false;
	}
	*out_held = entry ? entry->held : 0;
	if (entry)
		take_out(mailing, entry);
	else if (make_room(mailing, now_ms))
		entry = calloc(1, sizeof(*entry));
	if (!entry)
		return false;
	text_copy_cut(text_of(trigger_sid), entry->sid, sizeof(entry->sid));
	entry->until_ms = now_ms + mailing->every_ms;
	entry->held = 0;
	add(mailing, entry);
	return true;
}
