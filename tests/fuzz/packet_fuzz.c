// Any octets as a frame: the parser stays inside of it, and what it says of it is true of it. What
// is then sent in its place is parsed again.
// The first octet of the input sets the rules, the rest is the frame.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/packet.h"
#include "dataplane/rewrite.h"
#include "dataplane/stream/stream.h"

#define HEADERS_MAX (PACKET_ETHERNET_SIZE + PACKET_IPV6_SIZE + PACKET_UDP_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static struct packet_rules rules_of(uint8_t first, const uint8_t *frame, size_t size)
{
	struct packet_rules rules = { .verifies_udp_checksum = first & 1, .address_count = 2 };
	memcpy(rules.mac, frame, size < 6 ? size : 6); // or nothing but the MAC would be tried
	(void)address_parse(TEXT("198.51.100.1"), &rules.addresses[0]);
	(void)address_parse(TEXT("2001:db8::1"), &rules.addresses[1]);
	return rules;
}

static void check(const struct packet *packet, const uint8_t *frame, size_t size)
{
	const uint8_t *media = frame + packet->offset;
	require(packet->offset + packet->size <= size && packet->size <= PACKET_PAYLOAD_MAX);
	require(packet->index < 2 * MEDIA_PORT_COUNT);
	require((packet->index >= MEDIA_PORT_COUNT) == (packet->family == ADDRESS_IPV6));
	require(packet->source_offset + (packet->family == ADDRESS_IPV6 ? 16u : 4u) <=
		packet->offset);
	require(packet->kind == PACKET_OTHER || (packet->size >= 8 && media[0] >> 6 == 2));
	if (packet->kind != PACKET_RTP)
		return;
	require(packet->media_offset >= packet->offset + PACKET_RTP_SIZE);
	require(packet->media_offset + packet->media_size <= packet->offset + packet->size);
	require(packet->payload_type < 128);
}

// What encryption may have hidden is bounded as well, and refused without a trace.
static void check_clear(const struct packet *packet, const uint8_t *frame)
{
	struct packet clear = *packet;
	if (packet->kind == PACKET_OTHER)
		return;
	bool is_right = packet_check_clear(frame + packet->offset, &clear);
	require(is_right || clear.media_size == packet->media_size);
	require(clear.size == packet->size && clear.media_offset == packet->media_offset);
	require(packet->kind != PACKET_RTP || clear.media_size <= packet->media_size);
}

static void send_to_ourselves(const struct packet *packet, const struct packet_rules *rules,
			      const uint8_t *frame, uint8_t family)
{
	uint8_t room[HEADERS_MAX + PACKET_PAYLOAD_MAX];
	struct packet again;
	struct stream stream = { .destination_family = family,
				 .out_address = family == ADDRESS_IPV6,
				 .out_port = packet->source_port,
				 .destination_port = MEDIA_PORT_FIRST };
	memcpy(stream.next_hop, rules->mac, 6);
	memcpy(&stream.destination_ipv4, rules->addresses[0].octets, 4);
	memcpy(stream.destination_ipv6, rules->addresses[1].octets, 16);
	memcpy(room + HEADERS_MAX, frame + packet->offset, packet->size);
	rewrite_headers(&stream, rules, room + HEADERS_MAX, packet->size);
	size_t headers = rewrite_size(&stream);
	require(packet_parse(room + HEADERS_MAX - headers, headers + packet->size, rules, &again) ==
		VERDICT_FORWARDED);
	require(again.kind == packet->kind && again.size == packet->size);
	require(again.ttl == REWRITE_TTL && again.source_port == packet->source_port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet packet;
	if (size < 1)
		return 0;
	// A copy of its own size, so that the sanitizer sees the first octet behind it.
	uint8_t *frame = malloc(size - 1 ? size - 1 : 1);
	if (!frame)
		return 0;
	memcpy(frame, data + 1, size - 1);
	struct packet_rules rules = rules_of(data[0], frame, size - 1);
	if (packet_parse(frame, size - 1, &rules, &packet) == VERDICT_FORWARDED) {
		check(&packet, frame, size - 1);
		check_clear(&packet, frame);
		send_to_ourselves(&packet, &rules, frame, ADDRESS_IPV4);
		send_to_ourselves(&packet, &rules, frame, ADDRESS_IPV6);
	}
	free(frame);
	return 0;
}
