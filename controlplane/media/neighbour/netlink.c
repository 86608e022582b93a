// The door to libmnl: two sockets, one for questions that the kernel answers before send returns, one
// for its notices.
// Runs on: control thread. Never waits: a question without an answer in its socket is a failure.

#include "media/neighbour/netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_SIZE 1024 // of one question
#define RECEIVE_SIZE 32768 // the kernel never writes a longer datagram to a reader of this size
#define RECEIVE_BUFFER (1 << 20) // a storm of notices; what does not fit is read anew
#define BATCH 64 // datagrams per turn of the loop
#define DISCARD_PORT 9 // RFC 863
#define USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)
#define FRESH (NUD_REACHABLE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

struct neighbour_netlink {
	char interface[IFNAMSIZ];
	unsigned interface_index; // 0: it is not there now
	struct neighbour_netlink_user user;
	struct mnl_socket *questions, *notices;
	bool may_use; // NTF_USE: until the kernel says we may not
	unsigned sequence;
	char *room; // RECEIVE_SIZE
};

struct attributes {
	const struct nlattr *values[NDA_MAX > RTA_MAX ? NDA_MAX + 1 : RTA_MAX + 1];
};

static int collect_attribute(const struct nlattr *attribute, void *data)
{
	struct attributes *attributes = data;
	unsigned type = mnl_attr_get_type(attribute);
	if (type < sizeof(attributes->values) / sizeof(*attributes->values))
		attributes->values[type] = attribute;
	return MNL_CB_OK;
}

static size_t family_size(uint8_t family)
{
	return family == ADDRESS_IPV4 ? 4 : 16;
}

static uint8_t kernel_family(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
}

static bool read_address(uint8_t family, const void *octets, size_t size,
			 struct address *out_address)
{
	struct address address = { .family = family == AF_INET    ? ADDRESS_IPV4
					     : family == AF_INET6 ? ADDRESS_IPV6
								  : ADDRESS_NONE };
	if (address.family == ADDRESS_NONE || size < family_size(address.family))
		return false;
	memcpy(address.octets, octets, family_size(address.family));
	*out_address = address;
	return true;
}

static bool read_attribute(uint8_t family, const struct nlattr *attribute,
			   struct address *out_address)
{
	return attribute && read_address(family, mnl_attr_get_payload(attribute),
					 mnl_attr_get_payload_len(attribute), out_address);
}

static bool read_entry(const struct neighbour_netlink *netlink, const struct nlmsghdr *header,
		       struct neighbour_entry *out_entry)
{
	struct attributes attributes = { 0 };
	if (mnl_nlmsg_get_payload_len(header) < sizeof(struct ndmsg))
		return false;
	const struct ndmsg *message = mnl_nlmsg_get_payload(header);
	struct neighbour_entry entry = { .is_known = false };
	mnl_attr_parse(header, sizeof(*message), collect_attribute, &attributes);
	if ((unsigned)message->ndm_ifindex != netlink->interface_index ||
	    !read_attribute(message->ndm_family, attributes.values[NDA_DST], &entry.address))
		return false;
	const struct nlattr *mac = attributes.values[NDA_LLADDR];
	entry.is_known = header->nlmsg_type == RTM_NEWNEIGH && message->ndm_state & USABLE && mac &&
			 mnl_attr_get_payload_len(mac) == sizeof(entry.mac);
	entry.is_fresh = entry.is_known && message->ndm_state & FRESH;
	if (entry.is_known)
		memcpy(entry.mac, mnl_attr_get_payload(mac), sizeof(entry.mac));
	*out_entry = entry;
	return true;
}

