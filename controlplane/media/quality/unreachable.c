// Raw sockets that hear "destination unreachable" alone. Runs on the control thread; reads a bounded
// number a turn, trusts no length in what it reads, and sends nothing.

#include "media/quality/unreachable.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_PER_TURN 32
#define PACKET_SIZE 576 // an error is no longer (RFC 1812 4.3.2.3); what we look at stands before
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define ICMP_HEADER 8
#define UDP_HEADER 8
#define PROTOCOL_UDP 17

enum { SOCKET_IPV4, SOCKET_IPV6, SOCKETS };

struct unreachable {
	struct unreachable_counters counters;
	unreachable_fn tell;
	void *context;
	int fds[SOCKETS]; // -1: not open
	struct event *events[SOCKETS];
};

static uint16_t number_at(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

static struct address address_at(uint8_t family, const uint8_t *host, const uint8_t *port)
{
	struct address address = { .family = family, .port = number_at(port) };
	memcpy(address.octets, host, family == ADDRESS_IPV4 ? 4 : 16);
	return address;
}

// Octets of an IPv4 header that starts here; 0: none that fits, or a later fragment.
static size_t ipv4_header(const uint8_t *octets, size_t size)
{
	if (size < IPV4_HEADER || octets[0] >> 4 != 4)
		return 0;
	size_t header = (octets[0] & 15u) * 4u;
	bool is_first = (number_at(octets + 6) & 0x1fff) == 0;
	return header >= IPV4_HEADER && header <= size && is_first ? header : 0;
}

// RFC 792: type 3; a packet that was too large (code 4) was not unreachable.
static bool parse_ipv4(const uint8_t *octets, size_t size, struct unreachable_packet *out_packet)
{
	size_t outer = ipv4_header(octets, size);
	if (outer == 0 || octets[9] != IPPROTO_ICMP || size - outer < ICMP_HEADER)
		return false;
	const uint8_t *icmp = octets + outer;
	if (icmp[0] != ICMP_DEST_UNREACH || icmp[1] == ICMP_FRAG_NEEDED)
		return false;
	const uint8_t *inner = icmp + ICMP_HEADER;
	size_t left = size - outer - ICMP_HEADER;
	size_t header = ipv4_header(inner, left);
	if (header == 0 || inner[9] != PROTOCOL_UDP || left - header < UDP_HEADER)
		return false;
	const uint8_t *udp = inner + header;
	out_packet->source = address_at(ADDRESS_IPV4, inner + 12, udp);
	out_packet->destination = address_at(ADDRESS_IPV4, inner + 16, udp + 2);
	return true;
}

// RFC 4443 3.1. What we send has no extension headers, so UDP comes first.
static bool parse_ipv6(const uint8_t *octets, size_t size, struct unreachable_packet *out_packet)
{
	if (size < ICMP_HEADER + IPV6_HEADER + UDP_HEADER || octets[0] != ICMP6_DST_UNREACH)
		return false;
	const uint8_t *inner = octets + ICMP_HEADER;
	if (inner[0] >> 4 != 6 || inner[6] != PROTOCOL_UDP)
		return false;
	const uint8_t *udp = inner + IPV6_HEADER;
	out_packet->source = address_at(ADDRESS_IPV6, inner + 8, udp);
	out_packet->destination = address_at(ADDRESS_IPV6, inner + 24, udp + 2);
	return true;
}

bool unreachable_parse(uint8_t family, const uint8_t *octets, size_t size,
		       struct unreachable_packet *out_packet)
{
	return family == ADDRESS_IPV4 ? parse_ipv4(octets, size, out_packet)
				      : parse_ipv6(octets, size, out_packet);
}

static void readable(evutil_socket_t fd, short what, void *context)
{
	(void)what;
	struct unreachable *unreachable = context;
	uint8_t room[PACKET_SIZE];
	uint8_t family = fd == unreachable->fds[SOCKET_IPV4] ? ADDRESS_IPV4 : ADDRESS_IPV6;
	for (unsigned i = 0; i < READS_PER_TURN; i++) {
		struct unreachable_packet packet;
		ssize_t size = recv(fd, room, sizeof room, MSG_DONTWAIT);
		if (size < 0)
			return;
		counter_add(&unreachable->counters.received, 1);
		if (unreachable_parse(family, room, (size_t)size, &packet) &&
		    unreachable->tell(unreachable->context, &packet))
			counter_add(&unreachable->counters.counted, 1);
	}
}

static int open_ipv4(void)
{
	const struct icmp_filter filter = { .data = ~(1u << ICMP_DEST_UNREACH) };
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	if (fd >= 0 && setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static int open_ipv6(void)
{
	struct icmp6_filter filter;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &filter);
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (fd >= 0 && setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

enum status unreachable_start(struct event_base *loop, unreachable_fn tell, void *context,
			      struct unreachable **out_unreachable)
{
	enum status status = ERR_MEMORY;
	struct unreachable *unreachable = calloc(1, sizeof *unreachable);
	if (unreachable == NULL)
		return status;
	unreachable->tell = tell;
	unreachable->context = context;
	unreachable->fds[SOCKET_IPV4] = open_ipv4();
	int problem = errno;
	unreachable->fds[SOCKET_IPV6] = open_ipv6();
	status = problem == EPERM || problem == EACCES ? ERR_FORBIDDEN : ERR_SYSTEM;
	if (unreachable->fds[SOCKET_IPV4] < 0 && unreachable->fds[SOCKET_IPV6] < 0)
		goto fail;
	status = ERR_MEMORY;
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (unreachable->fds[i] < 0)
			continue;
		unreachable->events[i] = event_new(loop, unreachable->fds[i], EV_READ | EV_PERSIST,
						   readable, unreachable);
		if (unreachable->events[i] == NULL || event_add(unreachable->events[i], NULL) != 0)
			goto fail;
	}
	*out_unreachable = unreachable;
	return OK;
fail:
	unreachable_stop(unreachable);
	return status;
}

void unreachable_stop(struct unreachable *unreachable)
{
	if (unreachable == NULL)
		return;
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (unreachable->events[i] != NULL)
			event_free(unreachable->events[i]);
		if (unreachable->fds[i] >= 0)
			(void)close(unreachable->fds[i]);
	}
	free(unreachable);
}

const struct unreachable_counters *unreachable_counters(const struct unreachable *unreachable)
{
	return &unreachable->counters;
}
