// The door of SIP's transports: which of them a message takes, and the figures of all.
// Runs on the control thread. Never blocks.

#include "sip/transport.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "sip/tls/tls.h"
#include "sip/transport/connections.h"
#include "sip/transport/handshake.h"
#include "sip/transport/listener.h"
#include "sip/transport/sender.h"
#include "sip/transport/udp.h"

struct sip_transport {
	struct sip_transport_options options;
	struct sip_transport_counters counters;
	struct address *addresses; // the options' own, which may be gone after the start
	struct udp *udp;
	struct connections connections;
	struct listener *listeners; // of TCP, then of TLS, in the order of addresses
	unsigned listener_count;
};

// Of TLS, which are behind those of TCP.
static void stop_listeners(struct sip_transport *transport, unsigned kept)
{
	while (transport->listener_count > kept)
		listener_stop(&transport->listeners[--transport->listener_count]);
}

static enum status start_listeners(struct sip_transport *transport, enum sip_protocol protocol)
{
	const struct sip_transport_options *options = &transport->options;
	unsigned before = transport->listener_count;
	for (unsigned i = 0; i < options->address_count; i++) {
		struct address local = options->addresses[i];
		if (protocol == SIP_TLS)
			local.port = options->tls_port;
		struct listener *listener = &transport->listeners[transport->listener_count++];
		enum status status =
			listener_start(listener, &transport->connections, protocol, &local);
		if (status == OK)
			continue;
		stop_listeners(transport, before);
		return status;
	}
	return OK;
}

enum status sip_transport_follow_tls(struct sip_transport *transport)
{
	const struct sip_transport_options *options = &transport->options;
	bool is_wanted = options->tls != NULL && sip_tls_can_accept(options->tls);
	bool is_there = transport->listener_count > options->address_count;
	if (transport->listeners == NULL || is_wanted == is_there)
		return OK;
	log_event(LOG_INFO, is_wanted ? "sip_tls_listens" : "sip_tls_listens_no_more", NULL);
	if (is_wanted)
		return start_listeners(transport, SIP_TLS);
	stop_listeners(transport, options->address_count);
	return OK;
}

static enum status start_streams(struct event_base *loop, struct sip_transport *transport)
{
	const struct sip_transport_options *options = &transport->options;
	struct connections *connections = &transport->connections;
	if (options->limits.connections_max == 0)
		return OK;
	transport->listeners = calloc(2 * options->address_count, sizeof(*transport->listeners));
	connections->loop = loop;
	connections->options = options;
	connections->counters = &transport->counters;
	if (transport->listeners == NULL ||
	    !connections_init(connections, options->limits.connections_max) ||
	    !handshake_start(connections) || !sender_start(connections))
		return ERR_MEMORY;
	enum status status = start_listeners(transport, SIP_TCP);
	return status == OK ? sip_transport_follow_tls(transport) : status;
}

enum status sip_transport_start(struct event_base *loop,
				const struct sip_transport_options *options,
				struct sip_transport **out_transport)
{
	struct sip_transport *transport = calloc(1, sizeof(*transport));
	if (transport == NULL)
		return ERR_MEMORY;
	size_t size = options->address_count * sizeof(*options->addresses);
	transport->options = *options;
	transport->options.addresses = transport->addresses = malloc(size);
	if (transport->addresses == NULL) {
		free(transport);
		return ERR_MEMORY;
	}
	memcpy(transport->addresses, options->addresses, size);
	enum status status =
		udp_start(loop, &transport->options, &transport->counters, &transport->udp);
	if (status == OK)
		status = start_streams(loop, transport);
	if (status != OK) {
		sip_transport_stop(transport);
		return status;
	}
	*out_transport = transport;
	return OK;
}

void sip_transport_stop(struct sip_transport *transport)
{
	if (transport == NULL)
		return;
	struct connection *connection;
	unsigned position = 0;
	stop_listeners(transport, 0);
	transport->options.user.broken = NULL; // who is going too must not hear of it
	while ((connection = connections_next(&transport->connections, &position)) != NULL)
		connection_close(connection, SIP_CLOSE_STOPPED);
	handshake_stop(&transport->connections);
	sender_stop(&transport->connections);
	connections_clear(&transport->connections);
	free(transport->listeners);
	free(transport->addresses);
	udp_stop(transport->udp);
	free(transport);
}

void sip_transport_steer(struct sip_transport *transport, bool is_to_door)
{
	udp_steer(transport->udp, is_to_door);
}

// ---- out

static bool can_go(const struct sip_transport *transport, const struct sip_flow *flow)
{
	const struct sip_transport_options *options = &transport->options;
	if (flow->remote.family != flow->local.family || flow->remote.port == 0 ||
	    options->limits.connections_max == 0 ||
	    (flow->protocol == SIP_TLS && options->tls == NULL))
		return false;
	for (unsigned i = 0; i < options->address_count; i++)
		if (address_is_same_host(&options->addresses[i], &flow->local))
			return true;
	return false;
}

