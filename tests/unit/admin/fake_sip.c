// Connections of SIP for the operator's commands. Runs on the test's thread.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fake.h"
#include "sip/transport.h"

const struct sip_transport_counters *sip_transport_counters(const struct sip_transport *transport)
{
	static const struct sip_transport_counters COUNTERS = {
		.received = { 99 }, .connections = { 2 }, .closed = { [SIP_CLOSE_IDLE] = { 3 } }
	};
	(void)transport;
	return &COUNTERS;
}

// One of TLS that a peer opened, and one of TCP that we did.
bool sip_transport_next(const struct sip_transport *transport, unsigned *position,
			struct sip_connection_facts *out_facts)
{
	const struct fake *fake = (const struct fake *)transport;
	const struct address host = { ADDRESS_IPV4, 0, 5060, { 192, 0, 2, 1 } };
	if (*position > 1)
		return false;
	*out_facts = (struct sip_connection_facts){
		.flow = { SIP_TCP, 0, host, host, 1 },
		.state = "connecting",
		.rank = "trusted",
		.is_outgoing = true,
		.since_ms = fake->clock.now_ms - 1000,
		.queued = 77,
	};
	if ((*position)++ > 0)
		return true;
	out_facts->flow = (struct sip_flow){ SIP_TLS, 0x0304, host, host, 2 };
	out_facts->state = "open";
	out_facts->cipher = "TLS_AES_256_GCM_SHA384";
	out_facts->is_outgoing = false;
	out_facts->heard_ms = fake->clock.now_ms - 400;
	out_facts->received = 5;
	return true;
}

bool sip_transport_find(const struct sip_transport *transport, uint64_t connection,
			struct sip_connection_facts *out_facts)
{
	unsigned position = 0;
	return connection == 2 && sip_transport_next(transport, &position, out_facts);
}
