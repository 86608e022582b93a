// Sockets: datagrams in batches, one epoll for everything, and what is ready to leave at the end of a
// turn. Runs on the generator's thread.

#include "sipload_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64
#define OUT_DATAGRAMS (SIPLOAD_BATCH * SIPLOAD_MESSAGE_MAX)
#define BUFFER_BYTES (16 << 20)

struct batch { // what recvmmsg fills
	struct mmsghdr headers[SIPLOAD_BATCH];
	struct iovec parts[SIPLOAD_BATCH];
	char room[SIPLOAD_BATCH][SIPLOAD_MESSAGE_MAX];
};

uint64_t sipload_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

socklen_t sipload_address(const char *text, struct sockaddr_storage *out_address)
{
	char host[SIPLOAD_ADDRESS];
	struct sockaddr_in *address = (struct sockaddr_in *)out_address;
	unsigned port;
	memset(out_address, 0, sizeof(*out_address));
	if (sscanf(text, "%31[0-9.]:%u", host, &port) != 2 || port > 65535 ||
	    !inet_aton(host, &address->sin_addr))
		return 0;
	address->sin_family = AF_INET;
	address->sin_port = htons((uint16_t)port);
	return sizeof(*address);
}

struct sipload_way *sipload_way_create(struct sipload *load, int fd,
				       enum sipload_transport transport)
{
	struct sipload_way *way = calloc(1, sizeof(*way));
	if (!way)
		return NULL;
	way->fd = fd;
	way->transport = transport;
	way->next = load->wire->all;
	load->wire->all = way;
	return way;
}

bool sipload_way_watch(struct sipload *load, struct sipload_way *way, bool for_writing)
{
	struct epoll_event event = { .events = EPOLLIN | (for_writing ? EPOLLOUT : 0),
				     .data.ptr = way };
	int epoll = load->wire->epoll_fd;
	return epoll_ctl(epoll, EPOLL_CTL_MOD, way->fd, &event) == 0 ||
	       epoll_ctl(epoll, EPOLL_CTL_ADD, way->fd, &event) == 0;
}

// Connected, so that the kernel looks the way up once.
static struct sipload_way *open_udp(struct sipload *load, const char *local, const char *remote)
{
	struct sockaddr_storage ours, theirs;
	socklen_t size = sipload_address(local, &ours);
	int buffer = BUFFER_BYTES;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sipload_way *way = fd >= 0 ? sipload_way_create(load, fd, SIPLOAD_UDP) : NULL;
	if (!way)
		return NULL;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	way->out = malloc(OUT_DATAGRAMS);
	way->is_ready = true;
	bool is_good = way->out && sipload_address(remote, &theirs) &&
		       bind(fd, (struct sockaddr *)&ours, size) == 0 &&
		       connect(fd, (struct sockaddr *)&theirs, size) == 0 &&
		       sipload_way_watch(load, way, false);
	return is_good ? way : NULL;
}

static bool open_callers(struct sipload *load)
{
	struct sipload_wire *wire = load->wire;
	bool is_udp = load->options.transport == SIPLOAD_UDP;
	unsigned count = is_udp ? 1 : load->options.connections;
	wire->callers = calloc(count + 1, sizeof(struct sipload_way *));
	for (unsigned i = 0; wire->callers && i < count; i++) {
		wire->callers[i] =
			is_udp ? open_udp(load, load->options.caller, load->options.target)
			       : sipload_stream_connect(load);
		if (!wire->callers[i])
			return false;
		wire->caller_count++;
	}
	return wire->callers != NULL;
}

bool sipload_wire_open(struct sipload *load)
{
	struct sipload_wire *wire = load->wire = calloc(1, sizeof(*wire));
	if (!wire)
		return false;
	wire->batch = malloc(sizeof(*wire->batch));
	wire->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (wire->batch && wire->epoll_fd >= 0)
		wire->called =
			load->options.called_transport == SIPLOAD_UDP
				? open_udp(load, load->options.called, load->options.called_target)
				: sipload_stream_listen(load);
	if (!wire->called || !open_callers(load)) {
		perror("sipload: sockets");
		return false;
	}
	wire->called->is_called = true;
	return true;
}

void sipload_wire_close(struct sipload *load)
{
	struct sipload_wire *wire = load->wire;
	if (!wire)
		return;
	for (struct sipload_way *way = wire->all, *next; way; way = next) {
		next = way->next;
		if (!way->is_closed)
			sipload_stream_close(load, way);
		free(way->in);
		free(way->out);
		free(way);
	}
	close(wire->epoll_fd);
	free(wire->callers);
	free(wire->batch);
	free(wire);
}

