// Writing a connection. What a slow reader leaves waiting is bounded, for each and for all.
// Runs on the control thread. Never closes a connection: it may doom it, no more.

#include "sip/transport/sender.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/socket.h>

#include "sip/tls/tls.h"
#include "sip/transport/connections.h"

#define HELD_MAX (64u << 20) // octets that all who are not trusted may make us keep
#define RECORD_MAX 16384 // octets in a record of TLS
#define STRANGER_SHARE 16 // of the queue's limit, for who is not trusted

static size_t queue_max(const struct connection *connection)
{
	size_t max = connection->connections->options->limits.queue_max;
	return connection->rank == CONNECTION_TRUSTED ? max : max / STRANGER_SHARE;
}

static size_t unsent_of(const struct connection *connection)
{
	return connection->unsent != NULL ? evbuffer_get_length(connection->unsent) : 0;
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
	held += unsent_of(connection);
	connections->held = connections->held - connection->held + held;
	connection->held = held;
	return held == 0 || connections->held <= HELD_MAX || connection->rank == CONNECTION_TRUSTED;
}

static struct evbuffer *queue_of(struct connection *connection)
{
	struct evbuffer **queue = &connection->waiting;
	if (connection->state == CONNECTION_OPEN && connection->flow.protocol == SIP_TCP)
		return bufferevent_get_output(connection->stream);
	if (connection->state == CONNECTION_OPEN)
		queue = &connection->unsent;
	if (*queue == NULL)
		*queue = evbuffer_new();
	return *queue;
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

static void note_stall(struct connection *connection)
{
	if (connection->stalled_ms != 0)
		return;
	connection->stalled_ms = connection_now(connection);
	connection_arm(connection);
}

enum status sender_send(struct connection *connection, struct text octets)
{
	struct text rest = text_cut(octets, send_at_once(connection, octets));
	struct evbuffer *queue = queue_of(connection);
	if (queue == NULL)
		return ERR_MEMORY;
	bool is_open = connection->state == CONNECTION_OPEN;
	size_t queued = evbuffer_get_length(queue);
	if (is_open && queue == connection->unsent)
		queued += evbuffer_get_length(bufferevent_get_output(connection->stream));
	bool is_full = queued + rest.size > queue_max(connection);
	if (rest.size > 0 && (is_full || evbuffer_add(queue, rest.data, rest.size) != 0 ||
			      !sender_count(connection))) {
		connection_doom(connection, SIP_CLOSE_SLOW_READER);
		return ERR_BUSY;
	}
	connection->sent++;
	if (connection->is_outgoing)
		connection->heard_ms = connection_now(connection);
	if (queue == connection->unsent)
		sender_await(connection);
	else if (is_open && rest.size > 0)
		note_stall(connection);
	if (unsent_of(connection) >= RECORD_MAX)
		sender_flush(connection);
	return OK;
}

// ---- the end of a turn

// What does not go at once is the loop's to send.
void sender_flush(struct connection *connection)
{
	struct evbuffer *unsent = connection->unsent;
	size_t size = unsent_of(connection);
	if (size == 0 || connection->state != CONNECTION_OPEN)
		return;
	struct evbuffer *output = bufferevent_get_output(connection->stream);
	const char *octets = (const char *)evbuffer_pullup(unsent, -1);
	if (octets != NULL && evbuffer_get_length(output) == 0)
		(void)evbuffer_drain(
			unsent, sip_tls_write(connection->stream, (struct text){ octets, size }));
	if (evbuffer_get_length(unsent) > 0 && evbuffer_add_buffer(output, unsent) == 0)
		note_stall(connection);
	(void)sender_count(connection);
}

static void leave_due(struct connection *connection)
{
	if (connection->due_at == NULL)
		return;
	*connection->due_at = connection->due_next;
	if (connection->due_next != NULL)
		connection->due_next->due_at = connection->due_at;
	connection->due_at = NULL;
}

void sender_forget(struct connection *connection)
{
	sender_flush(connection);
	leave_due(connection);
	if (connection->unsent != NULL)
		evbuffer_free(connection->unsent);
	connection->unsent = NULL;
}

void sender_await(struct connection *connection)
{
	struct connections *connections = connection->connections;
	if (connection->due_at != NULL)
		return;
	if (connections->first_due == NULL && !connections->is_finishing)
		event_active(connections->due, EV_TIMEOUT, 0);
	connection->due_at = &connections->first_due;
	connection->due_next = connections->first_due;
	if (connection->due_next != NULL)
		connection->due_next->due_at = &connection->due_next;
	connections->first_due = connection;
}

// The callbacks of the stream may close it.
static void finish_turn(struct connection *connection)
{
	bool is_unread = connection->is_unread;
	connection->is_unread = false;
	sender_flush(connection);
	if (connection->is_over)
		bufferevent_trigger_event(connection->stream, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
	else if (is_unread && connection->state == CONNECTION_OPEN)
		bufferevent_trigger(connection->stream, EV_READ, BEV_TRIG_IGNORE_WATERMARKS);
}

// Those who have to wait again wait for the next turn, or whoever sends without end would have all of them.
static void on_due(int fd, short what, void *context)
{
	struct connections *connections = context;
	struct connection *due = connections->first_due;
	const struct timeval soon = { 0, 0 };
	(void)fd, (void)what;
	connections->is_finishing = true;
	connections->first_due = NULL;
	if (due != NULL)
		due->due_at = &due;
	while (due != NULL) {
		struct connection *connection = due;
		leave_due(connection);
		finish_turn(connection);
	}
	connections->is_finishing = false;
	if (connections->first_due != NULL)
		(void)event_add(connections->due, &soon);
}

bool sender_start(struct connections *connections)
{
	connections->due = event_new(connections->loop, -1, 0, on_due, connections);
	return connections->due != NULL;
}

void sender_stop(struct connections *connections)
{
	if (connections->due != NULL)
		event_free(connections->due);
	connections->due = NULL;
}
