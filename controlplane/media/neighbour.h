#pragma once

// Next hops from the kernel: route and Ethernet address of a destination by netlink, followed when
// they change. The only user of libmnl in this process.
// Runs on: control thread; netlink answers from memory, ARP is never waited for.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"

struct event_base;
struct neighbours;

// The next hop of `destination` became known, changed or vanished.
typedef void (*neighbour_changed_fn)(void *context, const struct address *destination);

enum status neighbours_start(struct event_base *loop, const char *interface,
			     neighbour_changed_fn changed, void *context,
			     struct neighbours **out_neighbours);
void neighbours_stop(struct neighbours *neighbours);
// True and the Ethernet address when it is known now; else the kernel has been asked to find it, and
// `changed` will tell. References are counted: each find is paid back by one release.
bool neighbour_take(struct neighbours *neighbours, const struct address *destination,
		    uint8_t out_mac[static 6]);
bool neighbour_find(const struct neighbours *neighbours, const struct address *destination,
		    uint8_t out_mac[static 6]);
void neighbour_give(struct neighbours *neighbours, const struct address *destination);
