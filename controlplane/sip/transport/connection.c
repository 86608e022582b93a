// The life of one connection: connected or accepted, read message by message, written within bounds,
// closed by its peer, by a fault, or by a deadline.
// Runs on the control thread, in its libevent loop. Nothing here may touch a connection after it was
// closed; nothing is closed inside a send.

#include "sip/transport/connection.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "sip/guard/guard.h"
#include "sip/message.h"
#include "sip/tls/peer.h"
#include "sip/tls/tls.h"
#include "sip/transport/connections.h"
#include "sip/transport/deadline.h"
#include "sip/transport/handshake.h"
#include "sip/transport/reader.h"
#include "sip/transport/sender.h"
#include "sip/transport/socket.h"
#include "sip/transport/source.h"

uint64_t connection_now(const struct connection *connection)
{
	return connection->connections->options->clock->now_ms;
}

// ---- deadlines

// A deadline that moved away is looked at when the former one comes.
void connection_arm(struct connection *connection)
{
	enum sip_close reason;
	uint64_t due_ms = deadline_of(connection, &reason);
	if (!wheel_is_running(&connection->timer) || due_ms < connection->timer.deadline_ms)
		wheel_start(connection->connections->options->wheel, &connection->timer, due_ms);
}

static void on_timer(struct wheel_timer *timer, void *context)
{
	struct connection *connection = context;
	enum sip_close reason;
	(void)timer;
	if (deadline_of(connection, &reason) > connection_now(connection)) {
		connection_arm(connection);
		return;
	}
	connection->has_timed_out = true;
	connection_close(connection, reason);
}

void connection_set_state(struct connection *connection, enum connection_state state)
{
	connection->state = state;
	connection->state_ms = connection_now(connection);
	connection_arm(connection);
}

// ---- the end

static void tell_broken(struct connection *connection)
{
	const struct sip_transport_user *user = &connection->connections->options->user;
	if (connection->is_told || user->broken == NULL)
		return;
	connection->is_told = true;
	user->broken(user->context, connection->flow.connection);
}

// Whoever is thrown out leaves nothing behind in the kernel.
static bool is_thrown_out(enum sip_close reason)
{
	return reason == SIP_CLOSE_NO_ROOM || reason == SIP_CLOSE_SLOW_READER ||
	       reason == SIP_CLOSE_SLOW_SENDER || reason == SIP_CLOSE_SILENT;
}

static void free_stream(struct connection *connection, enum sip_close reason)
{
	if (is_thrown_out(reason))
		socket_abort(connection->fd);
	if (connection->event != NULL)
		event_free(connection->event);
	if (connection->waiting != NULL)
		evbuffer_free(connection->waiting);
	if (connection->stream == NULL)
		close(connection->fd);
	else if (connection->flow.protocol == SIP_TLS)
		sip_tls_close(connection->stream, connection->has_timed_out);
	else
		bufferevent_free(connection->stream);
}

void connection_close(struct connection *connection, enum sip_close reason)
{
	struct connections *connections = connection->connections;
	counter_add(&connections->counters->closed[reason], 1);
	handshake_forget(connection);
	sender_forget(connection);
	connections->held -= connection->held;
	connections_remove(connections, connection);
	wheel_stop(&connection->timer);
	free_stream(connection, reason);
	source_give(&connections->sources, connection->source);
	tell_broken(connection); // it may send: the connection is out of the table
	free(connection->demand);
	free(connection);
}

void connection_doom(struct connection *connection, enum sip_close reason)
{
	sender_flush(connection);
	connections_unshare(connection);
	connections_rank(connection, CONNECTION_DYING);
	connection->reason = reason;
	connection_set_state(connection, CONNECTION_DOOMED);
}

static void end_writing(struct connection *connection)
{
	(void)shutdown(connection->fd, SHUT_WR);
}

// Says what is still to be said; a close with octets unread would throw that away at the peer.
static void leave(struct connection *connection, enum sip_close reason)
{
	sender_flush(connection);
	bool is_quiet = evbuffer_get_length(bufferevent_get_output(connection->stream)) == 0;
	connections_unshare(connection);
	connections_rank(connection, CONNECTION_DYING);
	connection->reason = reason;
	connection_set_state(connection, CONNECTION_LEAVING);
	if (is_quiet)
		end_writing(connection);
	tell_broken(connection);
}