// On the flow's own connection; else on any to the same peer; else on a new one.
static enum status send_on_stream(struct sip_transport *transport, struct text octets,
				  struct sip_flow *flow)
{
	struct connections *connections = &transport->connections;
	struct connection *found = connections_find(connections, flow->connection);
	enum status status = OK;
	if (found == NULL || !found->is_shared || found->flow.protocol != flow->protocol ||
	    !connections_does_for(found, flow))
		found = connections_find_peer(connections, flow);
	if (found == NULL)
		status = can_go(transport, flow) ? connection_open(connections, flow, &found)
						 : ERR_SYSTEM;
	if (status == OK)
		status = sender_send(found, octets);
	if (found != NULL) {
		flow->connection = found->flow.connection;
		flow->tls_version = found->flow.tls_version;
	}
	return status == OK || status == ERR_BUSY ? status : ERR_SYSTEM;
}

enum status sip_transport_send(void *context, struct text octets, struct sip_flow *flow)
{
	struct sip_transport *transport = context;
	struct sip_transport_counters *counters = &transport->counters;
	enum status status = flow->protocol == SIP_UDP ? udp_send(transport->udp, octets, flow)
						       : send_on_stream(transport, octets, flow);
	if (status != OK) {
		counter_add(&counters->send_failures, 1);
		return status;
	}
	counter_add(&counters->sent, 1);
	counter_add(&counters->sent_octets, octets.size);
	return OK;
}

void sip_transport_trust(void *context, uint64_t id)
{
	struct sip_transport *transport = context;
	struct connection *connection = connections_find(&transport->connections, id);
	if (connection != NULL && connection->is_shared)
		connections_rank(connection, CONNECTION_TRUSTED);
}

void sip_transport_dismiss(void *context, uint64_t id)
{
	struct sip_transport *transport = context;
	struct connection *connection = connections_find(&transport->connections, id);
	if (connection != NULL)
		connection->is_dismissed = true;
}

// ---- what others look at

const struct sip_transport_counters *sip_transport_counters(const struct sip_transport *transport)
{
	return &transport->counters;
}

const struct address *sip_transport_address(const struct sip_transport *transport,
					    enum sip_protocol protocol, unsigned nth)
{
	if (protocol == SIP_UDP)
		return udp_address(transport->udp, nth);
	for (unsigned i = 0; i < transport->listener_count; i++) {
		const struct sip_flow *flow = &transport->listeners[i].flow;
		if (flow->protocol == protocol && nth-- == 0)
			return &flow->local;
	}
	return NULL;
}

static const char *const states[] = {
	[CONNECTION_CONNECTING] = "connecting", [CONNECTION_GREETED] = "greeted",
	[CONNECTION_SHAKING] = "shaking",       [CONNECTION_OPEN] = "open",
	[CONNECTION_LEAVING] = "leaving",       [CONNECTION_DOOMED] = "doomed",
};

static const char *const ranks[CONNECTION_RANKS] = {
	[CONNECTION_DYING] = "dying",
	[CONNECTION_STRANGER] = "stranger",
	[CONNECTION_SPOKEN] = "spoken",
	[CONNECTION_TRUSTED] = "trusted",
};

static void read_facts(const struct connection *connection, struct sip_connection_facts *out_facts)
{
	*out_facts = (struct sip_connection_facts){
		.flow = connection->flow,
		.state = states[connection->state],
		.rank = ranks[connection->rank],
		.cipher = connection->cipher,
		.is_outgoing = connection->is_outgoing,
		.since_ms = connection->since_ms,
		.heard_ms = connection->received > 0 ? connection->heard_ms : 0,
		.received = connection->received,
		.sent = connection->sent,
		.queued =
			connection->waiting != NULL ? evbuffer_get_length(connection->waiting) : 0,
	};
	if (connection->stream != NULL)
		out_facts->queued = evbuffer_get_length(bufferevent_get_output(connection->stream));
}

bool sip_transport_find(const struct sip_transport *transport, uint64_t id,
			struct sip_connection_facts *out_facts)
{
	const struct connection *connection = connections_find(&transport->connections, id);
	if (connection == NULL)
		return false;
	read_facts(connection, out_facts);
	return true;
}

bool sip_transport_next(const struct sip_transport *transport, unsigned *position,
			struct sip_connection_facts *out_facts)
{
	const struct connection *connection = connections_next(&transport->connections, position);
	if (connection == NULL)
		return false;
	read_facts(connection, out_facts);
	return true;
}

#define LABEL(name, label) label,
static const char *const labels[] = { SIP_CLOSE_LIST(LABEL) };
#undef LABEL

const char *sip_close_label(unsigned reason)
{
	return reason < SIP_CLOSE_COUNT ? labels[reason] : NULL;
}
