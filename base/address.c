// Addresses and prefixes: from text and the kernel, to text and the kernel, and what kind they are.
// Runs on: any thread; pure. Never resolves names.

#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/map.h"

#define V4_BITS 32
#define V6_BITS 128

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff }; // RFC 4291 2.5.5.2

static bool parse_host(struct text text, struct address *out_address)
{
	char string[INET6_ADDRSTRLEN];
	struct address address = { 0 };
	if (text_find(text, 0) || !text_copy(text, string, sizeof(string)))
		return false;
	if (inet_pton(AF_INET, string, address.octets) == 1)
		address.family = ADDRESS_IPV4;
	else if (inet_pton(AF_INET6, string, address.octets) == 1)
		address.family = ADDRESS_IPV6;
	else
		return false;
	*out_address = address;
	return true;
}

bool address_parse(struct text text, struct address *out_address)
{
	struct text rest = text;
	struct text host = text_split(&rest, ':');
	bool has_port = host.size < text.size;
	uint8_t family = ADDRESS_IPV4;
	if (text_has_prefix(text, TEXT("["))) {
		rest = text_cut(text, 1);
		host = text_split(&rest, ']');
		family = ADDRESS_IPV6;
		has_port = text_has_prefix(rest, TEXT(":"));
		rest = text_cut(rest, 1);
		if (!has_port)
			return false;
	} else if (text_find(rest, ':')) {
		host = text;
		family = ADDRESS_IPV6;
		has_port = false;
	}
	struct address address;
	uint64_t port = 0;
	if (!parse_host(host, &address) || address.family != family)
		return false;
	if (has_port && (!text_to_unsigned(rest, UINT16_MAX, &port) || port == 0))
		return false;
	address.port = (uint16_t)port;
	*out_address = address;
	return true;
}

bool prefix_parse(struct text text, struct prefix *out_prefix)
{
	struct text rest = text;
	struct text host = text_split(&rest, '/');
	struct prefix prefix;
	if (!parse_host(host, &prefix.address))
		return false;
	uint64_t most = prefix.address.family == ADDRESS_IPV4 ? V4_BITS : V6_BITS;
	uint64_t bits = most;
	if (host.size < text.size && !text_to_unsigned(rest, most, &bits))
		return false;
	prefix.bits = (uint8_t)bits;
	*out_prefix = prefix;
	return true;
}

bool prefix_contains(const struct prefix *prefix, const struct address *address)
{
	if (prefix->address.family != address->family || address->family == ADDRESS_NONE)
		return false;
	size_t whole = prefix->bits / 8;
	unsigned left = prefix->bits % 8;
	if (memcmp(prefix->address.octets, address->octets, whole) != 0)
		return false;
	if (left == 0)
		return true;
	unsigned difference = prefix->address.octets[whole] ^ address->octets[whole];
	return difference >> (8 - left) == 0;
}

bool address_is_equal(const struct address *a, const struct address *b)
{
	return address_is_same_host(a, b) && a->port == b->port;
}

