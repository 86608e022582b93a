// SIP over UDP: one non-blocking socket per address, read in batches so that timers keep running.
// Runs on the control thread, in its libevent loop. Never blocks, never parses beyond first octets.

#include "sip/transport/udp.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "sip/datagram/datagram.h"
#include "sip/door/door.h"
#include "sip/guard/apart.h"
#include "sip/guard/guard.h"
#include "sip/guard/steer.h"
#include "sip/message.h"
#include "sip/value.h"

#define BATCH_SIZE SIP_DATAGRAMS
#define BATCHES_PER_TURN 4
#define DATAGRAM_SIZE (SIP_MESSAGE_MAX + 1)

struct socket_of {
	struct udp *udp;
	struct event *event;
	struct address local;
	int fd;
	uint32_t kernel_drops; // as last told
};

struct batch { // what recvmmsg fills
	struct sip_datagrams datagrams;
	char room[BATCH_SIZE][DATAGRAM_SIZE];
};

struct udp {
	const struct sip_transport_user *user;
	struct sip_transport_counters *counters;
	struct batch *batch;
	struct sip_door *door; // NULL: the kernel would not
	struct event *door_event; // its queue has something
	bool is_to_door; // new calls come by it
	unsigned socket_count;
	struct socket_of sockets[];
};

// What the kernel says beside a datagram; returns for how many microseconds it waited.
static uint64_t read_controls(struct socket_of *socket, struct msghdr *header, uint64_t now_ns)
{
	uint32_t drops = socket->kernel_drops;
	uint64_t arrived_ns = sip_datagram_controls(header, &drops);
	counter_add(&socket->udp->counters->kernel_drops, (uint32_t)(drops - socket->kernel_drops));
	socket->kernel_drops = drops;
	return sip_datagram_age_us(arrived_ns, now_ns);
}

static struct text octets_of(const struct mmsghdr *datagram)
{
	return (struct text){ datagram->msg_hdr.msg_iov->iov_base, datagram->msg_len };
}

static bool is_keepalive(struct text octets)
{
	for (size_t i = 0; i < octets.size; i++)
		if (octets.data[i] != '\r' && octets.data[i] != '\n')
			return false;
	return octets.size > 0;
}

// Looks at one: counted and done with here, or to be handed on as judged.
static enum sip_guard_verdict look_at(struct socket_of *socket, struct mmsghdr *datagram,
				      uint64_t now_ns, struct sip_flow *flow)
{
	const struct sip_transport_user *user = socket->udp->user;
	struct sip_transport_counters *counters = socket->udp->counters;
	struct msghdr *header = &datagram->msg_hdr;
	struct text octets = octets_of(datagram);
	uint64_t age_us = read_controls(socket, header, now_ns);
	counter_add(&counters->received, 1);
	counter_add(&counters->received_octets, octets.size);
	if ((header->msg_flags & MSG_TRUNC) != 0 || octets.size > SIP_MESSAGE_MAX)
		counter_add(&counters->too_large, 1);
	else if (is_keepalive(octets))
		counter_add(&counters->keepalives, 1);
	else if (octets.size == 0 || !address_from_sockaddr(header->msg_name, &flow->remote) ||
		 flow->remote.port == 0 ||
		 (sip_value_octets[(uint8_t)octets.data[0]] != SIP_OCTET_TOKEN &&
		  octets.data[0] != '\r'))
		counter_add(&counters->malformed, 1);
	else
		return user->guard != NULL ? sip_guard_judge(user->guard, octets, flow, age_us)
					   : SIP_GUARD_NEXT;
	return SIP_GUARD_DROPPED;
}

static void hand_on(const struct sip_transport_user *user, enum sip_guard_verdict verdict,
		    struct text octets, const struct sip_flow *flow)
{
	if (user->guard != NULL)
		sip_guard_deliver(user->guard, verdict, octets, flow);
	else
		user->receive(user->context, octets, flow);
}

