// Gauges by SID. Runs on the control thread; one small allocation at a trunk's first call.

#include "call/limit/gauge.h"

#include <stdlib.h>
#include <string.h>

#define SWEEP_FIRST 256
#define IDLE_MS 60000 // then a gauge without calls says nothing that a new one would not

static bool is_gauge_of(const struct map_node *node, const void *key)
{
	return strcmp(map_entry(node, struct gauge, node)->sid, key) == 0;
}

bool gauges_init(struct gauges *gauges)
{
	gauges->sweep_at = SWEEP_FIRST;
	return map_init(&gauges->by_sid, 64);
}

static void destroy(struct gauges *gauges, struct gauge *gauge)
{
	map_remove(&gauges->by_sid, &gauge->node);
	window_clear(&gauge->window);
	free(gauge);
}

void gauges_clear(struct gauges *gauges)
{
	size_t cursor = 0;
	struct map_node *node;
	while ((node = map_next(&gauges->by_sid, &cursor, NULL)) != NULL)
		destroy(gauges, map_entry(node, struct gauge, node));
	map_clear(&gauges->by_sid);
}

// Trunks come and go.
static void sweep(struct gauges *gauges, uint64_t now_ms)
{
	size_t cursor = 0;
	struct map_node *next, *node = map_next(&gauges->by_sid, &cursor, NULL);
	for (; node != NULL; node = next) {
		struct gauge *gauge = map_entry(node, struct gauge, node);
		next = map_next(&gauges->by_sid, &cursor, node);
		if (gauge->calls == 0 && now_ms - gauge->used_ms >= IDLE_MS)
			destroy(gauges, gauge);
	}
	gauges->sweep_at = 2 * gauges->by_sid.count;
	if (gauges->sweep_at < SWEEP_FIRST)
		gauges->sweep_at = SWEEP_FIRST;
}

struct gauge *gauges_find(const struct gauges *gauges, const char *sid)
{
	struct map_node *node = map_find(&gauges->by_sid, map_hash(text_of(sid)), is_gauge_of, sid);
	return node != NULL ? map_entry(node, struct gauge, node) : NULL;
}

struct gauge *gauges_get(struct gauges *gauges, const char *sid, uint64_t now_ms)
{
	struct gauge *gauge = gauges_find(gauges, sid);
	if (gauge != NULL)
		return gauge;
	if (gauges->by_sid.count >= gauges->sweep_at)
		sweep(gauges, now_ms);
	gauge = calloc(1, sizeof *gauge);
	if (gauge == NULL)
		return NULL;
	text_copy_cut(text_of(sid), gauge->sid, sizeof gauge->sid);
	gauge->used_ms = now_ms;
	map_add(&gauges->by_sid, &gauge->node, map_hash(text_of(sid)));
	return gauge;
}
