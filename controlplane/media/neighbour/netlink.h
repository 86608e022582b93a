#pragma once

// What neighbour.c asks the kernel and hears from it, in our own words: no libmnl type leaves here.
// Runs on: control thread. Questions are answered from the kernel's memory at once.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"

struct neighbour_netlink;

struct neighbour_entry { // of the kernel's table
	struct address address;
	bool is_known; // it has an Ethernet address that may be used
	bool is_fresh; // the kernel has nothing to doubt about it
	uint8_t mac[6];
};

struct neighbour_netlink_user {
	void (*entry)(void *context, const struct neighbour_entry *entry);
	void (*routes)(void *context); // routes, addresses or links changed, or we missed something
	void *context;
};

enum status neighbour_netlink_open(const char *interface, const struct neighbour_netlink_user *user,
				   struct neighbour_netlink **out_netlink);
void neighbour_netlink_close(struct neighbour_netlink *netlink);
int neighbour_netlink_fd(const struct neighbour_netlink *netlink); // readable: something changed
void neighbour_netlink_receive(struct neighbour_netlink *netlink); // calls the user

// The next hop on our interface: the destination itself or a gateway. ERR_NOT_FOUND: no route, or it
// leads elsewhere.
enum status neighbour_netlink_route(struct neighbour_netlink *netlink,
				    const struct address *destination,
				    struct address *out_next_hop);
// ERR_NOT_FOUND: the kernel has no entry.
enum status neighbour_netlink_look_up(struct neighbour_netlink *netlink,
				      const struct address *next_hop,
				      struct neighbour_entry *out_entry);
// Makes the kernel find or confirm it; never waits for that.
void neighbour_netlink_probe(struct neighbour_netlink *netlink, const struct address *next_hop);
