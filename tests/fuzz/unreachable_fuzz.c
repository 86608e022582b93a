// ICMP errors that anybody can forge: nothing is read behind them, and what is said of one stands in it.
// Input: an octet (bit 0: IPv6), then what the raw socket gives.
// Runs on: the fuzzer's thread, or the replay's.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/quality/unreachable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

// Where the packet that came back begins, found without the parser: its two hosts, then its two ports.
static void check(uint8_t family, const uint8_t *octets, size_t size,
		  const struct unreachable_packet *packet)
{
	bool is_ipv4 = family == ADDRESS_IPV4;
	size_t inner = is_ipv4 ? (octets[0] & 15u) * 4u + 8u : 8u;
	require(inner + 28 <= size);
	size_t host_size = is_ipv4 ? 4 : 16;
	size_t hosts = inner + (is_ipv4 ? 12 : 8);
	size_t ports = inner + (is_ipv4 ? (octets[inner] & 15u) * 4u : 40u);
	require(ports + 8 <= size && octets[inner] >> 4 == (is_ipv4 ? 4 : 6));
	require(packet->source.family == family && packet->destination.family == family);
	require(memcmp(packet->source.octets, octets + hosts, host_size) == 0);
	require(memcmp(packet->destination.octets, octets + hosts + host_size, host_size) == 0);
	require(packet->source.port == (octets[ports] << 8 | octets[ports + 1]));
	require(packet->destination.port == (octets[ports + 2] << 8 | octets[ports + 3]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct unreachable_packet untouched;
	struct unreachable_packet packet = untouched;
	if (size < 1)
		return 0;
	uint8_t family = data[0] & 1 ? ADDRESS_IPV6 : ADDRESS_IPV4;
	// A copy of its own size, so that the sanitizer sees the first octet behind it.
	uint8_t *octets = malloc(size > 1 ? size - 1 : 1);
	if (!octets)
		return 0;
	memcpy(octets, data + 1, size - 1);
	if (unreachable_parse(family, octets, size - 1, &packet))
		check(family, octets, size - 1, &packet);
	else
		require(memcmp(&packet, &untouched, sizeof(packet)) == 0);
	free(octets);
	return 0;
}
