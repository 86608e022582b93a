// Token buckets by trunk. Runs on the control thread; one small allocation at a trunk's first call.

#include "call/limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

struct bucket {
	struct map_node node;
	char trunk_sid[35];
	uint64_t filled_ms;
	uint64_t thousandths; // of tokens
};

#define SWEEP_FIRST 256

struct limits {
	struct map buckets;
	size_t sweep_at; // that many buckets: time to look for ones nobody uses
};

static bool is_bucket_of(const struct map_node *node, const void *key)
{
	return strcmp(map_entry(node, struct bucket, node)->trunk_sid, key) == 0;
}

struct limits *limits_create(void)
{
	struct limits *limits = calloc(1, sizeof *limits);
	if (limits != NULL && !map_init(&limits->buckets, 64)) {
		free(limits);
		return NULL;
	}
	if (limits != NULL)
		limits->sweep_at = SWEEP_FIRST;
	return limits;
}

unsigned limits_count(const struct limits *limits)
{
	return (unsigned)limits->buckets.count;
}

void limits_destroy(struct limits *limits)
{
	if (limits == NULL)
		return;
	size_t cursor = 0;
	struct map_node *node;
	while ((node = map_next(&limits->buckets, &cursor, NULL)) != NULL) {
		map_remove(&limits->buckets, node);
		free(map_entry(node, struct bucket, node));
	}
	map_clear(&limits->buckets);
	free(limits);
}

// A bucket that had a second to fill is full, and as good as none: trunks come and go.
static void sweep(struct limits *limits, uint64_t now_ms)
{
	size_t cursor = 0;
	struct map_node *next, *node = map_next(&limits->buckets, &cursor, NULL);
	for (; node != NULL; node = next) {
		struct bucket *bucket = map_entry(node, struct bucket, node);
		next = map_next(&limits->buckets, &cursor, node);
		if (now_ms - bucket->filled_ms < 1000)
			continue;
		map_remove(&limits->buckets, node);
		free(bucket);
	}
	limits->sweep_at = 2 * limits->buckets.count;
	if (limits->sweep_at < SWEEP_FIRST)
		limits->sweep_at = SWEEP_FIRST;
}

static struct bucket *find_or_add(struct limits *limits, const char *trunk_sid, uint32_t cps,
				  uint64_t now_ms)
{
	uint64_t hash = map_hash(text_of(trunk_sid));
	struct map_node *node = map_find(&limits->buckets, hash, is_bucket_of, trunk_sid);
	if (node != NULL)
		return map_entry(node, struct bucket, node);
	if (limits->buckets.count >= limits->sweep_at)
		sweep(limits, now_ms);
	struct bucket *bucket = calloc(1, sizeof *bucket);
	if (bucket == NULL)
		return NULL;
	(void)text_copy(text_of(trunk_sid), bucket->trunk_sid, sizeof bucket->trunk_sid);
	bucket->filled_ms = now_ms;
	bucket->thousandths = (uint64_t)cps * 1000;
	map_add(&limits->buckets, &bucket->node, hash);
	return bucket;
}

bool limits_take(struct limits *limits, const char *trunk_sid, uint32_t cps, uint64_t now_ms)
{
	struct bucket *bucket = find_or_add(limits, trunk_sid, cps, now_ms);
	if (bucket == NULL)
		return false;
	uint64_t room = (uint64_t)cps * 1000;
	uint64_t elapsed_ms = now_ms - bucket->filled_ms;
	bucket->thousandths += (elapsed_ms > 1000 ? 1000 : elapsed_ms) * cps;
	if (bucket->thousandths > room)
		bucket->thousandths = room;
	bucket->filled_ms = now_ms;
	if (bucket->thousandths < 1000)
		return false;
	bucket->thousandths -= 1000;
	return true;
}