void sipload_take(struct sipload *load, struct sipload_way *way, struct text raw)
{
	struct sipload_message message;
	if (!sipload_read(load, raw, &message))
		load->counts.strange++;
	else if (message.status)
		sipload_take_response(load, &message);
	else
		sipload_take_request(load, way, &message);
}

static void receive_datagrams(struct sipload *load, struct sipload_way *way)
{
	struct batch *batch = load->wire->batch;
	for (unsigned i = 0; i < SIPLOAD_BATCH; i++) {
		batch->parts[i] = (struct iovec){ batch->room[i], SIPLOAD_MESSAGE_MAX };
		batch->headers[i].msg_hdr =
			(struct msghdr){ .msg_iov = &batch->parts[i], .msg_iovlen = 1 };
	}
	int count = recvmmsg(way->fd, batch->headers, SIPLOAD_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++)
		sipload_take(load, way, (struct text){ batch->room[i], batch->headers[i].msg_len });
}

void sipload_wire_poll(struct sipload *load, uint64_t patience_ns)
{
	struct epoll_event events[EVENTS];
	struct timespec patience = { .tv_sec = (time_t)(patience_ns / 1000000000),
				     .tv_nsec = (long)(patience_ns % 1000000000) };
	int count = epoll_pwait2(load->wire->epoll_fd, events, EVENTS, &patience, NULL);
	load->now_ns = sipload_now();
	for (int i = 0; i < count; i++) {
		struct sipload_way *way = events[i].data.ptr;
		if (way->transport == SIPLOAD_UDP)
			receive_datagrams(load, way);
		else if (!way->is_closed)
			sipload_stream_event(load, way, events[i].events);
	}
}

// ---- sending

static void flush_datagrams(struct sipload_way *way)
{
	struct mmsghdr headers[SIPLOAD_BATCH];
	struct iovec parts[SIPLOAD_BATCH];
	for (unsigned i = 0, at = 0; i < way->datagrams; at += way->sizes[i++]) {
		parts[i] = (struct iovec){ way->out + at, way->sizes[i] };
		headers[i] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &parts[i], .msg_iovlen = 1 } };
	}
	for (unsigned done = 0, refused = 0; done < way->datagrams && refused < 1000;) {
		int taken = sendmmsg(way->fd, headers + done, way->datagrams - done, 0);
		if (taken > 0)
			done += (unsigned)taken;
		else if (errno == EAGAIN)
			(void)poll(&(struct pollfd){ way->fd, POLLOUT, 0 }, 1, 10);
		refused += taken <= 0; // an ICMP of an earlier one counts as one too
	}
	way->datagrams = 0;
	way->out_used = 0;
}

void sipload_flush(struct sipload *load)
{
	struct sipload_wire *wire = load->wire;
	while (wire->dirty) {
		struct sipload_way *way = wire->dirty;
		wire->dirty = way->next_dirty;
		way->is_dirty = false;
		if (way->transport == SIPLOAD_UDP)
			flush_datagrams(way);
		else if (!way->is_closed)
			sipload_stream_flush(load, way);
	}
}

static bool make_room(struct sipload_way *way, size_t size)
{
	if (way->transport == SIPLOAD_UDP) {
		if (way->datagrams == SIPLOAD_BATCH)
			flush_datagrams(way);
		way->sizes[way->datagrams++] = (uint16_t)size;
		return true;
	}
	if (way->out_used + size <= way->out_size)
		return true;
	size_t wanted = 2 * (way->out_used + size);
	char *grown = wanted < SIPLOAD_OUT_MAX ? realloc(way->out, wanted) : NULL;
	if (!grown)
		return false;
	way->out = grown;
	way->out_size = wanted;
	return true;
}

void sipload_send(struct sipload *load, struct sipload_way *way, struct text message)
{
	if (message.size == 0 || way->is_closed || !make_room(way, message.size)) {
		load->counts.strange++;
		return;
	}
	memcpy(way->out + way->out_used, message.data, message.size);
	way->out_used += message.size;
	if (way->is_dirty)
		return;
	way->is_dirty = true;
	way->next_dirty = load->wire->dirty;
	load->wire->dirty = way;
}

struct sipload_way *sipload_way_take(struct sipload *load, struct sipload_call *call)
{
	struct sipload_wire *wire = load->wire;
	if (wire->caller_count > 0) {
		struct sipload_way *way = wire->callers[wire->caller_next++ % wire->caller_count];
		return way->is_closed ? NULL : way;
	}
	struct sipload_way *way = sipload_stream_connect(load);
	if (way) {
		way->is_private = true;
		way->call = call;
	}
	return way;
}

void sipload_way_give(struct sipload *load, struct sipload_call *call)
{
	if (!call->way || !call->way->is_private)
		return;
	call->way->call = NULL;
	if (!call->way->is_closed)
		sipload_stream_close(load, call->way);
	call->way = NULL;
}
