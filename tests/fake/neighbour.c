// The header of media/neighbour.c in memory.
// Runs on: the thread of the test.

#include "tests/fake/neighbour.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct neighbours {
	neighbour_changed_fn changed;
	void *context;
	unsigned references;
	bool is_known;
	uint8_t mac[6];
	struct address last;
};

enum status neighbours_start(struct event_base *loop, const char *interface,
			     neighbour_changed_fn changed, void *context,
			     struct neighbours **out_neighbours)
{
	(void)loop;
	(void)interface;
	struct neighbours *neighbours = calloc(1, sizeof(*neighbours));
	if (!neighbours)
		return ERR_MEMORY;
	neighbours->changed = changed;
	neighbours->context = context;
	neighbours->is_known = true;
	memcpy(neighbours->mac, FAKE_NEIGHBOUR_MAC, sizeof(neighbours->mac));
	*out_neighbours = neighbours;
	return OK;
}

void neighbours_stop(struct neighbours *neighbours)
{
	assert(!neighbours || neighbours->references == 0);
	free(neighbours);
}

bool neighbour_take(struct neighbours *neighbours, const struct address *destination,
		    uint8_t out_mac[static 6])
{
	neighbours->references++;
	neighbours->last = *destination;
	return neighbour_find(neighbours, destination, out_mac);
}

bool neighbour_find(const struct neighbours *neighbours, const struct address *destination,
		    uint8_t out_mac[static 6])
{
	assert(destination->family != ADDRESS_NONE);
	if (neighbours->is_known)
		memcpy(out_mac, neighbours->mac, sizeof(neighbours->mac));
	return neighbours->is_known;
}

void neighbour_give(struct neighbours *neighbours, const struct address *destination)
{
	assert(destination->family != ADDRESS_NONE && neighbours->references > 0);
	neighbours->references--;
}

void fake_neighbours_set(struct neighbours *neighbours, const uint8_t *mac)
{
	neighbours->is_known = mac != NULL;
	if (mac)
		memcpy(neighbours->mac, mac, sizeof(neighbours->mac));
	neighbours->changed(neighbours->context, &neighbours->last);
}

unsigned fake_neighbours_references(const struct neighbours *neighbours)
{
	return neighbours->references;
}
