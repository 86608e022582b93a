// New headers in front of a payload. They are written whole, so that nothing of the old ones gets
// through: no options, no tags, no marks; and between IPv4 and IPv6 it makes no difference.
// Runs on: worker.
//
// The UDP checksum is always computed over the whole datagram. Zero would be legal on IPv4, but then
// nobody behind us could notice a corrupted packet, and translators to IPv6 drop such datagrams. The
// received one is no help: a sender on the same kernel leaves it unfinished.

#include "dataplane/rewrite.h"

#include <string.h>

#include "dataplane/packet.h"
#include "dataplane/stream.h"

#define PROTOCOL_UDP 17
#define DSCP_EF 0xb8 // RFC 3246, as RFC 4594 4.1 has it for telephony
#define IPV4_DO_NOT_FRAGMENT 0x4000

static void write16(uint8_t *octets, size_t value)
{
	octets[0] = (uint8_t)(value >> 8);
	octets[1] = (uint8_t)value;
}

static size_t ip_size(const struct stream *stream)
{
	return stream->destination_family == ADDRESS_IPV4 ? PACKET_IPV4_SIZE : PACKET_IPV6_SIZE;
}

size_t rewrite_size(const struct stream *stream)
{
	return PACKET_ETHERNET_SIZE + ip_size(stream) + PACKET_UDP_SIZE;
}

static void write_ethernet(uint8_t *ethernet, const struct stream *stream,
			   const struct packet_rules *rules)
{
	memcpy(ethernet, stream->next_hop, 6);
	memcpy(ethernet + 6, rules->mac, 6);
	write16(ethernet + 12, stream->destination_family == ADDRESS_IPV4 ? 0x0800 : 0x86dd);
}

// RFC 6864: what is never fragmented needs no identification. Returns the sum of the addresses.
static uint64_t write_ipv4(uint8_t *ip, const struct stream *stream,
			   const struct packet_rules *rules, size_t udp_size)
{
	memset(ip, 0, PACKET_IPV4_SIZE);
	ip[0] = 0x45;
	ip[1] = DSCP_EF;
	write16(ip + 2, PACKET_IPV4_SIZE + udp_size);
	write16(ip + 6, IPV4_DO_NOT_FRAGMENT);
	ip[8] = REWRITE_TTL;
	ip[9] = PROTOCOL_UDP;
	memcpy(ip + 12, rules->addresses[stream->out_address].octets, 4);
	memcpy(ip + 16, &stream->destination_ipv4, 4);
	uint64_t address_sum = packet_sum(ip + 12, 8, 0);
	uint16_t checksum = packet_fold(packet_sum(ip, 12, address_sum));
	memcpy(ip + 10, &checksum, 2);
	return address_sum;
}

static uint64_t write_ipv6(uint8_t *ip, const struct stream *stream,
			   const struct packet_rules *rules, size_t udp_size)
{
	ip[0] = 0x60 | DSCP_EF >> 4;
	ip[1] = (DSCP_EF & 0x0f) << 4;
	ip[2] = ip[3] = 0;
	write16(ip + 4, udp_size);
	ip[6] = PROTOCOL_UDP;
	ip[7] = REWRITE_TTL;
	memcpy(ip + 8, rules->addresses[stream->out_address].octets, 16);
	memcpy(ip + 24, stream->destination_ipv6, 16);
	return packet_sum(ip + 8, 32, 0);
}

static void write_udp(uint8_t *udp, const struct stream *stream, size_t udp_size, uint64_t sum)
{
	write16(udp, stream->out_port);
	write16(udp + 2, stream->destination_port);
	write16(udp + 4, udp_size);
	write16(udp + 6, 0);
	const uint8_t pseudo[4] = { 0, PROTOCOL_UDP, udp[4], udp[5] };
	uint16_t checksum = packet_fold(packet_sum(udp, udp_size, packet_sum(pseudo, 4, sum)));
	if (checksum == 0) // RFC 768: zero would say there is none
		checksum = UINT16_MAX;
	memcpy(udp + 6, &checksum, 2);
}

void rewrite_headers(const struct stream *stream, const struct packet_rules *rules,
		     uint8_t *payload, size_t size)
{
	uint8_t *udp = payload - PACKET_UDP_SIZE;
	uint8_t *ip = udp - ip_size(stream);
	size_t udp_size = PACKET_UDP_SIZE + size;
	write_ethernet(ip - PACKET_ETHERNET_SIZE, stream, rules);
	uint64_t sum = stream->destination_family == ADDRESS_IPV4
			       ? write_ipv4(ip, stream, rules, udp_size)
			       : write_ipv6(ip, stream, rules, udp_size);
	write_udp(udp, stream, udp_size, sum);
}
