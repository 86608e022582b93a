// Order of carriers for one call. Runs on the control thread; copies what it chooses.

#include "call/target/route.h"

#include <stdlib.h>

#include "base/random.h"

static void copy_target(struct route_target *target, const struct carrier *carrier)
{
	(void)text_copy(text_of(carrier->sid), target->sid, sizeof target->sid);
	(void)text_copy(text_of(carrier->name), target->name, sizeof target->name);
}

// Draws one of carriers[0..count) by weight, moves it to the front.
static void draw(const struct carrier **carriers, unsigned count)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += carriers[i]->weight;
	if (sum == 0)
		return;
	uint32_t point = random_below(sum);
	unsigned chosen = 0;
	while (point >= carriers[chosen]->weight)
		point -= carriers[chosen++]->weight;
	const struct carrier *winner = carriers[chosen];
	carriers[chosen] = carriers[0];
	carriers[0] = winner;
}

enum status route_choose(struct route *route, const struct directory *directory)
{
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	unsigned count = directory_carriers(directory, carriers);
	route->targets = calloc(count + 1, sizeof(*route->targets));
	if (route->targets == NULL)
		return ERR_MEMORY;
	route->count = count;
	route->next = 0;
	for (unsigned first = 0; first < count; first++) {
		unsigned equal = 1;
		while (first + equal < count &&
		       carriers[first + equal]->priority == carriers[first]->priority)
			equal++;
		draw(carriers + first, equal);
		copy_target(&route->targets[first], carriers[first]);
	}
	return OK;
}

void route_clear(struct route *route)
{
	free(route->targets);
	*route = (struct route){ 0 };
}

const struct route_target *route_next(struct route *route)
{
	return route->next < route->count ? &route->targets[route->next++] : NULL;
}

bool route_is_definitive(unsigned status)
{
	switch (status) {
	case 400:
	case 404:
	case 405:
	case 410:
	case 416:
	case 482:
	case 484:
	case 486:
		return true;
	default:
		return status < 300 || status >= 600;
	}
}
