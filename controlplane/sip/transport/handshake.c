// The turns of handshakes: a few begin in each turn of the loop, and so many are under way at most.
// Runs on the control thread. Never reads what it looks at: the library does that.

#include "sip/transport/handshake.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sip/tls/tls.h"
#include "sip/transport/connections.h"

#define BEGUN_PER_TURN 8
#define SHAKING_MAX 512
#define RECORD_HEAD 5
#define RECORD_HANDSHAKE 22

// ---- whose turn it is

static void wait_for_turn(struct connections *connections)
{
	static const struct timeval next_turn = { 0, 0 };
	bool is_anybody = connections->first_greeted != NULL && connections->shaking < SHAKING_MAX;
	if (is_anybody && !evtimer_pending(connections->turn, NULL))
		(void)evtimer_add(connections->turn, &next_turn);
}

static void enqueue(struct connection *connection)
{
	struct connections *connections = connection->connections;
	connection->is_greeted = true;
	connection->greeted_before = connections->last_greeted;
	*(connections->last_greeted != NULL ? &connections->last_greeted->greeted_after
					    : &connections->first_greeted) = connection;
	connections->last_greeted = connection;
	wait_for_turn(connections);
}

static void dequeue(struct connection *connection)
{
	struct connections *connections = connection->connections;
	struct connection *before = connection->greeted_before, *after = connection->greeted_after;
	if (!connection->is_greeted)
		return;
	connection->is_greeted = false;
	*(before != NULL ? &before->greeted_after : &connections->first_greeted) = after;
	*(after != NULL ? &after->greeted_before : &connections->last_greeted) = before;
	connection->greeted_before = connection->greeted_after = NULL;
}

static bool shake(struct connection *connection, struct bufferevent *stream)
{
	if (stream == NULL)
		return false;
	connection->connections->shaking++;
	connection->is_shaking = true;
	connection_attach(connection, stream);
	connection_set_state(connection, CONNECTION_SHAKING);
	return true;
}

static void on_turn(int fd, short what, void *context)
{
	struct connections *connections = context;
	struct connection *first;
	(void)fd, (void)what;
	for (unsigned i = 0; i < BEGUN_PER_TURN && connections->shaking < SHAKING_MAX &&
			     (first = connections->first_greeted) != NULL;
	     i++) {
		dequeue(first);
		if (!shake(first, sip_tls_accept(connections->options->tls, connections->loop,
						 first->fd, &first->flow.remote)))
			connection_close(first, SIP_CLOSE_HANDSHAKE);
	}
	wait_for_turn(connections);
}

// ---- the client's first record

static void wake_at(const struct connection *connection, int octets)
{
	(void)setsockopt(connection->fd, SOL_SOCKET, SO_RCVLOWAT, &octets, sizeof(octets));
}

// Nearly all hellos are shorter than this, and seen whole at the first look.
#define LOOK_SIZE 2048

static int octets_there(const struct connection *connection, ssize_t seen)
{
	int there = (int)seen;
	if (seen == LOOK_SIZE)
		(void)ioctl(connection->fd, FIONREAD, &there);
	return there;
}

// What is no TLS, or ends early, is whole in its way: the library says what is wrong with it.
static bool is_whole(struct connection *connection)
{
	unsigned char head[LOOK_SIZE];
	ssize_t came = recv(connection->fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	if (came < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (came <= 0 || head[0] != RECORD_HANDSHAKE)
		return true;
	int wanted = came < RECORD_HEAD ? RECORD_HEAD : RECORD_HEAD + (head[3] << 8 | head[4]);
	if (octets_there(connection, came) >= wanted || wanted <= connection->greeting_size)
		return true;
	connection->greeting_size = wanted;
	wake_at(connection, wanted);
	return false;
}

// Those that are all there wait for their turn.
static bool has_greeted(struct connection *connection)
{
	if (!is_whole(connection))
		return false;
	if (connection->greeting_size > 0)
		wake_at(connection, 1);
	enqueue(connection);
	return true;
}

static void on_greeting(int fd, short what, void *context)
{
	struct connection *connection = context;
	(void)fd, (void)what;
	if (has_greeted(connection))
		(void)event_del(connection->event);
}

// Most have greeted before they are accepted.
bool handshake_expect(struct connection *connection)
{
	connection_set_state(connection, CONNECTION_GREETED);
	if (has_greeted(connection))
		return true;
	connection->event = event_new(connection->connections->loop, connection->fd,
				      EV_READ | EV_PERSIST, on_greeting, connection);
	return connection->event != NULL && event_add(connection->event, NULL) == 0;
}

// ---- what connections do

bool handshake_start(struct connections *connections)
{
	connections->turn = evtimer_new(connections->loop, on_turn, connections);
	return connections->turn != NULL;
}

void handshake_stop(struct connections *connections)
{
	if (connections->turn != NULL)
		event_free(connections->turn);
	connections->turn = NULL;
}

bool handshake_begin(struct connection *connection)
{
	struct connections *connections = connection->connections;
	return shake(connection,
		     sip_tls_connect(connections->options->tls, connections->loop, connection->fd,
				     &connection->flow.remote, connection->demand));
}

void handshake_done(struct connection *connection)
{
	struct sip_tls_facts facts;
	sip_tls_read(connection->stream, &facts);
	connection->flow.tls_version = facts.version;
	if (facts.peer[0] != '\0') {
		connection->flow.is_certified = true;
		(void)text_copy(text_of(facts.peer), connection->flow.peer,
				sizeof connection->flow.peer);
	}
	connection->cipher = facts.cipher;
	handshake_forget(connection);
}

void handshake_forget(struct connection *connection)
{
	dequeue(connection);
	if (!connection->is_shaking)
		return;
	connection->is_shaking = false;
	connection->connections->shaking--;
	wait_for_turn(connection->connections);
}
