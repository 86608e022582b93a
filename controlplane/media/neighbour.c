// Next hops of the destinations in use: which neighbour a destination goes through, and that one's
// Ethernet address, both followed as the kernel changes them.
// Runs on: control thread. Never waits for an answer from the wire.

#include "media/neighbour.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/map.h"
#include "media/neighbour/netlink.h"

#define TICK_MS 1000
#define REFRESH_MS 30000 // one the kernel doubts is confirmed at most this often
#define RETRY_MS 2000 // one it has lost, or never had, is asked for again
#define REROUTE_MS 5 // after a change of routes, a batch of destinations each time
#define REROUTE_BATCH 64

struct hop {
	struct map_node node;
	struct neighbour_entry
		entry; // is_known stays when the kernel forgets: it may be right still
	bool is_lost; // the kernel has no Ethernet address for it now
	uint64_t probed_ms;
	TAILQ_HEAD(, destination) destinations;
	TAILQ_ENTRY(hop) all;
};

struct destination {
	struct map_node node;
	struct address address; // port 0
	unsigned references;
	unsigned generation; // of the routes it was asked for in
	struct hop *hop; // NULL: no route over our interface
	TAILQ_ENTRY(destination) all, same_hop;
};

struct neighbours {
	struct neighbour_netlink *netlink;
	neighbour_changed_fn changed;
	void *context;
	struct map destinations, hops;
	TAILQ_HEAD(, destination) all_destinations; // asked for longest ago first
	TAILQ_HEAD(, hop) all_hops;
	unsigned generation; // grows when routes change
	struct event *readable, *tick, *reroute;
};

static uint64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

static bool is_hop(const struct map_node *node, const void *key)
{
	const struct hop *hop = map_entry(node, const struct hop, node);
	return address_is_same_host(&hop->entry.address, key);
}

static bool is_destination(const struct map_node *node, const void *key)
{
	const struct destination *destination = map_entry(node, const struct destination, node);
	return address_is_same_host(&destination->address, key);
}

static struct hop *find_hop(const struct neighbours *neighbours, const struct address *address)
{
	struct map_node *node = map_find(&neighbours->hops, address_hash(address), is_hop, address);
	return node ? map_entry(node, struct hop, node) : NULL;
}

static struct destination *find_destination(const struct neighbours *neighbours,
					    struct address address)
{
	address.port = 0;
	struct map_node *node = map_find(&neighbours->destinations, address_hash(&address),
					 is_destination, &address);
	return node ? map_entry(node, struct destination, node) : NULL;
}

static void tell(struct neighbours *neighbours, const struct hop *hop)
{
	const struct destination *destination;
	TAILQ_FOREACH(destination, &hop->destinations, same_hop)
	neighbours->changed(neighbours->context, &destination->address);
}

// Asks the kernel to find or confirm a hop, if that is due.
static void probe_if_due(struct neighbours *neighbours, struct hop *hop)
{
	uint64_t wait_ms = hop->is_lost ? RETRY_MS : REFRESH_MS;
	uint64_t now = now_ms();
	if (hop->entry.is_fresh || (hop->probed_ms != 0 && now < hop->probed_ms + wait_ms))
		return;
	hop->probed_ms = now;
	neighbour_netlink_probe(neighbours->netlink, &hop->entry.address);
}

// True when what senders must know has changed.
static bool update_hop(struct hop *hop, const struct neighbour_entry *entry)
{
	bool is_other =
		entry->is_known && (!hop->entry.is_known ||
				    memcmp(entry->mac, hop->entry.mac, sizeof(entry->mac)) != 0);
	hop->entry.is_fresh = entry->is_fresh;
	hop->is_lost = !entry->is_known;
	if (is_other) {
		hop->entry.is_known = true;
		memcpy(hop->entry.mac, entry->mac, sizeof(entry->mac));
	}
	return is_other;
}

static bool look_up(struct neighbours *neighbours, struct hop *hop)
{
	struct neighbour_entry entry = { .is_known = false };
	(void)neighbour_netlink_look_up(neighbours->netlink, &hop->entry.address, &entry);
	bool is_other = update_hop(hop, &entry);
	probe_if_due(neighbours, hop);
	return is_other;
}

static struct hop *take_hop(struct neighbours *neighbours, const struct address *address)
{
	struct hop *hop = find_hop(neighbours, address);
	if (hop)
		return hop;
	hop = calloc(1, sizeof(*hop));
	if (!hop)
		return NULL; // as if there were no route; asked again with the next change
	hop->entry.address = *address;
	TAILQ_INIT(&hop->destinations);
	map_add(&neighbours->hops, &hop->node, address_hash(address));
	TAILQ_INSERT_TAIL(&neighbours->all_hops, hop, all);
	(void)look_up(neighbours, hop);
	return hop;
}

static void leave_hop(struct neighbours *neighbours, struct destination *destination)
{
	struct hop *hop = destination->hop;
	destination->hop = NULL;
	if (!hop)
		return;
	TAILQ_REMOVE(&hop->destinations, destination, same_hop);
	if (!TAILQ_EMPTY(&hop->destinations))
		return;
	map_remove(&neighbours->hops, &hop->node);
	TAILQ_REMOVE(&neighbours->all_hops, hop, all);
	free(hop);
}

// Asks for the route anew. True when it leads through another hop than before.
static bool resolve(struct neighbours *neighbours, struct destination *destination)
{
	struct address next_hop;
	bool has_route = neighbour_netlink_route(neighbours->netlink, &destination->address,
						 &next_hop) == OK;
	destination->generation = neighbours->generation;
	if (has_route && destination->hop &&
	    address_is_same_host(&destination->hop->entry.address, &next_hop))
		return false;
	bool had_route = destination->hop != NULL;
	leave_hop(neighbours, destination);
	if (has_route)
		destination->hop = take_hop(neighbours, &next_hop);
	if (destination->hop)
		TAILQ_INSERT_TAIL(&destination->hop->destinations, destination, same_hop);
	return had_route || destination->hop;
}

