// Connections: opened and accepted, framed by Content-Length, written when the kernel takes it.
// Runs on the generator's thread.

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sipload_wire.h"

#define IN_SIZE 65536
#define BACKLOG 4096

struct sipload_way *sipload_stream_connect(struct sipload *load)
{
	struct sockaddr_storage ours, theirs;
	socklen_t size = sipload_address(load->options.target, &theirs);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sipload_way *way =
		fd >= 0 ? sipload_way_create(load, fd, load->options.transport) : NULL;
	if (!way)
		return NULL;
	(void)sipload_address(load->options.caller, &ours);
	((struct sockaddr_in *)&ours)->sin_port = 0;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	bool is_good =
		bind(fd, (struct sockaddr *)&ours, size) == 0 &&
		(connect(fd, (struct sockaddr *)&theirs, size) == 0 || errno == EINPROGRESS) &&
		(way->transport != SIPLOAD_TLS || sipload_tls_open(load, way)) &&
		sipload_way_watch(load, way, true);
	if (is_good)
		return way;
	sipload_stream_close(load, way);
	return NULL;
}

struct sipload_way *sipload_stream_listen(struct sipload *load)
{
	struct sockaddr_storage ours;
	socklen_t size = sipload_address(load->options.called, &ours);
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sipload_way *way =
		fd >= 0 ? sipload_way_create(load, fd, load->options.called_transport) : NULL;
	if (!way)
		return NULL;
	way->is_listener = true;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	bool is_good = bind(fd, (struct sockaddr *)&ours, size) == 0 && listen(fd, BACKLOG) == 0 &&
		       sipload_way_watch(load, way, false);
	return is_good ? way : NULL;
}

static void accept_all(struct sipload *load, const struct sipload_way *listener)
{
	int fd, on = 1;
	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct sipload_way *way = sipload_way_create(load, fd, listener->transport);
		if (!way) {
			close(fd);
			return;
		}
		way->is_called = true;
		way->is_ready = way->transport == SIPLOAD_TCP;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if ((way->transport == SIPLOAD_TLS && !sipload_tls_open(load, way)) ||
		    !sipload_way_watch(load, way, false))
			sipload_stream_close(load, way);
	}
}

// The struct stays in the list of all until the end: a call may still point to it.
void sipload_stream_close(struct sipload *load, struct sipload_way *way)
{
	if (way->is_closed)
		return;
	way->is_closed = true;
	if (way->transport == SIPLOAD_TLS)
		sipload_tls_close(way);
	close(way->fd);
	if (way->transport != SIPLOAD_UDP) {
		free(way->in);
		free(way->out);
		way->in = way->out = NULL;
		way->out_size = way->out_used = 0;
	}
	if (way->call)
		sipload_call_broken(load, way->call);
}

// Octets of the first message in the buffer; 0: not all of it is here.
static size_t frame(const char *data, size_t size)
{
	const char *end =
		data ? memmem(data, size, "\r\n\r\n", 4) : NULL; // gcc's sanitizer doubts it
	const char *length = memmem(data, size, "\r\nContent-Length:", 17);
	if (!end || !length || length > end)
		return 0;
	size_t whole = (size_t)(end - data) + 4 + strtoul(length + 17, NULL, 10);
	return whole <= size ? whole : 0;
}

static void take_messages(struct sipload *load, struct sipload_way *way)
{
	size_t at = 0, size;
	while (!way->is_closed && at < way->in_used) {
		if (way->in[at] == '\r' || way->in[at] == '\n') { // keep-alives
			at++;
			continue;
		}
		size = frame(way->in + at, way->in_used - at);
		if (size == 0)
			break;
		sipload_take(load, way, (struct text){ way->in + at, size });
		at += size;
	}
	if (way->is_closed)
		return;
	memmove(way->in, way->in + at, way->in_used - at);
	way->in_used -= at;
}

static enum sipload_io read_some(struct sipload_way *way, size_t *out_size)
{
	size_t room = IN_SIZE - 1 - way->in_used; // a zero behind ends strtoul
	if (way->transport == SIPLOAD_TLS)
		return sipload_tls_read(way, room, out_size);
	ssize_t size = recv(way->fd, way->in + way->in_used, room, 0);
	if (size > 0)
		*out_size = (size_t)size;
	if (size > 0)
		return SIPLOAD_IO_DONE;
	return size < 0 && errno == EAGAIN ? SIPLOAD_IO_WAIT_READ : SIPLOAD_IO_FAILED;
}

static void receive(struct sipload *load, struct sipload_way *way)
{
	enum sipload_io io = SIPLOAD_IO_DONE;
	if (!way->in)
		way->in = malloc(IN_SIZE);
	while (way->in && !way->is_closed && io == SIPLOAD_IO_DONE) {
		size_t size = 0;
		io = read_some(way, &size);
		if (io != SIPLOAD_IO_DONE)
			break;
		way->in_used += size;
		way->in[way->in_used] = 0;
		take_messages(load, way);
	}
	if (io == SIPLOAD_IO_FAILED && !way->is_closed)
		sipload_stream_close(load, way);
}

static void become_ready(struct sipload *load, struct sipload_way *way)
{
	enum sipload_io io = SIPLOAD_IO_DONE;
	if (way->transport == SIPLOAD_TLS)
		io = sipload_tls_handshake(load, way);
	if (io == SIPLOAD_IO_FAILED)
		sipload_stream_close(load, way);
	else if (io == SIPLOAD_IO_DONE)
		way->is_ready = true;
	else
		(void)sipload_way_watch(load, way, io == SIPLOAD_IO_WAIT_WRITE);
}

void sipload_stream_event(struct sipload *load, struct sipload_way *way, uint32_t events)
{
	if (way->is_listener) {
		accept_all(load, way);
		return;
	}
	if ((events & EPOLLERR) != 0) {
		sipload_stream_close(load, way);
		return;
	}
	if (!way->is_ready)
		become_ready(load, way);
	if (!way->is_ready || way->is_closed)
		return;
	if (way->out_used > 0 || (events & EPOLLOUT) != 0)
		sipload_stream_flush(load, way);
	if (!way->is_closed)
		receive(load, way);
}

void sipload_stream_flush(struct sipload *load, struct sipload_way *way)
{
	enum sipload_io io = SIPLOAD_IO_DONE;
	if (!way->is_ready)
		return; // what waits leaves after the handshake
	while (way->out_done < way->out_used && io == SIPLOAD_IO_DONE) {
		size_t size = 0;
		if (way->transport == SIPLOAD_TLS)
			io = sipload_tls_write(way, &size);
		else {
			ssize_t sent = send(way->fd, way->out + way->out_done,
					    way->out_used - way->out_done, MSG_NOSIGNAL);
			size = sent > 0 ? (size_t)sent : 0;
			io = sent > 0          ? SIPLOAD_IO_DONE
			     : errno == EAGAIN ? SIPLOAD_IO_WAIT_WRITE
					       : SIPLOAD_IO_FAILED;
		}
		way->out_done += size;
	}
	if (io == SIPLOAD_IO_FAILED) {
		sipload_stream_close(load, way);
		return;
	}
	if (io == SIPLOAD_IO_DONE)
		way->out_used = way->out_done = 0;
	bool waits = io != SIPLOAD_IO_DONE;
	if (waits != way->has_waited || !way->has_waited)
		(void)sipload_way_watch(load, way, waits);
	way->has_waited = waits;
}
