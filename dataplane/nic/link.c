// Kernel interfaces by rtnetlink: one request, one answer.
// Runs on: main, at start. Never touches an interface it is not told to.

#include "dataplane/nic/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>

#include "base/address.h"
#include "base/text.h"

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

bool nic_link_set_mtu(const char *interface, uint32_t mtu)
{
	char room[512];
	struct nlmsghdr *request = begin(room, RTM_NEWLINK, 0);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(request, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)if_nametoindex(interface);
	mnl_attr_put_u32(request, IFLA_MTU, mtu);
	return link->ifi_index != 0 && send_request(request);
}

static bool ask_interface(const char *interface, unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)text_copy(text_of(interface), request->ifr_name, sizeof(request->ifr_name));
	bool is_done = fd >= 0 && ioctl(fd, what, request) == 0;
	if (fd >= 0)
		close(fd);
	return is_done;
}

uint32_t nic_link_mtu(const char *interface)
{
	struct ifreq request = { 0 };
	return ask_interface(interface, SIOCGIFMTU, &request) ? (uint32_t)request.ifr_mtu : 0;
}

void nic_link_stop_merging(const char *interface)
{
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO };
	struct ifreq request = { .ifr_data = (void *)&value };
	(void)ask_interface(interface, SIOCETHTOOL, &request); // what it cannot do is off already
	value = (struct ethtool_value){ .cmd = ETHTOOL_GFLAGS };
	if (!ask_interface(interface, SIOCETHTOOL, &request) || !(value.data & ETH_FLAG_LRO))
		return;
	value.cmd = ETHTOOL_SFLAGS;
	value.data &= ~(uint32_t)ETH_FLAG_LRO;
	(void)ask_interface(interface, SIOCETHTOOL, &request);
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
