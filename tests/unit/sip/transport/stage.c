// The stage of the stream tests. Never sleeps for time that a deadline measures.

#include "tests/unit/sip/transport/stage.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS 2000

static void on_message(void *context, struct text octets, const struct sip_flow *flow)
{
	struct stage *stage = context;
	struct sip_flow way = *flow;
	assert_false(stage->is_sending);
	stage->messages++;
	stage->flow = *flow;
	text_copy_cut(octets, stage->last, sizeof(stage->last));
	if (stage->reply.size > 0)
		(void)stage_send(stage, stage->reply, &way);
	if (stage->dismisses)
		sip_transport_dismiss(stage->transport, flow->connection);
	if (stage->forward_to.family != ADDRESS_NONE) {
		way.remote = stage->forward_to;
		way.connection = 0;
		(void)stage_send(stage, octets, &way);
	}
}

static void on_refused(void *context, struct text head, const struct sip_flow *flow,
		       unsigned status, const char *reason)
{
	struct stage *stage = context;
	struct sip_flow way = *flow;
	(void)reason;
	stage->refused++;
	stage->status = status;
	text_copy_cut(head, stage->last, sizeof(stage->last));
	CHECK_OK(stage_send(stage, TEXT("SIP/2.0 400 Bad\r\nContent-Length: 0\r\n\r\n"), &way));
}

static void on_broken(void *context, uint64_t connection)
{
	struct stage *stage = context;
	assert_false(stage->is_sending);
	stage->broken++;
	stage->broken_id = connection;
}

static unsigned or_else(unsigned given, unsigned usual)
{
	return given > 0 ? given : usual;
}

void stage_open(struct stage *stage, const char *host, struct sip_transport_limits limits,
		struct sip_tls *tls)
{
	*stage = (struct stage){ .loop = event_base_new() };
	clock_update(&stage->clock);
	stage->wheel = wheel_create(stage->clock.now_ms);
	struct address address;
	CHECK_TRUE(address_parse(text_of(host), &address));
	struct sip_transport_options options = {
		.clock = &stage->clock,
		.wheel = stage->wheel,
		.addresses = &address,
		.address_count = 1,
		.tls = tls,
		.limits = { or_else(limits.connections_max, 16), or_else(limits.per_source_max, 8),
			    or_else(limits.queue_max, 65536), or_else(limits.connect_ms, 4000),
			    or_else(limits.message_ms, 5000), or_else(limits.silent_ms, 30000),
			    or_else(limits.idle_ms, 600000) },
		.user = { stage, on_message, on_refused, on_broken },
	};
	CHECK_OK(sip_transport_start(stage->loop, &options, &stage->transport));
	stage->counters = sip_transport_counters(stage->transport);
	stage->tcp = *sip_transport_address(stage->transport, SIP_TCP, 0);
	const struct address *by_tls = sip_transport_address(stage->transport, SIP_TLS, 0);
	if (by_tls != NULL)
		stage->tls = *by_tls;
}

void stage_close(struct stage *stage)
{
	sip_transport_stop(stage->transport);
	wheel_destroy(stage->wheel);
	event_base_free(stage->loop);
}

static void turn(struct stage *stage)
{
	(void)event_base_loop(stage->loop, EVLOOP_NONBLOCK);
	wheel_run(stage->wheel, stage->clock.now_ms);
}

void stage_run(struct stage *stage)
{
	for (unsigned i = 0; i < 20; i++) {
		turn(stage);
		usleep(100);
	}
}

void stage_pass(struct stage *stage, unsigned ms)
{
	stage->clock.now_ms += ms;
	stage_run(stage);
}

void stage_until(struct stage *stage, const unsigned *number, unsigned wanted)
{
	for (unsigned i = 0; i < TURNS && *number < wanted; i++) {
		turn(stage);
		usleep(1000);
	}
	CHECK_NUMBER(*number, wanted);
}

enum status stage_send(struct stage *stage, struct text octets, struct sip_flow *flow)
{
	stage->is_sending = true;
	enum status status = sip_transport_send(stage->transport, octets, flow);
	stage->is_sending = false;
	return status;
}

static int open_socket(const char *host, struct address *out_address)
{
	struct sockaddr_storage kernel;
	CHECK_TRUE(address_parse(text_of(host), out_address));
	socklen_t size = address_to_sockaddr(out_address, &kernel);
	int fd = socket(kernel.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK_TRUE(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&kernel, size), 0);
	return fd;
}

int stage_connect(struct stage *stage, const char *from)
{
	struct sockaddr_storage kernel;
	struct address ours;
	int fd = open_socket(from, &ours);
	socklen_t size = address_to_sockaddr(&stage->tcp, &kernel);
	assert_int_equal(connect(fd, (struct sockaddr *)&kernel, size), 0);
	CHECK_TRUE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	stage_run(stage);
	return fd;
}

int stage_listen(const char *host, int backlog, struct address *out_address)
{
	struct sockaddr_storage kernel;
	socklen_t size = sizeof(kernel);
	int fd = open_socket(host, out_address);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&kernel, &size), 0);
	CHECK_TRUE(address_from_sockaddr((struct sockaddr *)&kernel, out_address));
	return fd;
}

void stage_write(int fd, struct text octets)
{
	CHECK_NUMBER(send(fd, octets.data, octets.size, MSG_NOSIGNAL), octets.size);
}

struct text stage_read(struct stage *stage, int fd, char *room, size_t wanted)
{
	size_t size = 0;
	for (unsigned i = 0; i < TURNS && size < wanted; i++) {
		turn(stage);
		ssize_t came = recv(fd, room + size, wanted - size, MSG_DONTWAIT);
		if (came == 0)
			break;
		if (came > 0)
			size += (size_t)came;
		else
			usleep(1000);
	}
	return (struct text){ room, size };
}

bool stage_is_closed(struct stage *stage, int fd)
{
	char octet;
	stage_run(stage);
	ssize_t came = recv(fd, &octet, 1, MSG_DONTWAIT);
	return came == 0 || (came < 0 && errno != EAGAIN);
}

uint64_t stage_closed(const struct stage *stage, enum sip_close reason)
{
	return counter_get(&stage->counters->closed[reason]);
}
