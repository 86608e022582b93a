#pragma once

// One connection of TCP or TLS, accepted or opened: framing, a bounded queue of what is to be sent,
// and a deadline for whatever it is waiting for.
// Runs on: control thread. Inside sip/transport only. Owned by the table it is in (connections.h).

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/status.h"
#include "base/text.h"
#include "base/wheel.h"
#include "sip/flow.h"
#include "sip/transport.h"
#include "sip/transport/frame.h"

struct bufferevent;
struct connections;
struct evbuffer;
struct event;
struct sip_tls_peer;

enum connection_state {
	CONNECTION_CONNECTING, // waits for its peer's kernel
	CONNECTION_GREETED, // accepted for TLS: for the client's first words, then for its turn
	CONNECTION_SHAKING, // its handshake costs now
	CONNECTION_OPEN,
	CONNECTION_LEAVING, // says its last words, reads without looking
	CONNECTION_DOOMED, // closed at the next turn of the loop
};

// Who goes first when there is no room: the lowest rank, and in it who was heard least lately.
enum connection_rank {
	CONNECTION_DYING,
	CONNECTION_STRANGER, // no whole message yet
	CONNECTION_SPOKEN,
	CONNECTION_TRUSTED, // we opened it, or its peer has had a call: never for a newcomer's sake
	CONNECTION_RANKS
};

struct connection {
	struct map_node node; // of the table's peers, while others may send on it
	struct connection *before, *after; // in its rank
	struct connection *greeted_before, *greeted_after; // whose handshakes may begin, in order
	struct connections *connections;
	struct source *source; // of an accepted one
	struct bufferevent *stream; // NULL until it is connected, and greeted
	struct event *event; // while there is no stream: connected, or greeted
	struct evbuffer *waiting; // to be sent once it is open
	struct evbuffer *unsent; // of TLS: to be sent at the end of this turn of the loop
	struct connection **due_at, *due_next; // among those that have such; NULL: it has none
	struct wheel_timer timer;
	struct frame frame;
	struct sip_flow flow;
	enum connection_state state;
	enum connection_rank rank;
	enum sip_close reason; // when it is leaving or doomed
	int fd;
	int greeting_size; // octets waited for, once they are known
	bool is_outgoing, is_shared, is_greeted, is_shaking, is_told, has_timed_out;
	bool is_unread; // of TLS: there may be more to read that the loop does not know of
	bool is_over; // of TLS: its peer has said goodbye, or broken it, and the loop cannot know
	bool is_dismissed; // whatever it sends: it goes after its answer
	const char *cipher; // constant; NULL: not TLS, or not yet
	struct sip_tls_peer *demand; // of one by TLS that we opened: what its peer has to show
	size_t held; // octets in its buffers, as counted in the table
	uint64_t since_ms, state_ms, heard_ms;
	uint64_t message_ms; // since when a message arrives that is not whole; 0: none
	uint64_t stalled_ms; // since when something waits to be sent; 0: nothing
	uint64_t received, sent; // messages
};

// Takes the socket in any case. False: refused, closed and counted.
bool connection_accept(struct connections *connections, const struct sip_flow *flow, int fd);
// Begins to connect from the flow's local host to its remote address. ERR_LIMIT, ERR_SYSTEM, ERR_MEMORY.
enum status connection_open(struct connections *connections, const struct sip_flow *flow,
			    struct connection **out_connection);
// At once, from the loop only: the connection ends with this call.
void connection_close(struct connection *connection, enum sip_close reason);
// Makes room for one more by closing the least of all that are not trusted; false: there is none.
bool connection_evict(struct connections *connections);
// To be closed at the next turn of the loop; no more is sent on it.
void connection_doom(struct connection *connection, enum sip_close reason);

// For handshake.c, reader.c and sender.c.
uint64_t connection_now(const struct connection *connection); // ms, of the loop's clock
void connection_arm(struct connection *connection); // its deadline may have come nearer
void connection_attach(struct connection *connection, struct bufferevent *stream);
void connection_set_state(struct connection *connection, enum connection_state state);
