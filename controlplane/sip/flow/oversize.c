// Which peers take large requests by TCP. Runs on the control thread; never allocates.

#include "sip/flow/oversize.h"

#include <string.h>

#define REFUSAL_LASTS_MS 600000

bool sip_oversize_wants_tcp(const struct sip_oversize *oversize, const struct sip_flow *flow,
			    size_t size, uint64_t now_ms)
{
	unsigned slot = address_hash(&flow->remote) % SIP_OVERSIZE_PEERS;
	if (flow->protocol != SIP_UDP || size <= SIP_OVERSIZE_OCTETS)
		return false;
	return oversize->refusals[slot].until_ms <= now_ms ||
	       !address_is_equal(&oversize->refusals[slot].peer, &flow->remote);
}

void sip_oversize_refused(struct sip_oversize *oversize, const struct address *peer,
			  uint64_t now_ms)
{
	unsigned slot = address_hash(peer) % SIP_OVERSIZE_PEERS;
	oversize->refusals[slot].peer = *peer;
	oversize->refusals[slot].until_ms = now_ms + REFUSAL_LASTS_MS;
}

// Our Via is the first line after the start line, as sip/write.c writes it.
void sip_oversize_patch(struct text request, enum sip_protocol protocol)
{
	static const char before[] = "\r\nVia: SIP/2.0/";
	char *via = memmem(request.data, request.size, before, sizeof(before) - 1);
	if (via != NULL)
		memcpy(via + sizeof(before) - 1, sip_protocol_via(protocol), 3);
}
