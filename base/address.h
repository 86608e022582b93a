#pragma once

// An IP address with a port, and an IP prefix. 20 octets by value, fit for messages between planes.
// Runs on: any thread; pure.

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct sockaddr;
struct sockaddr_storage;

#define ADDRESS_NONE 0
#define ADDRESS_IPV4 4
#define ADDRESS_IPV6 6
#define ADDRESS_TEXT_SIZE 64 // longest "[v6]:port" with its zero

struct address {
	uint8_t family; // ADDRESS_NONE, _IPV4 or _IPV6
	uint8_t reserved; // 0
	uint16_t port; // host order; 0 when there is none
	uint8_t octets[16]; // network order; IPv4 uses the first four, the rest are 0
};

struct prefix {
	struct address address; // port 0
	uint8_t bits;
};

// "192.0.2.1", "192.0.2.1:5060", "2001:db8::1", "[2001:db8::1]:5060"; nothing else, no names.
bool address_parse(struct text text, struct address *out_address);
// "192.0.2.0/24"; no "/": one host. Host bits are kept, so it can also say an interface's address.
bool prefix_parse(struct text text, struct prefix *out_prefix);
bool prefix_contains(const struct prefix *prefix, const struct address *address);
bool address_is_equal(const struct address *a, const struct address *b); // port too
bool address_is_same_host(const struct address *a, const struct address *b); // port ignored
// RFC 1918, 6598, 4193, loopback, link-local.
bool address_is_private(const struct address *address);
// Of this host or link alone, or of no one host: loopback, link-local, multicast, broadcast.
bool address_is_confined(const struct address *address);
bool address_is_unspecified(const struct address *address); // 0.0.0.0 or ::
// The host alone, no brackets; or with its port if it has one, and then IPv6 in brackets.
void address_write_host(const struct address *address, struct writer *writer);
void address_write(const struct address *address, struct writer *writer);
const char *address_string(const struct address *address, char room[static ADDRESS_TEXT_SIZE]);
uint64_t address_hash(const struct address *address);
// Between the kernel's form and ours. to_sockaddr returns the length to pass to the kernel.
bool address_from_sockaddr(const struct sockaddr *kernel, struct address *out_address);
unsigned address_to_sockaddr(const struct address *address, struct sockaddr_storage *out_kernel);
