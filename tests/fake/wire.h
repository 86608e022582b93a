#pragma once

// The network of a test: what the product sends lies here until the test takes it, what the test sends
// reaches the product at once. Every message is kept, so that a failure can show the last ones.
// Runs on: the thread of the test.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/text.h"
#include "sip/guard/guard.h"
#include "sip/message.h"

struct wire_packet {
	char *octets; // owned, ends with a zero that is not part of it
	size_t size;
	struct sip_message message; // borrows from octets; all zero when it could not be read
	struct address source, destination;
	enum sip_protocol protocol;
	uint64_t connection;
	uint64_t at_ms;
	bool is_inbound; // to the product
	bool is_taken; // the test has looked at it
};

struct wire {
	const struct clock *clock;
	struct wire_packet **packets;
	unsigned count, room;
	struct address unreachable; // what goes there is refused by "the operating system"
	char problem[256]; // of the first message the product should not have sent; empty: none
};

void wire_init(struct wire *wire, const struct clock *clock);
void wire_clear(struct wire *wire);
// A sip_transport_send_fn; context is the struct wire.
enum status wire_send(void *context, struct text octets, struct sip_flow *flow);
// Hands octets to the product, through its guard, from a heap copy of exactly their size.
void wire_deliver(struct wire *wire, struct sip_guard *guard, struct text octets,
		  const struct sip_flow *flow);
// "12.340 s  203.0.113.10:5060 > INVITE sip:… SIP/2.0", the latest `count` messages.
void wire_print(const struct wire *wire, unsigned count);
