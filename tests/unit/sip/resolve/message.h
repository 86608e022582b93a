#pragma once

// DNS messages as servers and liars write them (RFC 1035 4.1).
// Runs on: the thread of the test.

#include <stddef.h>
#include <stdint.h>

#include "sip/resolve/answer.h"

#define MESSAGE_CNAME 5
#define MESSAGE_SOA 6

struct message_room {
	uint8_t octets[65535];
	size_t size;
};

// A response to the question, with its id, no records yet.
void message_start(struct message_room *message, uint16_t id, const char *name, unsigned type,
		   unsigned rcode);
void message_set_truncated(struct message_room *message);
// Adds a record to the answers (or, for SOA, to the authorities) and counts it. The value is as in
// tests/fake/dns.h; for NAPTR "ORDER PREFERENCE FLAGS SERVICE REPLACEMENT".
void message_add(struct message_room *message, const char *name, unsigned type, uint32_t ttl_s,
		 const char *value);
void message_put(struct message_room *message, const void *octets, size_t size); // raw
void message_put_name(struct message_room *message, const char *name);
struct text message_text(const struct message_room *message);
