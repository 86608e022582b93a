// Kernel interfaces by rtnetlink: one request, one answer.
// Runs on: main, at start. Never touches an interface it is not told to.

#include "dataplane/nic/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>

#include "base/address.h"

static bool exchange(struct mnl_socket *socket, struct nlmsghdr *request)
{
	char answer[8192];
	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = (uint32_t)time(NULL);
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return false;
	ssize_t size = mnl_socket_recvfrom(socket, answer, sizeof(answer));
	return size > 0 && mnl_cb_run(answer, (size_t)size, request->nlmsg_seq,
				      mnl_socket_get_portid(socket), NULL, NULL) >= 0;
}

static bool send_request(struct nlmsghdr *request)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	if (!socket)
		return false;
	bool is_done =
		mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 && exchange(socket, request);
	int error = errno;
	mnl_socket_close(socket);
	errno = error;
	return is_done;
}

static struct nlmsghdr *begin(void *room, int type, unsigned flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	request->nlmsg_type = (uint16_t)type;
	request->nlmsg_flags = (uint16_t)flags;
	return request;
}

bool nic_link_up(const char *interface)
{
	char room[512];
	struct nlmsghdr *request = begin(room, RTM_NEWLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)if_nametoindex(interface);
	link->ifi_flags = link->ifi_change = IFF_UP;
	return link->ifi_index != 0 && send_request(request);
}

static int family_of(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
}

static size_t size_of(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? 4 : 16;
}

bool nic_link_add_address(const char *interface, const struct prefix *prefix)
{
	char room[512];
	const struct address *address = &prefix->address;
	struct nlmsghdr *request = begin(room, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	struct ifaddrmsg *message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->ifa_family = (uint8_t)family_of(address);
	message->ifa_prefixlen = prefix->bits;
	message->ifa_index = if_nametoindex(interface);
	// Usable at once: waiting for duplicate detection would keep SIP from binding to it.
	message->ifa_flags = address->family == ADDRESS_IPV6 ? IFA_F_NODAD : 0;
	mnl_attr_put(request, IFA_LOCAL, size_of(address), address->octets);
	mnl_attr_put(request, IFA_ADDRESS, size_of(address), address->octets);
	return message->ifa_index != 0 && send_request(request);
}

bool nic_link_add_gateway(const char *interface, const struct address *gateway)
{
	char room[512];
	struct nlmsghdr *request = begin(room, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
	struct rtmsg *message = mnl_nlmsg_put_extra_header(request, sizeof(*message));
	message->rtm_family = (uint8_t)family_of(gateway);
	message->rtm_table = RT_TABLE_MAIN;
	message->rtm_protocol = RTPROT_STATIC;
	message->rtm_scope = RT_SCOPE_UNIVERSE;
	message->rtm_type = RTN_UNICAST;
	mnl_attr_put(request, RTA_GATEWAY, size_of(gateway), gateway->octets);
	mnl_attr_put_u32(request, RTA_OIF, if_nametoindex(interface));
	return send_request(request);
}
