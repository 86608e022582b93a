#pragma once

// A frame as it arrived, every length checked once. What the parser says here the rest relies on.
// Runs on: any thread; pure, and free of DPDK so that it can be fuzzed alone.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "dataplane/message.h"
#include "dataplane/verdict.h"

#define PACKET_ETHERNET_SIZE 14
#define PACKET_IPV4_SIZE 20
#define PACKET_IPV6_SIZE 40
#define PACKET_UDP_SIZE 8
#define PACKET_RTP_SIZE 12
#define PACKET_RTCP_CLEAR_SIZE 8 // of SRTCP stays in the clear (RFC 3711 3.4)
// What leaves may be IPv6 where IPv4 came in, and SRTCP where RTCP did: 4 octets of index, 16 of tag
// (RFC 7714 9.1, 13). Nothing relayed may outgrow 1500 octets by that: at most 1432 come in.
#define PACKET_GROWTH_MAX 20
#define PACKET_PAYLOAD_MAX (1500 - PACKET_IPV6_SIZE - PACKET_UDP_SIZE - PACKET_GROWTH_MAX)
#define PACKET_PAYLOAD_PCMU 0

struct packet_rules { // fixed at start
	uint8_t mac[6]; // of the port; frames to another address are the kernel's
	bool verifies_udp_checksum;
	unsigned address_count;
	struct address addresses[MEDIA_ADDRESSES_MAX]; // port 0
};

enum packet_kind {
	PACKET_OTHER,
	PACKET_RTP,
	PACKET_RTCP,
	PACKET_REPORT, // RTCP of our own making: nobody sent it
	PACKET_EVENT, // RTP of our own making: a telephone event
};

struct packet {
	uint32_t index; // of the stream slot: local address and port
	uint8_t kind; // enum packet_kind: of the payload, whatever the port is for
	uint8_t family;
	uint8_t ttl;
	uint8_t payload_type; // the rest is of RTP alone
	bool has_marker;
	uint16_t source_port; // host order
	uint16_t source_offset; // of the source address, from the frame's start
	uint16_t offset, size; // of the UDP payload, as it is now
	uint16_t arrived_size; // of the UDP payload
	uint16_t media_offset,
		media_size; // of the RTP payload, padding and tag taken off once known
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	uint32_t source_ipv4; // network order
};

// VERDICT_FORWARDED: media for one of our ports, *out_packet is filled. Anything else is its fate.
enum verdict packet_parse(const uint8_t *frame, size_t size, const struct packet_rules *rules,
			  struct packet *out_packet);
// What encryption hides, once it is off: padding of RTP, which leaves media_size, and whether packets of
// RTCP fill their datagram to its end (RFC 3550 A.2). `media` is the UDP payload. false: neither can be.
bool packet_check_clear(const uint8_t *media, struct packet *packet);
struct address packet_source(const struct packet *packet, const uint8_t *frame);
// The one's-complement sum of RFC 1071 over octets, not folded; `sum` continues an earlier one that
// ended at an even octet.
uint64_t packet_sum(const uint8_t *octets, size_t size, uint64_t sum);
// The checksum, in network order.
static inline uint16_t packet_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
