// From a frame to what it is: Ethernet, IPv4 or IPv6, UDP, RTP or RTCP. Every bound is checked here.
// Runs on: worker. Never reads past `size`, never writes to the frame.

#include "dataplane/packet.h"

#include <string.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define PROTOCOL_UDP 17
#define PROTOCOL_IPV6_FRAGMENT 44
#define IPV6_FRAGMENT_SIZE 8
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

struct datagram { // what both IP versions leave for the UDP layer
	const uint8_t *frame;
	size_t offset, size; // of the UDP header and all behind it
	bool is_first_fragment;
	uint64_t address_sum; // for the pseudo header
};

static uint16_t read16(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

static uint32_t read32(const uint8_t *octets)
{
	return (uint32_t)read16(octets) << 16 | read16(octets + 2);
}

// The carry comes round again: RFC 1071 2(A).
static uint64_t add_round(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

// Words as wide as the machine's, in its own order (RFC 1071 2(B), 2(C)), in two sums that do not
// wait for each other: this is most of what relaying a packet costs.
uint64_t packet_sum(const uint8_t *octets, size_t size, uint64_t sum)
{
	uint64_t other = 0;
	for (; size >= 16; size -= 16, octets += 16) {
		uint64_t words[2];
		memcpy(words, octets, 16);
		sum = add_round(sum, words[0]);
		other = add_round(other, words[1]);
	}
	if (size & 8) {
		uint64_t word;
		memcpy(&word, octets, 8);
		sum = add_round(sum, word);
		octets += 8;
	}
	if (size & 4) {
		uint32_t word;
		memcpy(&word, octets, 4);
		other = add_round(other, word);
		octets += 4;
	}
	if (size & 2) {
		uint16_t word;
		memcpy(&word, octets, 2);
		sum = add_round(sum, word);
		octets += 2;
	}
	if (size & 1) {
		const uint8_t last[2] = { octets[0], 0 };
		uint16_t word;
		memcpy(&word, last, 2);
		sum = add_round(sum, word);
	}
	return add_round(sum, other);
}

static bool find_address(const struct packet_rules *rules, uint8_t family, const uint8_t *octets,
			 uint32_t *out_index)
{
	size_t size = family == ADDRESS_IPV4 ? 4 : 16;
	for (unsigned i = 0; i < rules->address_count; i++) {
		const struct address *address = &rules->addresses[i];
		if (address->family != family || memcmp(address->octets, octets, size) != 0)
			continue;
		*out_index = i * MEDIA_PORT_COUNT;
		return true;
	}
	return false;
}

// RFC 3550 5.1: fixed header, contributing sources, extension. Padding may be encrypted still.
static bool parse_rtp(const uint8_t *rtp, size_t size, struct packet *packet)
{
	if (size < PACKET_RTP_SIZE)
		return false;
	size_t header = PACKET_RTP_SIZE + 4u * (rtp[0] & 0x0f);
	if (rtp[0] & 0x10) {
		if (size < header + 4)
			return false;
		header += 4u + 4u * read16(rtp + header + 2);
	}
	if (size < header)
		return false;
	packet->kind = PACKET_RTP;
	packet->has_marker = rtp[1] >> 7;
	packet->payload_type = rtp[1] & 0x7f;
	packet->sequence = read16(rtp + 2);
	packet->timestamp = read32(rtp + 4);
	packet->ssrc = read32(rtp + 8);
	packet->media_offset = (uint16_t)(packet->offset + header);
	packet->media_size = (uint16_t)(size - header);
	return true;
}

// RTP and RTCP are told apart by the second octet: RFC 5761 4.
static void parse_media(const uint8_t *media, size_t size, struct packet *packet)
{
	packet->kind = PACKET_OTHER;
	if (size < 4 || media[0] >> 6 != 2)
		return;
	if (media[1] < 192 || media[1] > 223)
		(void)parse_rtp(media, size, packet);
	else if (size >= PACKET_RTCP_CLEAR_SIZE)
		packet->kind = PACKET_RTCP;
}

static bool check_padding(const uint8_t *rtp, struct packet *packet)
{
	if (!(rtp[0] & 0x20))
		return true;
	uint8_t padding = packet->media_size > 0 ? rtp[packet->size - 1] : 0;
	if (padding == 0 || padding > packet->media_size)
		return false;
	packet->media_size = (uint16_t)(packet->media_size - padding);
	return true;
}

// RFC 3550 A.2: each is of version 2, only the last may be padded, together they fill the datagram.
static bool check_compound(const uint8_t *rtcp, size_t size)
{
	bool is_padded = false;
	while (size > 0) {
		if (size < 4 || rtcp[0] >> 6 != 2 || is_padded)
			return false;
		size_t length = 4u + 4u * read16(rtcp + 2);
		if (length > size)
			return false;
		is_padded = rtcp[0] & 0x20;
		rtcp += length;
		size -= length;
	}
	return true;
}

bool packet_check_clear(const uint8_t *media, struct packet *packet)
{
	return packet->kind == PACKET_RTP ? check_padding(media, packet)
					  : check_compound(media, packet->size);
}

struct address packet_source(const struct packet *packet, const uint8_t *frame)
{
	struct address source = { .family = packet->family, .port = packet->source_port };
	memcpy(source.octets, frame + packet->source_offset,
	       packet->family == ADDRESS_IPV4 ? 4 : 16);
	return source;
}

static bool is_udp_sum_right(const struct datagram *datagram, const struct packet_rules *rules,
			     const struct packet *packet)
{
	const uint8_t *udp = datagram->frame + datagram->offset;
	bool is_absent = udp[6] == 0 && udp[7] == 0;
	if (is_absent)
		return packet->family == ADDRESS_IPV4; // RFC 8200 8.1: IPv6 has none without
	if (!rules->verifies_udp_checksum)
		return true;
	const uint8_t pseudo[4] = { 0, PROTOCOL_UDP, udp[4], udp[5] };
	uint64_t sum = packet_sum(pseudo, sizeof(pseudo), datagram->address_sum);
	return packet_fold(packet_sum(udp, datagram->size, sum)) == 0;
}

static enum verdict parse_udp(const struct datagram *datagram, const struct packet_rules *rules,
			      struct packet *packet)
{
	const uint8_t *udp = datagram->frame + datagram->offset;
	if (datagram->size < PACKET_UDP_SIZE)
		return VERDICT_DROP_TRUNCATED;
	uint16_t port = read16(udp + 2);
	if (port < MEDIA_PORT_FIRST || port > MEDIA_PORT_LAST)
		return VERDICT_PUNT;
	if (datagram->is_first_fragment)
		return VERDICT_DROP_FRAGMENT;
	if (read16(udp + 4) != datagram->size ||
	    datagram->size > PACKET_UDP_SIZE + PACKET_PAYLOAD_MAX)
		return VERDICT_DROP_UDP_LENGTH;
	if (!is_udp_sum_right(datagram, rules, packet))
		return VERDICT_DROP_UDP_CHECKSUM;
	packet->index += port - MEDIA_PORT_FIRST;
	packet->source_port = read16(udp);
	packet->offset = (uint16_t)(datagram->offset + PACKET_UDP_SIZE);
	packet->size = packet->arrived_size = (uint16_t)(datagram->size - PACKET_UDP_SIZE);
	parse_media(udp + PACKET_UDP_SIZE, packet->size, packet);
	return VERDICT_FORWARDED;
}

static enum verdict parse_ipv4(const uint8_t *frame, size_t size, const struct packet_rules *rules,
			       struct packet *packet)
{
	const uint8_t *ip = frame + PACKET_ETHERNET_SIZE;
	size -= PACKET_ETHERNET_SIZE;
	if (size < PACKET_IPV4_SIZE || ip[0] >> 4 != 4)
		return VERDICT_DROP_TRUNCATED;
	size_t header = 4u * (ip[0] & 0x0f);
	size_t total = read16(ip + 2);
	if (header < PACKET_IPV4_SIZE || total < header || total > size)
		return VERDICT_DROP_TRUNCATED;
	if (ip[9] != PROTOCOL_UDP || !find_address(rules, ADDRESS_IPV4, ip + 16, &packet->index))
		return VERDICT_PUNT;
	// Later fragments name no port. The kernel reassembles those of large SIP messages; those of
	// media never complete there, because the first one is dropped here.
	if (read16(ip + 6) & IPV4_FRAGMENT_OFFSET)
		return VERDICT_PUNT;
	struct datagram datagram = {
		.frame = frame,
		.offset = PACKET_ETHERNET_SIZE + header,
		.size = total - header,
		.is_first_fragment = read16(ip + 6) & IPV4_MORE_FRAGMENTS,
		.address_sum = packet_sum(ip + 12, 8, 0),
	};
	packet->family = ADDRESS_IPV4;
	packet->ttl = ip[8];
	packet->source_offset = PACKET_ETHERNET_SIZE + 12;
	memcpy(&packet->source_ipv4, ip + 12, 4);
	enum verdict verdict = parse_udp(&datagram, rules, packet);
	bool is_ours = verdict != VERDICT_PUNT && verdict != VERDICT_DROP_TRUNCATED;
	if (is_ours && packet_fold(packet_sum(ip, header, 0)) != 0)
		return VERDICT_DROP_IP_CHECKSUM;
	return verdict;
}

static enum verdict parse_ipv6(const uint8_t *frame, size_t size, const struct packet_rules *rules,
			       struct packet *packet)
{
	const uint8_t *ip = frame + PACKET_ETHERNET_SIZE;
	size -= PACKET_ETHERNET_SIZE;
	if (size < PACKET_IPV6_SIZE || ip[0] >> 4 != 6)
		return VERDICT_DROP_TRUNCATED;
	size_t total = read16(ip + 4);
	if (total > size - PACKET_IPV6_SIZE)
		return VERDICT_DROP_TRUNCATED;
	if (!find_address(rules, ADDRESS_IPV6, ip + 24, &packet->index))
		return VERDICT_PUNT;
	struct datagram datagram = {
		.frame = frame,
		.offset = PACKET_ETHERNET_SIZE + PACKET_IPV6_SIZE,
		.size = total,
		.address_sum = packet_sum(ip + 8, 32, 0),
	};
	uint8_t protocol = ip[6];
	if (protocol == PROTOCOL_IPV6_FRAGMENT && total >= IPV6_FRAGMENT_SIZE &&
	    read16(ip + PACKET_IPV6_SIZE + 2) >> 3 == 0) { // RFC 8200 4.5
		protocol = ip[PACKET_IPV6_SIZE];
		datagram.is_first_fragment = true;
		datagram.offset += IPV6_FRAGMENT_SIZE;
		datagram.size -= IPV6_FRAGMENT_SIZE;
	}
	if (protocol != PROTOCOL_UDP) // also behind any other extension header
		return VERDICT_PUNT;
	packet->family = ADDRESS_IPV6;
	packet->ttl = ip[7];
	packet->source_offset = PACKET_ETHERNET_SIZE + 8;
	return parse_udp(&datagram, rules, packet);
}

enum verdict packet_parse(const uint8_t *frame, size_t size, const struct packet_rules *rules,
			  struct packet *out_packet)
{
	if (size < PACKET_ETHERNET_SIZE)
		return VERDICT_DROP_TRUNCATED;
	if (memcmp(frame, rules->mac, sizeof(rules->mac)) != 0)
		return VERDICT_PUNT;
	switch (read16(frame + 12)) {
	case ETHERTYPE_IPV4:
		return parse_ipv4(frame, size, rules, out_packet);
	case ETHERTYPE_IPV6:
		return parse_ipv6(frame, size, rules, out_packet);
	default: // ARP, VLAN tags and all else: the kernel's
		return VERDICT_PUNT;
	}
}
