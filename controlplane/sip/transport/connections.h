#pragma once

// The bounded table of connections: by id, by peer, and by rank.
// Runs on: control thread. Inside sip/transport only.

#include "base/map.h"
#include "sip/transport.h"
#include "sip/transport/connection.h"

struct event;
struct event_base;

struct connection_slot {
	struct connection *connection; // NULL: free
	uint32_t generation;
	uint32_t next_free; // index; the table's end: none
};

struct connection_queue { // first: heard least lately
	struct connection *first, *last;
};

struct connections {
	struct event_base *loop;
	const struct sip_transport_options *options;
	struct sip_transport_counters *counters;
	struct connection_slot *slots;
	unsigned max, used; // a few more than max while some are doomed
	unsigned slot_count;
	uint32_t first_free;
	struct map peers; // connections that others may send on
	struct map sources;
	struct connection_queue ranks[CONNECTION_RANKS];
	struct connection *first_greeted, *last_greeted; // whose handshakes may begin, in order
	struct event *turn; // of handshakes
	struct connection *first_due; // who has something to be done at the end of this turn
	struct event *due;
	bool is_finishing; // the turn, just now
	unsigned shaking; // handshakes under way
	size_t held; // octets in all their buffers
};

bool connections_init(struct connections *connections, unsigned max); // false: no memory
void connections_clear(struct connections *connections); // must be empty
// Gives it an id, and its place in a rank. False: full.
bool connections_add(struct connections *connections, struct connection *connection,
		     enum connection_rank rank);
void connections_remove(struct connections *connections, struct connection *connection);
void connections_share(struct connection *connection); // from now on others may send on it
void connections_unshare(struct connection *connection);
void connections_rank(struct connection *connection, enum connection_rank rank); // as heard last
struct connection *connections_find(const struct connections *connections, uint64_t id);
// Any that others may send on, from the flow's local host to its remote address, and that was made with
// the demands of the flow's peer, or stronger ones.
struct connection *connections_find_peer(const struct connections *connections,
					 const struct sip_flow *flow);
// May the flow still go on this, which it went on before? Demands may have changed since.
bool connections_does_for(const struct connection *connection, const struct sip_flow *flow);
// Who has to go for a newcomer; NULL: nobody.
struct connection *connections_least(const struct connections *connections);
// The next after that position (0 at first, then what came before); NULL at the end.
struct connection *connections_next(const struct connections *connections, unsigned *position);
