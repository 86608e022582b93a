// Addresses that a stranger's URL may lead to. Runs on any thread; asks the kernel for this host's own.

#include "fetch/target.h"

#include <ifaddrs.h>
#include <string.h>

// Special purposes that address_is_private and address_is_confined do not name (RFC 6890 and its registries).
static bool is_special(const struct address *address)
{
	static const struct prefix specials[] = {
		{ { .family = ADDRESS_IPV4, .octets = { 192, 0, 0 } }, 24 }, // RFC 6890
		{ { .family = ADDRESS_IPV4, .octets = { 192, 88, 99 } }, 24 }, // RFC 7526
		{ { .family = ADDRESS_IPV4, .octets = { 198, 18 } }, 15 }, // RFC 2544
		{ { .family = ADDRESS_IPV6, .octets = { 0x01, 0x00 } }, 64 }, // RFC 6666
		{ { .family = ADDRESS_IPV6, .octets = { 0x20, 0x01, 0x00 } },
		  23 }, // RFC 2928, Teredo
		{ { .family = ADDRESS_IPV6, .octets = { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 } },
		  48 }, // RFC 8215: a network's own, which may hold an IPv4 address anywhere
		{ { .family = ADDRESS_IPV6, .octets = { 0xfe, 0xc0 } }, 10 }, // RFC 3879
	};
	return fetch_target_is_in(address, specials, sizeof(specials) / sizeof(specials[0]));
}

// The IPv4 address that an IPv6 one is another way to: mapped and compatible (RFC 4291 2.5.5), translated
// (RFC 6052 2.1), 6to4 (RFC 3056).
static struct address unwrapped(const struct address *address)
{
	static const struct {
		struct prefix prefix;
		unsigned at;
	} wraps[] = {
		{ { { .family = ADDRESS_IPV6, .octets = { [10] = 0xff, [11] = 0xff } }, 96 }, 12 },
		{ { { .family = ADDRESS_IPV6 }, 96 }, 12 },
		{ { { .family = ADDRESS_IPV6, .octets = { 0x00, 0x64, 0xff, 0x9b } }, 96 }, 12 },
		{ { { .family = ADDRESS_IPV6, .octets = { 0x20, 0x02 } }, 16 }, 2 },
	};
	struct address inner = { .family = ADDRESS_IPV4, .port = address->port };
	for (unsigned i = 0; i < sizeof(wraps) / sizeof(wraps[0]); i++) {
		if (!prefix_contains(&wraps[i].prefix, address))
			continue;
		memcpy(inner.octets, address->octets + wraps[i].at, 4);
		return inner;
	}
	return *address;
}

static bool is_own(const struct address *address)
{
	struct ifaddrs *interfaces;
	bool is_found = false;
	if (getifaddrs(&interfaces) != 0)
		return true; // unknown: better none than ours
	for (const struct ifaddrs *at = interfaces; at && !is_found; at = at->ifa_next) {
		struct address own;
		is_found = at->ifa_addr && address_from_sockaddr(at->ifa_addr, &own) &&
			   address_is_same_host(&own, address);
	}
	freeifaddrs(interfaces);
	return is_found;
}

bool fetch_target_is_in(const struct address *address, const struct prefix *prefixes,
			unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (prefix_contains(&prefixes[i], address))
			return true;
	return false;
}

bool fetch_target_is_public(const struct address *address)
{
	struct address inner = unwrapped(address);
	return !address_is_private(&inner) && !address_is_confined(&inner) && !is_special(&inner) &&
	       !is_own(&inner);
}