enum status neighbour_netlink_open(const char *interface, const struct neighbour_netlink_user *user,
				   struct neighbour_netlink **out_netlink)
{
	static const int groups[] = {
		RTNLGRP_NEIGH,      RTNLGRP_LINK,        RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR
	};
	struct neighbour_netlink *netlink = calloc(1, sizeof(*netlink));
	enum status status = ERR_MEMORY;
	int buffer = RECEIVE_BUFFER;
	if (!netlink)
		return status;
	netlink->user = *user;
	netlink->may_use = true;
	netlink->room = malloc(RECEIVE_SIZE);
	if (!netlink->room)
		goto fail;
	status = ERR_NOT_FOUND;
	if (!text_copy(text_of(interface), netlink->interface, sizeof(netlink->interface)) ||
	    (netlink->interface_index = if_nametoindex(interface)) == 0)
		goto fail;
	status = ERR_SYSTEM;
	netlink->questions = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	netlink->notices = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!netlink->questions || !netlink->notices ||
	    mnl_socket_bind(netlink->questions, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_bind(netlink->notices, 0, MNL_SOCKET_AUTOPID) < 0)
		goto fail;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		if (mnl_socket_setsockopt(netlink->notices, NETLINK_ADD_MEMBERSHIP,
					  (void *)(uintptr_t)&groups[i], sizeof(groups[i])) < 0)
			goto fail;
	}
	(void)setsockopt(mnl_socket_get_fd(netlink->notices), SOL_SOCKET, SO_RCVBUF, &buffer,
			 sizeof(buffer)); // as far as the system allows
	*out_netlink = netlink;
	return OK;
fail:
	neighbour_netlink_close(netlink);
	return status;
}

void neighbour_netlink_close(struct neighbour_netlink *netlink)
{
	if (!netlink)
		return;
	if (netlink->questions)
		mnl_socket_close(netlink->questions);
	if (netlink->notices)
		mnl_socket_close(netlink->notices);
	free(netlink->room);
	free(netlink);
}

int neighbour_netlink_fd(const struct neighbour_netlink *netlink)
{
	return mnl_socket_get_fd(netlink->notices);
}

// True when the routes must be asked for anew.
static bool take_notice(struct neighbour_netlink *netlink, const struct nlmsghdr *header)
{
	struct neighbour_entry entry;
	if (header->nlmsg_type == RTM_NEWNEIGH || header->nlmsg_type == RTM_DELNEIGH) {
		if (read_entry(netlink, header, &entry))
			netlink->user.entry(netlink->user.context, &entry);
		return false;
	}
	if (header->nlmsg_type == RTM_NEWLINK || header->nlmsg_type == RTM_DELLINK)
		netlink->interface_index = if_nametoindex(netlink->interface); // made anew: another
	return true;
}

void neighbour_netlink_receive(struct neighbour_netlink *netlink)
{
	bool has_routes = false;
	for (unsigned i = 0; i < BATCH; i++) {
		ssize_t size = mnl_socket_recvfrom(netlink->notices, netlink->room, RECEIVE_SIZE);
		if (size < 0 && errno != ENOBUFS && errno != ENOSPC)
			break; // nothing more now
		has_routes |= size < 0; // notices were lost: all may have changed
		const struct nlmsghdr *header = (const void *)netlink->room;
		int left = size < 0 ? 0 : (int)size;
		for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
			has_routes |= take_notice(netlink, header);
	}
	if (has_routes)
		netlink->user.routes(netlink->user.context);
}

// Sends one question and returns its answer in netlink->room, or NULL with errno of the kernel.
static const struct nlmsghdr *ask(struct neighbour_netlink *netlink, struct nlmsghdr *question)
{
	question->nlmsg_seq = ++netlink->sequence;
	if (mnl_socket_sendto(netlink->questions, question, question->nlmsg_len) < 0)
		return NULL;
	for (;;) {
		ssize_t size = mnl_socket_recvfrom(netlink->questions, netlink->room, RECEIVE_SIZE);
		if (size < 0)
			return NULL;
		const struct nlmsghdr *answer = (const void *)netlink->room;
		if (!mnl_nlmsg_ok(answer, (int)size) || answer->nlmsg_seq != netlink->sequence)
			continue; // of an earlier question
		if (answer->nlmsg_type != NLMSG_ERROR)
			return answer;
		const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
		errno = -error->error;
		return error->error == 0 ? answer : NULL;
	}
}

