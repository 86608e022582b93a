#pragma once

// ICMP errors about media: "port unreachable" and its like, which only the kernel sees, for media never
// meets it (MEDIA-015). Anybody can forge one, so they count and do nothing else.
// Runs on: control thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/counter.h"
#include "base/status.h"

struct event_base;
struct unreachable;

struct unreachable_packet { // that came back
	struct address source, destination; // with ports
};

// What the error speaks of; false: no error about a UDP packet of ours. IPv4 with its IP header, IPv6
// without, as raw sockets give them.
bool unreachable_parse(uint8_t family, const uint8_t *octets, size_t size,
		       struct unreachable_packet *out_packet);

// True: it was about a live stream of ours.
typedef bool (*unreachable_fn)(void *context, const struct unreachable_packet *packet);

struct unreachable_counters {
	struct counter received; // errors read
	struct counter counted; // of those: about a live stream
};

// Opens one raw socket per IP version; needs CAP_NET_RAW. ERR_FORBIDDEN: may not. The first one that
// opens is enough.
enum status unreachable_start(struct event_base *loop, unreachable_fn tell, void *context,
			      struct unreachable **out_unreachable);
void unreachable_stop(struct unreachable *unreachable); // NULL is harmless
const struct unreachable_counters *unreachable_counters(const struct unreachable *unreachable);