bool address_is_same_host(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

// An IPv4 address inside an IPv6 one is judged as what it reaches.
static struct address unmapped(const struct address *address)
{
	struct address inner = *address;
	if (address->family == ADDRESS_IPV6 &&
	    memcmp(address->octets, v4_mapped, sizeof(v4_mapped)) == 0) {
		inner = (struct address){ .family = ADDRESS_IPV4, .port = address->port };
		memcpy(inner.octets, address->octets + sizeof(v4_mapped), 4);
	}
	return inner;
}

static bool is_in_any(const struct address *address, const struct prefix *prefixes, size_t count)
{
	struct address inner = unmapped(address);
	for (size_t i = 0; i < count; i++)
		if (prefix_contains(&prefixes[i], &inner))
			return true;
	return false;
}

bool address_is_private(const struct address *address)
{
	static const struct prefix privates[] = {
		{ { .family = ADDRESS_IPV4, .octets = { 10 } }, 8 }, // RFC 1918
		{ { .family = ADDRESS_IPV4, .octets = { 172, 16 } }, 12 }, // RFC 1918
		{ { .family = ADDRESS_IPV4, .octets = { 192, 168 } }, 16 }, // RFC 1918
		{ { .family = ADDRESS_IPV4, .octets = { 100, 64 } }, 10 }, // RFC 6598
		{ { .family = ADDRESS_IPV4, .octets = { 127 } }, 8 }, // RFC 1122 3.2.1.3
		{ { .family = ADDRESS_IPV4, .octets = { 169, 254 } }, 16 }, // RFC 3927
		{ { .family = ADDRESS_IPV6, .octets = { 0xfc } }, 7 }, // RFC 4193
		{ { .family = ADDRESS_IPV6, .octets = { 0xfe, 0x80 } }, 10 }, // RFC 4291 2.5.6
		{ { .family = ADDRESS_IPV6, .octets = { [15] = 1 } }, 128 }, // RFC 4291 2.5.3
	};
	return is_in_any(address, privates, sizeof(privates) / sizeof(privates[0]));
}

bool address_is_confined(const struct address *address)
{
	static const struct prefix confined[] = {
		{ { .family = ADDRESS_IPV4, .octets = { 0 } }, 8 }, // RFC 1122 3.2.1.3
		{ { .family = ADDRESS_IPV4, .octets = { 127 } }, 8 },
		{ { .family = ADDRESS_IPV4, .octets = { 169, 254 } }, 16 }, // RFC 3927
		{ { .family = ADDRESS_IPV4, .octets = { 224 } }, 3 }, // multicast and above
		{ { .family = ADDRESS_IPV6, .octets = { 0 } }, 127 }, // :: and ::1
		{ { .family = ADDRESS_IPV6, .octets = { 0xfe, 0x80 } }, 10 },
		{ { .family = ADDRESS_IPV6, .octets = { 0xff } }, 8 },
	};
	return is_in_any(address, confined, sizeof(confined) / sizeof(confined[0]));
}

bool address_is_unspecified(const struct address *address)
{
	static const uint8_t zeros[16];
	struct address inner = unmapped(address);
	return inner.family != ADDRESS_NONE && memcmp(inner.octets, zeros, sizeof(zeros)) == 0;
}

// By hand: every message has several, and inet_ntop takes a printf for each.
static void write_ipv4(const uint8_t *octets, struct writer *writer)
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			writer_char(writer, '.');
		writer_unsigned(writer, octets[i]);
	}
}

void address_write_host(const struct address *address, struct writer *writer)
{
	char string[INET6_ADDRSTRLEN] = "";
	if (address->family == ADDRESS_IPV4) {
		write_ipv4(address->octets, writer);
		return;
	}
	if (address->family == ADDRESS_IPV6)
		inet_ntop(AF_INET6, address->octets, string, sizeof(string));
	writer_string(writer, string[0] ? string : "none");
}

void address_write(const struct address *address, struct writer *writer)
{
	bool is_bracketed = address->family == ADDRESS_IPV6 && address->port > 0;
	if (is_bracketed)
		writer_char(writer, '[');
	address_write_host(address, writer);
	if (is_bracketed)
		writer_char(writer, ']');
	if (address->port > 0) {
		writer_char(writer, ':');
		writer_unsigned(writer, address->port);
	}
}

const char *address_string(const struct address *address, char room[static ADDRESS_TEXT_SIZE])
{
	struct writer writer = writer_of(room, ADDRESS_TEXT_SIZE);
	address_write(address, &writer);
	return writer_string_done(&writer);
}

uint64_t address_hash(const struct address *address)
{
	struct address key = *address;
	key.reserved = 0;
	return map_hash((struct text){ (const char *)&key, sizeof(key) });
}

bool address_from_sockaddr(const struct sockaddr *kernel, struct address *out_address)
{
	struct address address = { 0 };
	if (kernel->sa_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, kernel, sizeof(v4));
		address.family = ADDRESS_IPV4;
		address.port = ntohs(v4.sin_port);
		memcpy(address.octets, &v4.sin_addr, 4);
	} else if (kernel->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, kernel, sizeof(v6));
		address.family = ADDRESS_IPV6;
		address.port = ntohs(v6.sin6_port);
		memcpy(address.octets, &v6.sin6_addr, 16);
		address = unmapped(&address); // what a dual-stack socket says of an IPv4 peer
	} else {
		return false;
	}
	*out_address = address;
	return true;
}

unsigned address_to_sockaddr(const struct address *address, struct sockaddr_storage *out_kernel)
{
	memset(out_kernel, 0, sizeof(*out_kernel));
	if (address->family == ADDRESS_IPV4) {
		struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(address->port) };
		memcpy(&v4.sin_addr, address->octets, 4);
		memcpy(out_kernel, &v4, sizeof(v4));
		return sizeof(v4);
	}
	if (address->family == ADDRESS_IPV6) {
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
					   .sin6_port = htons(address->port) };
		memcpy(&v6.sin6_addr, address->octets, 16);
		memcpy(out_kernel, &v6, sizeof(v6));
		return sizeof(v6);
	}
	return 0;
}