static void start_reroute(struct neighbours *neighbours)
{
	struct timeval delay = { .tv_usec = REROUTE_MS * 1000 };
	if (!event_pending(neighbours->reroute, EV_TIMEOUT, NULL))
		(void)event_add(neighbours->reroute, &delay);
}

static void reroute(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct neighbours *neighbours = context;
	for (unsigned i = 0; i < REROUTE_BATCH; i++) {
		struct destination *first = TAILQ_FIRST(&neighbours->all_destinations);
		if (!first || first->generation == neighbours->generation)
			return;
		TAILQ_REMOVE(&neighbours->all_destinations, first, all);
		TAILQ_INSERT_TAIL(&neighbours->all_destinations, first, all);
		bool is_other = resolve(neighbours, first);
		if (first->hop && look_up(neighbours, first->hop))
			tell(neighbours, first->hop);
		else if (is_other)
			neighbours->changed(neighbours->context, &first->address);
	}
	start_reroute(neighbours);
}

static void routes_changed(void *context)
{
	struct neighbours *neighbours = context;
	neighbours->generation++;
	start_reroute(neighbours);
}

static void entry_changed(void *context, const struct neighbour_entry *entry)
{
	struct neighbours *neighbours = context;
	struct hop *hop = find_hop(neighbours, &entry->address);
	if (!hop)
		return;
	if (update_hop(hop, entry))
		tell(neighbours, hop);
	probe_if_due(neighbours, hop);
}

static void readable(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct neighbours *neighbours = context;
	neighbour_netlink_receive(neighbours->netlink);
}

static void tick(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct neighbours *neighbours = context;
	struct hop *hop;
	TAILQ_FOREACH(hop, &neighbours->all_hops, all)
	probe_if_due(neighbours, hop);
}

static bool start_events(struct neighbours *neighbours, struct event_base *loop)
{
	struct timeval period = { .tv_sec = TICK_MS / 1000 };
	neighbours->readable = event_new(loop, neighbour_netlink_fd(neighbours->netlink),
					 EV_READ | EV_PERSIST, readable, neighbours);
	neighbours->tick = event_new(loop, -1, EV_PERSIST, tick, neighbours);
	neighbours->reroute = event_new(loop, -1, 0, reroute, neighbours);
	return neighbours->readable && neighbours->tick && neighbours->reroute &&
	       event_add(neighbours->readable, NULL) == 0 &&
	       event_add(neighbours->tick, &period) == 0;
}

enum status neighbours_start(struct event_base *loop, const char *interface,
			     neighbour_changed_fn changed, void *context,
			     struct neighbours **out_neighbours)
{
	struct neighbours *neighbours = calloc(1, sizeof(*neighbours));
	struct neighbour_netlink_user user = { entry_changed, routes_changed, neighbours };
	enum status status = ERR_MEMORY;
	if (!neighbours)
		return status;
	neighbours->changed = changed;
	neighbours->context = context;
	TAILQ_INIT(&neighbours->all_destinations);
	TAILQ_INIT(&neighbours->all_hops);
	if (!map_init(&neighbours->destinations, 64) || !map_init(&neighbours->hops, 64))
		goto fail;
	status = neighbour_netlink_open(interface, &user, &neighbours->netlink);
	if (status != OK)
		goto fail;
	status = start_events(neighbours, loop) ? OK : ERR_MEMORY;
	if (status != OK)
		goto fail;
	*out_neighbours = neighbours;
	return OK;
fail:
	neighbours_stop(neighbours);
	return status;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

static void forget(struct neighbours *neighbours, struct destination *destination)
{
	leave_hop(neighbours, destination);
	map_remove(&neighbours->destinations, &destination->node);
	TAILQ_REMOVE(&neighbours->all_destinations, destination, all);
	free(destination);
}

void neighbours_stop(struct neighbours *neighbours)
{
	if (!neighbours)
		return;
	while (!TAILQ_EMPTY(&neighbours->all_destinations))
		forget(neighbours, TAILQ_FIRST(&neighbours->all_destinations));
	map_clear(&neighbours->destinations);
	map_clear(&neighbours->hops);
	free_event(neighbours->readable);
	free_event(neighbours->tick);
	free_event(neighbours->reroute);
	neighbour_netlink_close(neighbours->netlink);
	free(neighbours);
}

bool neighbour_find(const struct neighbours *neighbours, const struct address *destination,
		    uint8_t out_mac[static 6])
{
	const struct destination *found = find_destination(neighbours, *destination);
	if (!found || !found->hop || !found->hop->entry.is_known)
		return false;
	memcpy(out_mac, found->hop->entry.mac, sizeof(found->hop->entry.mac));
	return true;
}

bool neighbour_take(struct neighbours *neighbours, const struct address *destination,
		    uint8_t out_mac[static 6])
{
	struct destination *found = find_destination(neighbours, *destination);
	if (!found) {
		found = calloc(1, sizeof(*found));
		if (!found)
			return false; // neighbour_give finds nothing to give back then
		found->address = *destination;
		found->address.port = 0;
		map_add(&neighbours->destinations, &found->node, address_hash(&found->address));
		TAILQ_INSERT_TAIL(&neighbours->all_destinations, found, all);
		(void)resolve(neighbours, found);
	}
	found->references++;
	return neighbour_find(neighbours, destination, out_mac);
}

void neighbour_give(struct neighbours *neighbours, const struct address *destination)
{
	struct destination *found = find_destination(neighbours, *destination);
	if (found && --found->references == 0)
		forget(neighbours, found);
}
