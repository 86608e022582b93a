// Takes media and nothing else from an interface: UDP to a media address and port goes to the worker
// of its queue, everything else stays the kernel's.
// Runs in: the kernel, for every frame received. The loader writes the addresses in before it loads.

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "dataplane/nic/xdp_media.h"

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} xsks_map SEC(".maps");

const volatile struct xdp_media media = { .mark = XDP_MEDIA_MARK };

static __always_inline int is_media_port(const struct udphdr *udp)
{
	__u16 port = bpf_ntohs(udp->dest);
	return port >= media.port_first && port <= media.port_last;
}

// Later fragments name no port and stay the kernel's, as in packet_parse.
static __always_inline int is_media_ipv4(void *at, void *end)
{
	const struct iphdr *ip = at;
	if ((void *)(ip + 1) > end || ip->protocol != IPPROTO_UDP ||
	    ip->frag_off & bpf_htons(0x1fff))
		return 0;
	const struct udphdr *udp = at + ((ip->ihl & 0xf) << 2);
	if ((void *)(udp + 1) > end || !is_media_port(udp))
		return 0;
	for (__u32 i = 0; i < XDP_MEDIA_ADDRESSES && i < media.ipv4_count; i++)
		if (media.ipv4[i] == ip->daddr)
			return 1;
	return 0;
}

static __always_inline int is_same_ipv6(__u32 i, const __u32 *address)
{
	const volatile __u32 *media_address = (const volatile __u32 *)media.ipv6[i];
	return media_address[0] == address[0] && media_address[1] == address[1] &&
	       media_address[2] == address[2] && media_address[3] == address[3];
}

static __always_inline int is_media_ipv6(void *at, void *end)
{
	const struct ipv6hdr *ip = at;
	if ((void *)(ip + 1) > end || ip->nexthdr != IPPROTO_UDP)
		return 0;
	const struct udphdr *udp = (const void *)(ip + 1);
	if ((void *)(udp + 1) > end || !is_media_port(udp))
		return 0;
	for (__u32 i = 0; i < XDP_MEDIA_ADDRESSES && i < media.ipv6_count; i++)
		if (is_same_ipv6(i, ip->daddr.in6_u.u6_addr32))
			return 1;
	return 0;
}

SEC("xdp")
int xdp_media(struct xdp_md *context)
{
	void *at = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	const struct ethhdr *ethernet = at;
	if ((void *)(ethernet + 1) > end)
		return XDP_PASS;
	int is_media = 0;
	if (ethernet->h_proto == bpf_htons(ETH_P_IP))
		is_media = is_media_ipv4(at + sizeof(*ethernet), end);
	else if (ethernet->h_proto == bpf_htons(ETH_P_IPV6))
		is_media = is_media_ipv6(at + sizeof(*ethernet), end);
	// With no worker on this queue media is lost, not answered by the kernel.
	return is_media ? bpf_redirect_map(&xsks_map, context->rx_queue_index, XDP_DROP) : XDP_PASS;
}

char program_license[] SEC("license") = "GPL";