enum status neighbour_netlink_route(struct neighbour_netlink *netlink,
				    const struct address *destination, struct address *out_next_hop)
{
	_Alignas(struct nlmsghdr) char room[MESSAGE_SIZE];
	struct attributes attributes = { 0 };
	size_t size = family_size(destination->family);
	struct nlmsghdr *header = mnl_nlmsg_put_header(room);
	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	struct rtmsg *message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->rtm_family = kernel_family(destination);
	message->rtm_dst_len = (uint8_t)(size * 8);
	mnl_attr_put(header, RTA_DST, size, destination->octets);
	const struct nlmsghdr *answer = ask(netlink, header);
	if (!answer || answer->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(answer) < sizeof(*message))
		return ERR_NOT_FOUND;
	const struct rtmsg *route = mnl_nlmsg_get_payload(answer);
	mnl_attr_parse(answer, sizeof(*route), collect_attribute, &attributes);
	const struct nlattr *interface = attributes.values[RTA_OIF];
	if (route->rtm_type != RTN_UNICAST || !interface ||
	    mnl_attr_get_u32(interface) != netlink->interface_index)
		return ERR_NOT_FOUND;
	const struct nlattr *via =
		attributes.values[RTA_VIA]; // an IPv4 route through an IPv6 gateway
	struct address next_hop = *destination;
	next_hop.port = 0;
	if (via && mnl_attr_get_payload_len(via) >= sizeof(struct rtvia)) {
		const struct rtvia *hop = mnl_attr_get_payload(via);
		if (!read_address((uint8_t)hop->rtvia_family, hop->rtvia_addr,
				  mnl_attr_get_payload_len(via) - sizeof(*hop), &next_hop))
			return ERR_NOT_FOUND;
	} else {
		(void)read_attribute(route->rtm_family, attributes.values[RTA_GATEWAY], &next_hop);
	}
	*out_next_hop = next_hop;
	return OK;
}

static struct nlmsghdr *put_neighbour(const struct neighbour_netlink *netlink, char *room,
				      uint16_t type, const struct address *next_hop)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(room);
	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST;
	struct ndmsg *message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->ndm_family = kernel_family(next_hop);
	message->ndm_ifindex = (int)netlink->interface_index;
	mnl_attr_put(header, NDA_DST, family_size(next_hop->family), next_hop->octets);
	return header;
}

enum status neighbour_netlink_look_up(struct neighbour_netlink *netlink,
				      const struct address *next_hop,
				      struct neighbour_entry *out_entry)
{
	_Alignas(struct nlmsghdr) char room[MESSAGE_SIZE];
	const struct nlmsghdr *answer =
		ask(netlink, put_neighbour(netlink, room, RTM_GETNEIGH, next_hop));
	bool is_read = answer && answer->nlmsg_type == RTM_NEWNEIGH &&
		       read_entry(netlink, answer, out_entry);
	return is_read ? OK : ERR_NOT_FOUND;
}

// Without the right to touch the table, a datagram of nothing makes the kernel resolve all the same.
static void send_datagram(const struct neighbour_netlink *netlink, const struct address *next_hop)
{
	struct sockaddr_storage to;
	struct address address = *next_hop;
	address.port = DISCARD_PORT;
	unsigned size = address_to_sockaddr(&address, &to);
	int fd = socket(kernel_family(next_hop), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, netlink->interface,
		       (socklen_t)strlen(netlink->interface)) == 0)
		(void)!sendto(fd, "", 0, MSG_DONTWAIT, (const struct sockaddr *)&to, size);
	close(fd);
}

void neighbour_netlink_probe(struct neighbour_netlink *netlink, const struct address *next_hop)
{
	_Alignas(struct nlmsghdr) char room[MESSAGE_SIZE];
	if (netlink->may_use) {
		struct nlmsghdr *header = put_neighbour(netlink, room, RTM_NEWNEIGH, next_hop);
		struct ndmsg *message = mnl_nlmsg_get_payload(header);
		header->nlmsg_flags |= NLM_F_CREATE | NLM_F_ACK;
		message->ndm_flags = NTF_USE;
		if (ask(netlink, header))
			return;
		netlink->may_use = errno != EPERM;
	}
	send_datagram(netlink, next_hop);
}
