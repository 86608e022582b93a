// Operators' connections. Each has one request under way at most; the next line is looked at when the
// answer is out. Runs on the control thread. Must never wait for a peer, and must wipe what it read.

#include "admin/socket.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/request.h"
#include "base/log.h"
#include "base/secret.h"

#define IDLE_S 600 // a peer that asks nothing
#define BACKLOG 64

struct connection {
	struct connection *next, *previous;
	struct admin_socket *server;
	struct event *readable, *writable, *deadline;
	struct evbuffer *output;
	struct admin_request *request; // under way
	struct admin_peer peer;
	bool is_closing; // when the output is out
	int fd;
	size_t used;
	char input[ADMIN_LINE_MAX + 1];
};

struct admin_socket {
	struct event_base *loop;
	struct admin_context *context;
	struct event *acceptable;
	struct connection *connections;
	unsigned count;
	struct timeval patience; // with a request's answer, and with a peer that does not read
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void look_at_input(struct connection *connection);

static void close_connection(struct connection *connection)
{
	struct admin_socket *server = connection->server;
	if (connection->request)
		admin_request_detach(connection->request);
	if (connection->next)
		connection->next->previous = connection->previous;
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	server->count--;
	if (connection->readable)
		event_free(connection->readable);
	if (connection->writable)
		event_free(connection->writable);
	if (connection->deadline)
		event_free(connection->deadline);
	if (connection->output)
		evbuffer_free(connection->output);
	close(connection->fd);
	secret_wipe(connection->input, sizeof(connection->input));
	free(connection);
}

static void wait_for_input(struct connection *connection)
{
	const struct timeval idle = { .tv_sec = IDLE_S };
	event_add(connection->readable, &idle);
}

static void wait_for_reader(struct connection *connection)
{
	event_del(connection->readable);
	event_add(connection->writable, &connection->server->patience);
}

// The line goes out when the loop says that the peer takes it: never deeper in the stack than here.
static void send_line(struct connection *connection, struct text line)
{
	if (line.size == 0 || evbuffer_add(connection->output, line.data, line.size) < 0)
		connection->is_closing = true; // no memory for an answer: the peer sees the end
	wait_for_reader(connection);
}

static void refuse_line(struct connection *connection, const struct admin_refusal *refusal)
{
	char *line = admin_request_refusal_line(refusal);
	send_line(connection, text_of(line));
	free(line);
}

static void answered(void *owner, struct text answer)
{
	struct connection *connection = owner;
	connection->request = NULL;
	event_del(connection->deadline);
	send_line(connection, answer);
}

static void answer_is_late(evutil_socket_t fd, short events, void *context)
{
	(void)fd;
	(void)events;
	struct connection *connection = context;
	struct admin_refusal refusal = { ERR_TIMEOUT, NULL, "no answer in time",
					 "it may still be done; see trunkctl status" };
	admin_request_detach(connection->request);
	connection->request = NULL;
	refuse_line(connection, &refusal);
}

static void run_line(struct connection *connection, struct text line)
{
	event_del(connection->readable);
	event_add(connection->deadline, &connection->server->patience);
	connection->request = admin_request_run(connection->server->context, line, connection->peer,
						answered, connection);
}

static void look_at_input(struct connection *connection)
{
	char *input = connection->input;
	char *end = memchr(input, '\n', connection->used);
	if (end) {
		struct text line = { input, (size_t)(end - input) };
		size_t size = line.size + 1;
		line.size -= line.size > 0 && input[line.size - 1] == '\r';
		run_line(connection, line);
		memmove(input, input + size, connection->used - size);
		connection->used -= size;
		secret_wipe(input + connection->used, size);
		return;
	}
	if (connection->used < sizeof(connection->input)) {
		wait_for_input(connection);
		return;
	}
	struct admin_refusal refusal = { ERR_TOO_LARGE, NULL, "a line is longer than 64 KiB",
					 NULL };
	connection->is_closing = true;
	refuse_line(connection, &refusal);
}

static void on_readable(evutil_socket_t fd, short events, void *context)
{
	struct connection *connection = context;
	if (events & EV_TIMEOUT) {
		close_connection(connection);
		return;
	}
	ssize_t size = recv(fd, connection->input + connection->used,
			    sizeof(connection->input) - connection->used, MSG_DONTWAIT);
	if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
		wait_for_input(connection);
		return;
	}
	if (size <= 0) {
		close_connection(connection);
		return;
	}
	connection->used += (size_t)size;
	look_at_input(connection);
}

// Not evbuffer_write: it would raise SIGPIPE for a peer that left. False: nobody reads any more.
static bool send_output(struct connection *connection)
{
	size_t size = evbuffer_get_contiguous_space(connection->output);
	if (size == 0)
		return true;
	ssize_t sent = send(connection->fd, evbuffer_pullup(connection->output, (ev_ssize_t)size),
			    size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0)
		evbuffer_drain(connection->output, (size_t)sent);
	return sent >= 0 || errno == EAGAIN || errno == EINTR;
}