// All are judged before work is spent on any: what belongs to calls of known peers goes first, the rest
// in the order of its arrival.
static void take_batch(struct socket_of *socket, unsigned count)
{
	struct batch *batch = socket->udp->batch;
	const struct sip_transport_user *user = socket->udp->user;
	enum sip_guard_verdict verdicts[BATCH_SIZE];
	struct sip_flow flows[BATCH_SIZE];
	uint64_t now_ns = sip_datagram_real_ns();
	for (unsigned i = 0; i < count; i++) {
		flows[i] = (struct sip_flow){ .protocol = SIP_UDP, .local = socket->local };
		verdicts[i] = look_at(socket, &batch->datagrams.headers[i], now_ns, &flows[i]);
	}
	for (unsigned i = 0; i < count; i++)
		if (verdicts[i] == SIP_GUARD_FIRST)
			hand_on(user, verdicts[i], octets_of(&batch->datagrams.headers[i]),
				&flows[i]);
	for (unsigned i = 0; i < count; i++)
		if (verdicts[i] != SIP_GUARD_FIRST && verdicts[i] != SIP_GUARD_DROPPED)
			hand_on(user, verdicts[i], octets_of(&batch->datagrams.headers[i]),
				&flows[i]);
}

// What the door has let in: one batch in each turn, so that all else goes on.
static void on_let_in(int fd, short what, void *context)
{
	struct udp *udp = context;
	const struct sip_transport_user *user = udp->user;
	struct sip_door_queue *queue = sip_door_queue_of(udp->door);
	struct sip_door_datagram datagram;
	uint64_t now_us = clock_monotonic_ns() / 1000, now_ns = sip_datagram_real_ns();
	(void)fd;
	(void)what;
	for (unsigned i = 0; i < BATCH_SIZE; i++) {
		if (!sip_door_take(udp->door, &datagram)) {
			sip_door_queue_quiet(queue);
			return;
		}
		struct sip_flow flow = { .protocol = SIP_UDP,
					 .local = datagram.local,
					 .remote = datagram.remote };
		counter_add(&udp->counters->received, 1);
		counter_add(&udp->counters->received_octets, datagram.octets.size);
		enum sip_guard_verdict verdict = sip_guard_judge_let_in(
			user->guard, datagram.octets, &flow,
			sip_datagram_age_us(datagram.arrived_ns, now_ns),
			now_us > datagram.queued_us ? now_us - datagram.queued_us : 0);
		sip_guard_deliver(user->guard, verdict, datagram.octets, &flow);
	}
}

static void on_readable(int fd, short what, void *context)
{
	struct socket_of *socket = context;
	struct batch *batch = socket->udp->batch;
	(void)what;
	for (unsigned turn = 0; turn < BATCHES_PER_TURN; turn++) {
		sip_datagrams_prepare(&batch->datagrams, batch->room[0], DATAGRAM_SIZE);
		int count = recvmmsg(fd, batch->datagrams.headers, BATCH_SIZE, MSG_DONTWAIT, NULL);
		if (count > 0)
			take_batch(socket, (unsigned)count);
		if (count < BATCH_SIZE)
			return;
	}
}

