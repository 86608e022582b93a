// A small DNS server. Runs on the thread of the test; one TCP connection at a time.

#include "server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
	struct event *datagrams, *listener, *stream;
	int fds[3]; // of these
	struct sockaddr_storage peer;
	socklen_t peer_size;
	server_fn asked;
	void *context;
	struct address address;
	unsigned count;
};

static bool read_question(struct server *server, const uint8_t *octets, size_t size, bool is_tcp)
{
	struct server_question question = { .server = server, .is_tcp = is_tcp };
	struct writer name = writer_of(question.name, sizeof(question.name));
	size_t at = 12;
	if (size < 17)
		return false;
	question.id = (uint16_t)(octets[0] << 8 | octets[1]);
	while (at < size && octets[at] != 0 && at + octets[at] < size) {
		writer_string(&name, name.used > 0 ? "." : "");
		writer_text(&name, (struct text){ (const char *)octets + at + 1, octets[at] });
		at += octets[at] + 1u;
	}
	(void)writer_string_done(&name);
	assert(at + 4 < size);
	question.type = (unsigned)octets[at + 1] << 8 | octets[at + 2];
	server->count++;
	server->asked(server->context, &question);
	return true;
}

static void on_datagram(int fd, short what, void *context)
{
	struct server *server = context;
	uint8_t room[2048];
	(void)what;
	server->peer_size = sizeof(server->peer);
	ssize_t size = recvfrom(fd, room, sizeof(room), MSG_DONTWAIT,
				(struct sockaddr *)&server->peer, &server->peer_size);
	if (size > 0)
		(void)read_question(server, room, (size_t)size, false);
}

static void close_stream(struct server *server)
{
	if (server->stream == NULL)
		return;
	event_free(server->stream);
	close(server->fds[2]);
	server->stream = NULL;
}

static void on_stream(int fd, short what, void *context)
{
	struct server *server = context;
	uint8_t room[2048];
	(void)what;
	ssize_t size = recv(fd, room, sizeof(room), MSG_DONTWAIT);
	if (size <= 0 || !read_question(server, room + 2, (size_t)size - 2, true))
		close_stream(server);
}

static void on_connection(int fd, short what, void *context)
{
	struct server *server = context;
	(void)what;
	close_stream(server);
	server->fds[2] = accept(fd, NULL, NULL);
	server->stream = event_new(event_get_base(server->listener), server->fds[2],
				   EV_READ | EV_PERSIST, on_stream, server);
	event_add(server->stream, NULL);
}

static int open_socket(struct address *address, int type)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(address, &kernel);
	int fd = socket(kernel.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&kernel, size) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 4) != 0)) {
		close(fd);
		return -1;
	}
	size = sizeof(kernel);
	(void)getsockname(fd, (struct sockaddr *)&kernel, &size);
	(void)address_from_sockaddr((struct sockaddr *)&kernel, address);
	return fd;
}

struct server *server_start(struct event_base *loop, server_fn asked, void *context)
{
	struct server *server = calloc(1, sizeof(*server));
	assert(server);
	server->asked = asked;
	server->context = context;
	server->fds[1] = -1;
	for (unsigned tries = 0; tries < 20 && server->fds[1] < 0; tries++) {
		(void)address_parse(TEXT("127.0.0.1"), &server->address);
		server->fds[0] = open_socket(&server->address, SOCK_DGRAM);
		server->fds[1] = open_socket(&server->address, SOCK_STREAM); // same port
		if (server->fds[1] < 0)
			close(server->fds[0]);
	}
	assert(server->fds[1] >= 0);
	server->datagrams =
		event_new(loop, server->fds[0], EV_READ | EV_PERSIST, on_datagram, server);
	server->listener =
		event_new(loop, server->fds[1], EV_READ | EV_PERSIST, on_connection, server);
	event_add(server->datagrams, NULL);
	event_add(server->listener, NULL);
	return server;
}

void server_stop(struct server *server)
{
	close_stream(server);
	event_free(server->datagrams);
	event_free(server->listener);
	close(server->fds[0]);
	close(server->fds[1]);
	free(server);
}

struct address server_address(const struct server *server)
{
	return server->address;
}

unsigned server_asked(const struct server *server)
{
	return server->count;
}

void server_answer(const struct server_question *question, const struct message_room *message)
{
	const struct server *server = question->server;
	if (!question->is_tcp) {
		(void)sendto(server->fds[0], message->octets, message->size, 0,
			     (const struct sockaddr *)&server->peer, server->peer_size);
		return;
	}
	uint8_t size[2] = { (uint8_t)(message->size >> 8), (uint8_t)message->size };
	(void)send(server->fds[2], size, 2, MSG_NOSIGNAL);
	for (size_t at = 0; at < message->size;) {
		ssize_t sent = send(server->fds[2], message->octets + at, message->size - at,
				    MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		at += (size_t)sent;
	}
}