static void on_writable(evutil_socket_t fd, short events, void *context)
{
	(void)fd;
	struct connection *connection = context;
	if (events & EV_TIMEOUT || !send_output(connection)) {
		close_connection(connection);
		return;
	}
	if (evbuffer_get_length(connection->output) > 0)
		wait_for_reader(connection);
	else if (connection->is_closing)
		close_connection(connection);
	else
		look_at_input(connection);
}

static void read_peer(struct connection *connection)
{
	struct ucred facts = { 0 };
	socklen_t size = sizeof(facts);
	if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &facts, &size) == 0)
		connection->peer = (struct admin_peer){ facts.uid, (unsigned)facts.pid };
}

static void open_connection(struct admin_socket *server, int fd)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	if (!connection) {
		close(fd);
		return;
	}
	connection->fd = fd;
	connection->server = server;
	connection->next = server->connections;
	if (connection->next)
		connection->next->previous = connection;
	server->connections = connection;
	server->count++;
	connection->output = evbuffer_new();
	connection->readable = event_new(server->loop, fd, EV_READ, on_readable, connection);
	connection->writable = event_new(server->loop, fd, EV_WRITE, on_writable, connection);
	connection->deadline = evtimer_new(server->loop, answer_is_late, connection);
	if (!connection->output || !connection->readable || !connection->writable ||
	    !connection->deadline) {
		close_connection(connection);
		return;
	}
	read_peer(connection);
	wait_for_input(connection);
}

static void turn_away(int fd)
{
	struct admin_refusal refusal = { ERR_LIMIT, NULL, "64 connections are open already", NULL };
	char *line = admin_request_refusal_line(&refusal);
	if (line)
		(void)send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
	free(line);
	close(fd);
}

static void on_acceptable(evutil_socket_t fd, short events, void *context)
{
	(void)events;
	struct admin_socket *server = context;
	int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer < 0)
		return;
	if (server->count >= ADMIN_CONNECTIONS_MAX)
		turn_away(peer);
	else
		open_connection(server, peer);
}

// A socket file nobody listens on is left over from a process that was killed.
static enum status remove_left_over(const struct sockaddr_un *address)
{
	struct stat facts;
	if (lstat(address->sun_path, &facts) < 0)
		return OK;
	if (!S_ISSOCK(facts.st_mode))
		return ERR_CONFLICT;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	bool is_alive = result == 0 || errno == EAGAIN;
	if (fd >= 0)
		close(fd);
	if (is_alive)
		return ERR_CONFLICT;
	return unlink(address->sun_path) == 0 ? OK : ERR_SYSTEM;
}

static enum status listen_on(struct admin_socket *server, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (!text_copy(text_of(path), address.sun_path, sizeof(address.sun_path)))
		return ERR_TOO_LARGE;
	enum status status = remove_left_over(&address);
	if (status != OK)
		return status;
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->fd < 0 ||
	    bind(server->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return ERR_SYSTEM;
	(void)text_copy(text_of(path), server->path, sizeof(server->path));
	// Nobody can connect between bind and listen, so the mode is right from the first peer on.
	if (chmod(path, 0660) < 0 || listen(server->fd, BACKLOG) < 0)
		return ERR_SYSTEM;
	return OK;
}

enum status admin_socket_start(struct event_base *loop, const char *path, unsigned patience_ms,
			       struct admin_context *context, struct admin_socket **out_socket)
{
	struct admin_socket *server = calloc(1, sizeof(*server));
	if (!server)
		return ERR_MEMORY;
	server->loop = loop;
	server->context = context;
	server->patience.tv_sec = patience_ms / 1000;
	server->patience.tv_usec = patience_ms % 1000 * 1000;
	server->fd = -1;
	enum status status = listen_on(server, path);
	if (status != OK)
		goto fail;
	server->acceptable =
		event_new(loop, server->fd, EV_READ | EV_PERSIST, on_acceptable, server);
	if (!server->acceptable || event_add(server->acceptable, NULL) < 0) {
		status = ERR_MEMORY;
		goto fail;
	}
	*out_socket = server;
	return OK;
fail:
	log_event(LOG_ERROR, "admin_socket_failed", "path", path, "status", status_name(status),
		  "hint",
		  status == ERR_CONFLICT ? "another process or file holds the path"
					 : strerror(errno),
		  NULL);
	admin_socket_stop(server);
	return status;
}

void admin_socket_stop(struct admin_socket *server)
{
	if (!server)
		return;
	while (server->connections)
		close_connection(server->connections);
	if (server->acceptable)
		event_free(server->acceptable);
	if (server->fd >= 0)
		close(server->fd);
	if (server->path[0])
		(void)unlink(server->path);
	free(server);
}
