// Deadlines of connections: one timer each, whose time follows from what is waited for.
// Runs on the control thread; pure.

#include "sip/transport/deadline.h"

#include "sip/transport/connections.h"

#define HANDSHAKE_MS 5000
#define STALL_MS 32000 // 64 x T1: nobody waits longer for what we send
#define LEAVE_MS 2000

static const struct sip_transport_limits *limits_of(const struct connection *connection)
{
	return &connection->connections->options->limits;
}

static void sooner(uint64_t *due_ms, uint64_t since_ms, uint64_t after_ms)
{
	if (since_ms != 0 && since_ms + after_ms < *due_ms)
		*due_ms = since_ms + after_ms;
}

// Of an open connection, and what it is closed for then.
static uint64_t open_until(const struct connection *connection, enum sip_close *out_reason)
{
	const struct sip_transport_limits *limits = limits_of(connection);
	bool has_spoken = connection->is_outgoing || connection->received > 0;
	uint64_t message_ms = UINT64_MAX, stall_ms = UINT64_MAX;
	uint64_t idle_ms = has_spoken ? connection->heard_ms + limits->idle_ms
				      : connection->since_ms + limits->silent_ms;
	sooner(&message_ms, connection->message_ms, limits->message_ms);
	sooner(&stall_ms, connection->stalled_ms, STALL_MS);
	*out_reason = has_spoken ? SIP_CLOSE_IDLE : SIP_CLOSE_SILENT;
	if (message_ms <= idle_ms && message_ms <= stall_ms) {
		*out_reason = SIP_CLOSE_SLOW_SENDER;
		return message_ms;
	}
	if (stall_ms <= idle_ms) {
		*out_reason = SIP_CLOSE_SLOW_READER;
		return stall_ms;
	}
	return idle_ms;
}

uint64_t deadline_of(const struct connection *connection, enum sip_close *out_reason)
{
	uint64_t state_ms = connection->state_ms;
	switch (connection->state) {
	case CONNECTION_CONNECTING:
		*out_reason = SIP_CLOSE_CONNECT;
		return state_ms + limits_of(connection)->connect_ms;
	case CONNECTION_GREETED:
	case CONNECTION_SHAKING:
		*out_reason = SIP_CLOSE_HANDSHAKE;
		return state_ms + HANDSHAKE_MS;
	case CONNECTION_OPEN:
		return open_until(connection, out_reason);
	case CONNECTION_LEAVING:
		*out_reason = connection->reason;
		return state_ms + LEAVE_MS;
	case CONNECTION_DOOMED:
		break;
	}
	*out_reason = connection->reason;
	return state_ms;
}