bool connection_evict(struct connections *connections)
{
	struct connection *least = connections_least(connections);
	if (least == NULL)
		return false;
	connection_close(least, SIP_CLOSE_NO_ROOM);
	return true;
}

// The same inside a send, where nothing may be closed: one more than the limit stands meanwhile.
static bool make_room(struct connections *connections)
{
	struct connection *least = connections_least(connections);
	if (connections->used < connections->max)
		return true;
	if (least != NULL && least->rank != CONNECTION_DYING)
		connection_doom(least, SIP_CLOSE_NO_ROOM);
	return least != NULL;
}

// ---- in

static void on_readable(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	struct evbuffer *input = bufferevent_get_input(stream);
	enum frame_verdict verdict = FRAME_MORE;
	if (connection->state == CONNECTION_OPEN)
		verdict = reader_run(connection, input);
	if (connection->state != CONNECTION_OPEN) {
		(void)evbuffer_drain(input, evbuffer_get_length(input));
		return;
	}
	if (verdict == FRAME_ALIEN) {
		connection_close(connection, SIP_CLOSE_ALIEN);
		return;
	}
	if (verdict == FRAME_REFUSE || connection->is_dismissed) {
		(void)evbuffer_drain(input, evbuffer_get_length(input));
		leave(connection,
		      connection->is_dismissed ? SIP_CLOSE_REFUSED : SIP_CLOSE_MALFORMED);
		return;
	}
	if (!frame_is_open(&connection->frame))
		connection->message_ms = 0;
	else if (connection->message_ms == 0)
		connection->message_ms = connection_now(connection);
	if (sender_count(connection))
		connection_arm(connection);
	else
		connection_close(connection, SIP_CLOSE_NO_ROOM);
}

// ---- out

static void on_written(struct bufferevent *stream, void *context)
{
	struct connection *connection = context;
	if (evbuffer_get_length(bufferevent_get_output(stream)) > 0)
		return;
	connection->stalled_ms = 0;
	(void)sender_count(connection);
	if (connection->state == CONNECTION_LEAVING && connection->reason == SIP_CLOSE_PEER)
		connection_close(connection, SIP_CLOSE_PEER); // which said all it had to say
	else if (connection->state == CONNECTION_LEAVING)
		end_writing(connection);
}

// ---- the beginning

static void open_now(struct connection *connection)
{
	struct evbuffer *output = bufferevent_get_output(connection->stream);
	connections_share(connection);
	connection_set_state(connection, CONNECTION_OPEN);
	connection->is_unread = connection->flow.protocol == SIP_TLS;
	if (connection->is_unread)
		sender_await(connection); // words may have come with the end of the handshake
	if (connection->waiting == NULL)
		return;
	(void)evbuffer_add_buffer(output, connection->waiting);
	connection->stalled_ms = connection_now(connection);
	evbuffer_free(connection->waiting);
	connection->waiting = NULL;
	connection_arm(connection);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
	struct connection *connection = context;
	sender_flush(connection);
	bool has_words = connection->state == CONNECTION_OPEN &&
			 evbuffer_get_length(bufferevent_get_output(stream)) > 0;
	if ((what & BEV_EVENT_CONNECTED) != 0 && connection->state == CONNECTION_SHAKING) {
		handshake_done(connection);
		open_now(connection);
	} else if ((what & BEV_EVENT_CONNECTED) != 0)
		return;
	else if (connection->state == CONNECTION_SHAKING)
		connection_close(connection, SIP_CLOSE_HANDSHAKE);
	else if (connection->state == CONNECTION_LEAVING || connection->state == CONNECTION_DOOMED)
		connection_close(connection, connection->reason);
	else if ((what & BEV_EVENT_EOF) != 0 && has_words)
		leave(connection, SIP_CLOSE_PEER);
	else
		connection_close(connection,
				 (what & BEV_EVENT_EOF) != 0 ? SIP_CLOSE_PEER : SIP_CLOSE_RESET);
}

void connection_attach(struct connection *connection, struct bufferevent *stream)
{
	if (connection->event != NULL)
		event_free(connection->event);
	connection->event = NULL;
	connection->stream = stream;
	bufferevent_setcb(stream, on_readable, on_written, on_event, connection);
	bufferevent_setwatermark(stream, EV_READ, 0, SIP_MESSAGE_MAX + 1);
	if (bufferevent_enable(stream, EV_READ | EV_WRITE) != 0)
		connection_doom(connection, SIP_CLOSE_NO_ROOM);
}

