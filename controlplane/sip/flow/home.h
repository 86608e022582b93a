#pragma once

// Where this node is, as its dialogs need to know it.
// Runs on: control thread.

#include "sip/flow.h"

struct sip_home {
	unsigned shard; // whose names it makes; 0 without shards
	uint16_t ports[SIP_PROTOCOL_COUNT]; // that we listen on; 0: that transport is not spoken
	// Is it an address of ours, beside the one at which a peer was met? NULL: there is no other.
	bool (*is_ours)(const void *context, const struct address *address);
	const void *context;
};
