#pragma once

// Requests too large for a datagram (RFC 3261 18.1.1): they go by TCP, unless the peer has just refused
// that. Remembers a bounded number of such peers for a while.
// Runs on: control thread. Inside sip/ only.

#include <stdbool.h>
#include <stdint.h>

#include "sip/flow.h"

#define SIP_OVERSIZE_OCTETS 1300 // where the path's MTU is not known
#define SIP_OVERSIZE_PEERS 256

struct sip_oversize {
	struct {
		struct address peer;
		uint64_t until_ms;
	} refusals[SIP_OVERSIZE_PEERS]; // of TCP, by hash; the newer one stays
};

bool sip_oversize_wants_tcp(const struct sip_oversize *oversize, const struct sip_flow *flow,
			    size_t size, uint64_t now_ms);
void sip_oversize_refused(struct sip_oversize *oversize, const struct address *peer,
			  uint64_t now_ms);
// Makes a written request say that it travels by that protocol: UDP or TCP, which are as long.
void sip_oversize_patch(struct text request, enum sip_protocol protocol);