static bool attach_plain(struct connection *connection)
{
	struct bufferevent *stream = bufferevent_socket_new(connection->connections->loop,
							    connection->fd, BEV_OPT_CLOSE_ON_FREE);
	if (stream == NULL)
		return false;
	connection_attach(connection, stream);
	open_now(connection);
	return true;
}

// Connected: the stream is open, or its handshake has its turn.
static bool begin(struct connection *connection)
{
	if (connection->flow.protocol != SIP_TLS)
		return attach_plain(connection);
	return connection->is_outgoing ? handshake_begin(connection) : handshake_expect(connection);
}

// As it is now: who is called later may have to show more.
static bool note_demand(struct connections *connections, struct connection *connection)
{
	if (connection->flow.protocol != SIP_TLS)
		return true;
	connection->demand = malloc(sizeof *connection->demand);
	if (connection->demand == NULL)
		return false;
	sip_tls_find_peer(connections->options->tls, &connection->flow, connection->demand);
	return true;
}

static struct connection *create(struct connections *connections, const struct sip_flow *flow,
				 int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	if (connection == NULL)
		return NULL;
	connection->flow = *flow;
	connection->fd = fd;
	connection->since_ms = connections->options->clock->now_ms;
	connection->state_ms = connection->heard_ms = connection->since_ms;
	wheel_timer_init(&connection->timer, on_timer, connection);
	return connection;
}

// ---- accepted

static bool may_connect(const struct connections *connections, const struct address *remote)
{
	const struct sip_transport_user *user = &connections->options->user;
	if (user->guard != NULL && !sip_guard_may_connect(user->guard, remote))
		return false;
	return user->may_connect == NULL || user->may_connect(user->context, remote);
}

bool connection_accept(struct connections *connections, const struct sip_flow *flow, int fd)
{
	struct sip_transport_counters *counters = connections->counters;
	unsigned per_source = connections->options->limits.per_source_max;
	struct connection *connection = NULL;
	struct source *source = NULL;
	if (!may_connect(connections, &flow->remote)) {
		counter_add(&counters->refused_user, 1);
		goto fail;
	}
	source = source_take(&connections->sources, &flow->remote, per_source);
	if (source == NULL) {
		counter_add(&counters->refused_source, 1);
		goto fail;
	}
	connection = create(connections, flow, fd);
	bool has_room = connections->used < connections->max || connection_evict(connections);
	if (connection == NULL || !has_room ||
	    !connections_add(connections, connection, CONNECTION_STRANGER)) {
		counter_add(&counters->refused_full, 1);
		goto fail;
	}
	connection->source = source;
	counter_add(&counters->accepted, 1);
	if (begin(connection))
		return true;
	connection_close(connection, SIP_CLOSE_NO_ROOM);
	return false;
fail:
	free(connection);
	source_give(&connections->sources, source);
	socket_abort(fd);
	close(fd);
	return false;
}

// ---- opened

static void on_connected(int fd, short what, void *context)
{
	struct connection *connection = context;
	(void)what;
	if (socket_error(fd) != 0)
		connection_close(connection, SIP_CLOSE_CONNECT);
	else if (!begin(connection))
		connection_close(connection, SIP_CLOSE_CONNECT);
}

enum status connection_open(struct connections *connections, const struct sip_flow *flow,
			    struct connection **out_connection)
{
	int fd = -1;
	struct connection *connection = NULL;
	if (!make_room(connections)) {
		counter_add(&connections->counters->refused_full, 1);
		return ERR_LIMIT;
	}
	enum status status = socket_connect(flow, &fd);
	if (status != OK)
		return status;
	connection = create(connections, flow, fd);
	struct event *event = NULL;
	if (connection != NULL && note_demand(connections, connection))
		event = event_new(connections->loop, fd, EV_WRITE, on_connected, connection);
	if (event == NULL || event_add(event, NULL) != 0 ||
	    !connections_add(connections, connection, CONNECTION_TRUSTED))
		goto fail;
	connection->event = event;
	connection->is_outgoing = true;
	counter_add(&connections->counters->opened, 1);
	connections_share(connection);
	connection_set_state(connection, CONNECTION_CONNECTING);
	*out_connection = connection;
	return OK;
fail:
	if (event != NULL)
		event_free(event);
	if (connection != NULL)
		free(connection->demand);
	free(connection);
	close(fd);
	return ERR_MEMORY;
}
