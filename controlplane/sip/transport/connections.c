// The table of connections. An id is a slot and its generation, so that one that is gone is never
// taken for the next in its slot.
// Runs on the control thread. Never opens or closes anything.

#include "sip/transport/connections.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "sip/tls/peer.h"

#define EXPECTED_PEERS 256
#define SPARE_SLOTS 256 // for those opened while others are doomed in their favour

bool connections_init(struct connections *connections, unsigned max)
{
	connections->slots = calloc(max + SPARE_SLOTS, sizeof(*connections->slots));
	if (connections->slots == NULL || !map_init(&connections->peers, EXPECTED_PEERS) ||
	    !map_init(&connections->sources, EXPECTED_PEERS))
		return false;
	connections->max = max;
	connections->slot_count = max + SPARE_SLOTS;
	for (unsigned i = 0; i < connections->slot_count; i++)
		connections->slots[i].next_free = i + 1;
	return true;
}

void connections_clear(struct connections *connections)
{
	free(connections->slots);
	map_clear(&connections->peers);
	map_clear(&connections->sources);
}

// ---- ranks

static void leave_rank(struct connection *connection)
{
	struct connection_queue *queue = &connection->connections->ranks[connection->rank];
	struct connection *before = connection->before, *after = connection->after;
	*(before != NULL ? &before->after : &queue->first) = after;
	*(after != NULL ? &after->before : &queue->last) = before;
}

static void join_rank(struct connection *connection, enum connection_rank rank)
{
	struct connection_queue *queue = &connection->connections->ranks[rank];
	connection->rank = rank;
	connection->after = NULL;
	connection->before = queue->last;
	*(queue->last != NULL ? &queue->last->after : &queue->first) = connection;
	queue->last = connection;
}

void connections_rank(struct connection *connection, enum connection_rank rank)
{
	leave_rank(connection);
	join_rank(connection, rank);
}

struct connection *connections_least(const struct connections *connections)
{
	for (unsigned rank = 0; rank < CONNECTION_TRUSTED; rank++)
		if (connections->ranks[rank].first != NULL)
			return connections->ranks[rank].first;
	return NULL;
}

// ---- ids

bool connections_add(struct connections *connections, struct connection *connection,
		     enum connection_rank rank)
{
	uint32_t index = connections->first_free;
	if (index >= connections->slot_count)
		return false;
	struct connection_slot *slot = &connections->slots[index];
	connections->first_free = slot->next_free;
	slot->connection = connection;
	connection->connections = connections;
	connection->flow.connection = (uint64_t)++slot->generation << 32 | (index + 1);
	join_rank(connection, rank);
	counter_set(&connections->counters->connections, ++connections->used);
	return true;
}

void connections_remove(struct connections *connections, struct connection *connection)
{
	uint32_t index = (uint32_t)connection->flow.connection - 1;
	struct connection_slot *slot = &connections->slots[index];
	connections_unshare(connection);
	leave_rank(connection);
	slot->connection = NULL;
	slot->next_free = connections->first_free;
	connections->first_free = index;
	counter_set(&connections->counters->connections, --connections->used);
}

struct connection *connections_find(const struct connections *connections, uint64_t id)
{
	uint32_t index = (uint32_t)id - 1;
	if (id == 0 || index >= connections->slot_count)
		return NULL;
	struct connection *connection = connections->slots[index].connection;
	return connection != NULL && connection->flow.connection == id ? connection : NULL;
}

struct connection *connections_next(const struct connections *connections, unsigned *position)
{
	while (*position < connections->slot_count) {
		struct connection *connection = connections->slots[(*position)++].connection;
		if (connection != NULL)
			return connection;
	}
	return NULL;
}

// ---- peers

static uint64_t hash_of(const struct sip_flow *flow)
{
	return address_hash(&flow->remote) + flow->protocol;
}

struct wanted {
	const struct sip_flow *flow;
	struct sip_tls_peer demand; // of TLS
};

static struct wanted wanted_of(const struct connections *connections, const struct sip_flow *flow)
{
	struct wanted wanted = { .flow = flow };
	if (flow->protocol == SIP_TLS && connections->options->tls != NULL)
		sip_tls_find_peer(connections->options->tls, flow, &wanted.demand);
	return wanted;
}

static bool does_for(const struct connection *connection, const struct wanted *wanted)
{
	return connection->demand == NULL ||
	       sip_tls_does_for(connection->demand, connection->flow.tls_version, &wanted->demand);
}

// By its address alone nobody is called on a connection of TLS that he made: that address proves nothing,
// and the certificate we demand of whom we call was never shown (TLS-010). On one that we made, he is
// when no less was demanded then.
static bool is_equal(const struct map_node *node, const void *context)
{
	const struct wanted *wanted = context;
	const struct sip_flow *flow = wanted->flow;
	const struct connection *connection =
		map_entry((struct map_node *)node, struct connection, node);
	return connection->flow.protocol == flow->protocol &&
	       (connection->is_outgoing || flow->protocol != SIP_TLS) &&
	       address_is_equal(&connection->flow.remote, &flow->remote) &&
	       address_is_same_host(&connection->flow.local, &flow->local) &&
	       does_for(connection, wanted);
}

void connections_share(struct connection *connection)
{
	if (connection->is_shared)
		return;
	connection->is_shared = true;
	map_add(&connection->connections->peers, &connection->node, hash_of(&connection->flow));
}

void connections_unshare(struct connection *connection)
{
	if (!connection->is_shared)
		return;
	connection->is_shared = false;
	map_remove(&connection->connections->peers, &connection->node);
}

struct connection *connections_find_peer(const struct connections *connections,
					 const struct sip_flow *flow)
{
	struct wanted wanted = wanted_of(connections, flow);
	struct map_node *node = map_find(&connections->peers, hash_of(flow), is_equal, &wanted);
	return node != NULL ? map_entry(node, struct connection, node) : NULL;
}

// Who is nobody's name for anybody takes its connection as it is: so do the answers to what came on it.
bool connections_does_for(const struct connection *connection, const struct sip_flow *flow)
{
	if (connection->demand == NULL || flow->peer[0] == '\0')
		return true;
	struct wanted wanted = wanted_of(connection->connections, flow);
	return does_for(connection, &wanted);
}
