// Order of targets for one call. Runs on the control thread; copies what it chooses.

#include "call/target/route.h"

#include <stdlib.h>

#include "base/random.h"
#include "directory/origination/origination.h"
#include "directory/routing/routing.h"

static void add(struct route *route, const char *sid, uint16_t priority, uint16_t weight)
{
	struct route_target *target = &route->targets[route->count++];
	(void)text_copy(text_of(sid), target->sid, sizeof target->sid);
	target->priority = priority;
	target->weight = weight;
}

// Draws one of targets[0..count) by weight, moves it to the front.
static void draw(struct route_target *targets, unsigned count)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += targets[i].weight;
	if (sum == 0)
		return;
	uint32_t point = random_below(sum);
	unsigned chosen = 0;
	while (point >= targets[chosen].weight)
		point -= targets[chosen++].weight;
	struct route_target winner = targets[chosen];
	targets[chosen] = targets[0];
	targets[0] = winner;
}

// The targets are in order of priority; a weight counts among its equals alone (ORIG-025).
static void draw_all(struct route *route, unsigned first)
{
	for (; first < route->count; first++) {
		unsigned equal = 1;
		while (first + equal < route->count &&
		       route->targets[first + equal].priority == route->targets[first].priority)
			equal++;
		draw(route->targets + first, equal);
	}
}

static enum status make_room(struct route *route, unsigned count)
{
	*route = (struct route){ .targets = calloc(count + 1, sizeof(*route->targets)) };
	return route->targets != NULL ? OK : ERR_MEMORY;
}

enum status route_choose(struct route *route, const struct directory *directory,
			 const char *trunk_sid, const char *called)
{
	const struct directory_route *rule = directory_route_of(directory, trunk_sid, called);
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX];
	struct text rest = text_of(rule ? rule->groups : ""), group;
	unsigned nth = 0;
	enum status status = make_room(route, DIRECTORY_CARRIERS_MAX);
	while (status == OK && directory_group_next(&rest, &nth, &group)) {
		unsigned first = route->count, count = directory_group(directory, group, carriers);
		for (unsigned i = 0; i < count && route->count < DIRECTORY_CARRIERS_MAX; i++)
			add(route, carriers[i]->sid, carriers[i]->priority, carriers[i]->weight);
		draw_all(route, first);
	}
	return status;
}

void route_refuse(const struct directory *directory, const char *trunk_sid, const char *called,
		  struct refusal *out_refusal)
{
	const struct directory_route *rule = directory_route_of(directory, trunk_sid, called);
	char seen[sizeof out_refusal->seen];
	struct writer writer = writer_of(seen, sizeof seen);
	if (rule == NULL) {
		(void)refusal_set(out_refusal, REFUSED_NO_CARRIER, "carriers", TEXT("none enabled"),
				  "at least one enabled carrier");
		return;
	}
	writer_format(&writer, "none enabled in %.80s", rule->groups);
	(void)refusal_set(out_refusal, REFUSED_NO_CARRIER, "carriers", writer_done(&writer),
			  "at least one enabled carrier in a group of the route");
}

enum status route_choose_uris(struct route *route, const struct directory *directory,
			      const char *trunk_sid)
{
	const struct origination_uri *uris[DIRECTORY_ORIGINATION_MAX];
	unsigned count = directory_origination_uris(directory, trunk_sid, uris);
	enum status status = make_room(route, count);
	for (unsigned i = 0; status == OK && i < count; i++)
		add(route, uris[i]->sid, uris[i]->priority, uris[i]->weight);
	draw_all(route, 0);
	return status;
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
