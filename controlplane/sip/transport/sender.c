// Writing a connection. What a slow reader leaves waiting is bounded, for each and for all.
// Runs on the control thread. Never closes a connection: it may doom it, no more.

#include "sip/transport/sender.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <sys/socket.h>

#include "sip/transport/connections.h"

#define HELD_MAX (64u << 20) // octets that all who are not trusted may make us keep
#define STRANGER_SHARE 16 // of the queue's limit, for who is not trusted

static size_t queue_max(const struct connection *connection)
{
	size_t max = connection->connections->options->limits.queue_max;
	return connection->rank == CONNECTION_TRUSTED ? max : max / STRANGER_SHARE;
}

bool sender_count(struct connection *connection)
{
	struct connections *connections = connection->connections;
	size_t held = 0;
	if (connection->stream != NULL)
		held = evbuffer_get_length(bufferevent_get_input(connection->stream)) +
		       evbuffer_get_length(bufferevent_get_output(connection->stream));
	if (connection->waiting != NULL)
		held += evbuffer_get_length(connection->waiting);
	connections->held = connections->held - connection->held + held;
	connection->held = held;
	return held == 0 || connections->held <= HELD_MAX || connection->rank == CONNECTION_TRUSTED;
}

static struct evbuffer *queue_of(struct connection *connection)
{
	if (connection->state == CONNECTION_OPEN)
		return bufferevent_get_output(connection->stream);
	if (connection->waiting == NULL)
		connection->waiting = evbuffer_new();
	return connection->waiting;
}

// Straight to the kernel while nothing waits: the loop is asked only for what is left.
static size_t send_at_once(struct connection *connection, struct text octets)
{
	bool is_plain = connection->flow.protocol == SIP_TCP &&
			connection->state == CONNECTION_OPEN && connection->stalled_ms == 0;
	if (!is_plain || evbuffer_get_length(bufferevent_get_output(connection->stream)) > 0)
		return 0;
	ssize_t sent = send(connection->fd, octets.data, octets.size, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent > 0 ? (size_t)sent : 0; // what is wrong with it the loop will find
}

enum status sender_send(struct connection *connection, struct text octets)
{
	struct text rest = text_cut(octets, send_at_once(connection, octets));
	struct evbuffer *queue = queue_of(connection);
	if (queue == NULL)
		return ERR_MEMORY;
	bool is_open = connection->state == CONNECTION_OPEN;
	bool is_full = evbuffer_get_length(queue) + rest.size > queue_max(connection);
	if (rest.size > 0 && (is_full || evbuffer_add(queue, rest.data, rest.size) != 0 ||
			      !sender_count(connection))) {
		connection_doom(connection, SIP_CLOSE_SLOW_READER);
		return ERR_BUSY;
	}
	connection->sent++;
	if (connection->is_outgoing)
		connection->heard_ms = connection_now(connection);
	if (is_open && rest.size > 0 && connection->stalled_ms == 0) {
		connection->stalled_ms = connection_now(connection);
		connection_arm(connection);
	}
	return OK;
}
