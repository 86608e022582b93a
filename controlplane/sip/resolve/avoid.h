#pragma once

// Hops that answered nothing lately (RFC 3263 4.3). A few, each for a short time: a hop is never
// refused for being here, only tried last.
// Runs on: control thread.

#include "sip/resolve/resolve.h"

#define AVOID_HOPS_MAX 64

struct avoid { // all zero: empty
	struct {
		struct sip_hop hop;
		uint64_t until_ms; // 0: free
	} items[AVOID_HOPS_MAX];
};

void avoid_add(struct avoid *avoid, const struct sip_hop *hop, uint64_t until_ms);
void avoid_remove(struct avoid *avoid, const struct sip_hop *hop);
// Puts those to be avoided last and keeps the order otherwise. How many were moved behind another.
unsigned avoid_sort(const struct avoid *avoid, struct sip_hops *hops, uint64_t now_ms);
