// SIP over UDP: one non-blocking socket per address, read in batches so that timers keep running.
// Runs on the control thread, in its libevent loop. Never blocks, never parses beyond first octets.

#include "sip/transport.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "sip/message.h"
#include "sip/value.h"

#define BATCH_SIZE 32
#define BATCHES_PER_TURN 4
#define DATAGRAM_SIZE (SIP_MESSAGE_MAX + 1)
#define CONTROL_SIZE 64

struct socket_of {
	struct sip_transport *transport;
	struct event *event;
	struct address local;
	int fd;
	uint32_t kernel_drops; // as last told
};

struct batch { // what recvmmsg fills
	struct mmsghdr headers[BATCH_SIZE];
	struct iovec parts[BATCH_SIZE];
	struct sockaddr_storage sources[BATCH_SIZE];
	_Alignas(struct cmsghdr) char controls[BATCH_SIZE][CONTROL_SIZE];
	char room[BATCH_SIZE][DATAGRAM_SIZE];
};

struct sip_transport {
	struct sip_transport_counters counters;
	sip_transport_receive_fn receive;
	void *context;
	struct batch *batch;
	unsigned socket_count;
	struct socket_of sockets[];
};

static void prepare(struct batch *batch)
{
	for (unsigned i = 0; i < BATCH_SIZE; i++) {
		batch->parts[i] = (struct iovec){ batch->room[i], DATAGRAM_SIZE };
		batch->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->sources[i],
			.msg_namelen = sizeof(batch->sources[i]),
			.msg_iov = &batch->parts[i],
			.msg_iovlen = 1,
			.msg_control = batch->controls[i],
			.msg_controllen = CONTROL_SIZE,
		};
	}
}

// The kernel's count is of the socket's whole life, and wraps at 32 bits.
static void note_kernel_drops(struct socket_of *socket, struct msghdr *header)
{
	struct sip_transport_counters *counters = &socket->transport->counters;
	for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
	     control = CMSG_NXTHDR(header, control)) {
		uint32_t drops;
		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SO_RXQ_OVFL)
			continue;
		memcpy(&drops, CMSG_DATA(control), sizeof(drops));
		counter_add(&counters->kernel_drops, (uint32_t)(drops - socket->kernel_drops));
		socket->kernel_drops = drops;
	}
}

static bool is_keepalive(struct text octets)
{
	for (size_t i = 0; i < octets.size; i++)
		if (octets.data[i] != '\r' && octets.data[i] != '\n')
			return false;
	return octets.size > 0;
}

static void take_datagram(struct socket_of *socket, struct mmsghdr *datagram)
{
	struct sip_transport *transport = socket->transport;
	struct sip_transport_counters *counters = &transport->counters;
	struct msghdr *header = &datagram->msg_hdr;
	struct text octets = { header->msg_iov->iov_base, datagram->msg_len };
	struct sip_flow flow = { .protocol = SIP_UDP, .local = socket->local };
	note_kernel_drops(socket, header);
	counter_add(&counters->received, 1);
	counter_add(&counters->received_octets, octets.size);
	if ((header->msg_flags & MSG_TRUNC) != 0 || octets.size > SIP_MESSAGE_MAX)
		counter_add(&counters->too_large, 1);
	else if (is_keepalive(octets))
		counter_add(&counters->keepalives, 1);
	else if (octets.size == 0 || !address_from_sockaddr(header->msg_name, &flow.remote) ||
		 flow.remote.port == 0 ||
		 (sip_value_octets[(uint8_t)octets.data[0]] != SIP_OCTET_TOKEN &&
		  octets.data[0] != '\r'))
		counter_add(&counters->malformed, 1);
	else
		transport->receive(transport->context, octets, &flow);
}

static void on_readable(int fd, short what, void *context)
{
	struct socket_of *socket = context;
	struct batch *batch = socket->transport->batch;
	(void)what;
	for (unsigned turn = 0; turn < BATCHES_PER_TURN; turn++) {
		prepare(batch);
		int count = recvmmsg(fd, batch->headers, BATCH_SIZE, MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++)
			take_datagram(socket, &batch->headers[i]);
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

enum status sip_transport_start(struct event_base *loop,
				const struct sip_transport_options *options,
				struct sip_transport **out_transport)
{
	size_t size =
		sizeof(struct sip_transport) + options->address_count * sizeof(struct socket_of);
	enum status status = ERR_MEMORY;
	struct sip_transport *transport = calloc(1, size);
	if (transport == NULL)
		return ERR_MEMORY;
	transport->receive = options->receive;
	transport->context = options->context;
	transport->batch = calloc(1, sizeof(*transport->batch));
	if (transport->batch == NULL)
		goto fail;
	for (unsigned i = 0; i < options->address_count; i++) {
		struct socket_of *opened = &transport->sockets[transport->socket_count++];
		char name[ADDRESS_TEXT_SIZE];
		*opened = (struct socket_of){ transport, NULL, options->addresses[i], -1, 0 };
		if (open_socket(loop, options, opened))
			continue;
		log_event(LOG_ERROR, "sip_listen_failed", "address",
			  address_string(&options->addresses[i], name), "why", strerror(errno),
			  NULL);
		status = ERR_SYSTEM;
		goto fail;
	}
	*out_transport = transport;
	return OK;
fail:
	sip_transport_stop(transport);
	return status;
}

void sip_transport_stop(struct sip_transport *transport)
{
	if (transport == NULL)
		return;
	for (unsigned i = 0; i < transport->socket_count; i++) {
		struct socket_of *opened = &transport->sockets[i];
		if (opened->event != NULL)
			event_free(opened->event);
		if (opened->fd >= 0)
			close(opened->fd);
	}
	free(transport->batch);
	free(transport);
}

static const struct socket_of *find_socket(const struct sip_transport *transport,
					   const struct address *local)
{
	for (unsigned i = 0; i < transport->socket_count; i++)
		if (address_is_equal(&transport->sockets[i].local, local))
			return &transport->sockets[i];
	return NULL;
}

enum status sip_transport_send(void *context, struct text octets, struct sip_flow *flow)
{
	struct sip_transport *transport = context;
	const struct address *remote = &flow->remote;
	struct sockaddr_storage kernel;
	const struct socket_of *from =
		flow->protocol == SIP_UDP ? find_socket(transport, &flow->local) : NULL;
	if (from == NULL || remote->family != flow->local.family || remote->port == 0) {
		counter_add(&transport->counters.send_failures, 1);
		return ERR_SYSTEM;
	}
	socklen_t size = address_to_sockaddr(remote, &kernel);
	ssize_t sent = sendto(from->fd, octets.data, octets.size, MSG_DONTWAIT | MSG_NOSIGNAL,
			      (struct sockaddr *)&kernel, size);
	if (sent < 0) {
		counter_add(&transport->counters.send_failures, 1);
		bool is_passing = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ||
				  errno == EINTR || errno == ENOMEM;
		return is_passing ? ERR_BUSY : ERR_SYSTEM;
	}
	counter_add(&transport->counters.sent, 1);
	counter_add(&transport->counters.sent_octets, octets.size);
	return OK;
}

const struct sip_transport_counters *sip_transport_counters(const struct sip_transport *transport)
{
	return &transport->counters;
}

const struct address *sip_transport_address(const struct sip_transport *transport, unsigned nth)
{
	return nth < transport->socket_count ? &transport->sockets[nth].local : NULL;
}