// Asks for the buffer with force (CAP_NET_ADMIN), else for what the kernel allows.
static void set_options(int fd, const struct address *local, unsigned receive_buffer_bytes)
{
	int on = 1;
	int size = (int)receive_buffer_bytes;
	if (size > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (local->family == ADDRESS_IPV6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
}

// A port of 0 asks the kernel for one: tests do.
static bool read_local(int fd, struct address *out_local)
{
	struct sockaddr_storage bound;
	socklen_t size = sizeof(bound);
	return getsockname(fd, (struct sockaddr *)&bound, &size) == 0 &&
	       address_from_sockaddr((struct sockaddr *)&bound, out_local);
}

static bool open_socket(struct event_base *loop, const struct sip_transport_options *options,
			struct socket_of *out_socket)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(&out_socket->local, &kernel);
	int fd = socket(kernel.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	out_socket->fd = fd;
	if (fd < 0)
		return false;
	set_options(fd, &out_socket->local, options->receive_buffer_bytes);
	if (bind(fd, (struct sockaddr *)&kernel, size) != 0 || !read_local(fd, &out_socket->local))
		return false;
	out_socket->event = event_new(loop, fd, EV_READ | EV_PERSIST, on_readable, out_socket);
	return out_socket->event != NULL && event_add(out_socket->event, NULL) == 0;
}

// For all sockets or for none: who has no door must not wait before it.
static bool open_door(struct event_base *loop, struct udp *udp)
{
	if (sip_door_create(sip_guard_apart(udp->user->guard), udp->counters, &udp->door) != OK)
		return false;
	udp->door_event = event_new(loop, sip_door_queue_fd(sip_door_queue_of(udp->door)),
				    EV_READ | EV_PERSIST, on_let_in, udp);
	if (udp->door_event == NULL || event_add(udp->door_event, NULL) != 0)
		return false;
	for (unsigned i = 0; i < udp->socket_count; i++)
		if (!sip_door_add(udp->door, udp->sockets[i].fd, &udp->sockets[i].local))
			return false;
	return sip_door_start(udp->door) == OK;
}

static void close_door(struct udp *udp)
{
	if (udp->door_event != NULL)
		event_free(udp->door_event);
	sip_door_destroy(udp->door);
	udp->door_event = NULL;
	udp->door = NULL;
}

enum status udp_start(struct event_base *loop, const struct sip_transport_options *options,
		      struct sip_transport_counters *counters, struct udp **out_udp)
{
	size_t size = sizeof(struct udp) + options->address_count * sizeof(struct socket_of);
	enum status status = ERR_MEMORY;
	struct udp *udp = calloc(1, size);
	if (udp == NULL)
		return ERR_MEMORY;
	udp->user = &options->user;
	udp->counters = counters;
	udp->batch = calloc(1, sizeof(*udp->batch));
	if (udp->batch == NULL)
		goto fail;
	// Or each batch larger than any before would add pages.
	memory_touch(udp->batch, sizeof(*udp->batch));
	for (unsigned i = 0; i < options->address_count; i++) {
		struct socket_of *opened = &udp->sockets[udp->socket_count++];
		char name[ADDRESS_TEXT_SIZE];
		*opened =
			(struct socket_of){ .udp = udp, .local = options->addresses[i], .fd = -1 };
		if (open_socket(loop, options, opened))
			continue;
		log_event(LOG_ERROR, "sip_listen_failed", "protocol", "udp", "address",
			  address_string(&options->addresses[i], name), "why", strerror(errno),
			  NULL);
		status = ERR_SYSTEM;
		goto fail;
	}
	if (udp->user->guard != NULL && !open_door(loop, udp)) {
		log_event(LOG_WARNING, "sip_without_door", NULL); // calls are limited all the same
		close_door(udp);
	}
	*out_udp = udp;
	return OK;
fail:
	udp_stop(udp);
	return status;
}

void udp_stop(struct udp *udp)
{
	if (udp == NULL)
		return;
	close_door(udp);
	for (unsigned i = 0; i < udp->socket_count; i++) {
		struct socket_of *opened = &udp->sockets[i];
		if (opened->event != NULL)
			event_free(opened->event);
		if (opened->fd >= 0)
			close(opened->fd);
	}
	free(udp->batch);
	free(udp);
}

static const struct socket_of *find_socket(const struct udp *udp, const struct address *local)
{
	for (unsigned i = 0; i < udp->socket_count; i++)
		if (address_is_equal(&udp->sockets[i].local, local))
			return &udp->sockets[i];
	return NULL;
}

enum status udp_send(struct udp *udp, struct text octets, const struct sip_flow *flow)
{
	const struct address *remote = &flow->remote;
	struct sockaddr_storage kernel;
	const struct socket_of *from = find_socket(udp, &flow->local);
	if (from == NULL || remote->family != flow->local.family || remote->port == 0)
		return ERR_SYSTEM;
	socklen_t size = address_to_sockaddr(remote, &kernel);
	ssize_t sent = sendto(from->fd, octets.data, octets.size, MSG_DONTWAIT | MSG_NOSIGNAL,
			      (struct sockaddr *)&kernel, size);
	if (sent >= 0)
		return OK;
	bool is_passing = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ||
			  errno == EINTR || errno == ENOMEM;
	return is_passing ? ERR_BUSY : ERR_SYSTEM;
}

static bool steer(struct udp *udp, bool is_to_door)
{
	bool is_done = true;
	udp->is_to_door = is_to_door;
	for (unsigned i = 0; i < udp->socket_count; i++)
		is_done &= sip_guard_steer(udp->sockets[i].fd, is_to_door);
	return is_done;
}

// For all sockets or for none, here too: the guard sends new calls from control's sockets to a door that is
// served, and where the kernel has no room for the program they would never come to it.
void udp_steer(struct udp *udp, bool is_to_door)
{
	if (udp->door == NULL || is_to_door == udp->is_to_door || steer(udp, is_to_door) ||
	    !is_to_door)
		return;
	log_event(LOG_WARNING, "sip_without_door", "why", strerror(errno), NULL);
	(void)steer(udp, false);
	sip_guard_apart_give_up(sip_guard_apart(udp->user->guard));
}

const struct address *udp_address(const struct udp *udp, unsigned nth)
{
	return nth < udp->socket_count ? &udp->sockets[nth].local : NULL;
}
