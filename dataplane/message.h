#pragma once

// What crosses between the control thread and a worker: values of 64 octets, in rings in shared
// memory. A message names a stream by its index and generation, so one that arrives late is harmless.
// Runs on: written by one side, read by the other; both treat what they read as untrusted.

#include <stdint.h>

#include "base/address.h"

// Media ports (MEDIA-005). Every media address owns one stream slot for each of them.
#define MEDIA_PORT_FIRST 10000
#define MEDIA_PORT_LAST 20000
#define MEDIA_PORT_COUNT (MEDIA_PORT_LAST - MEDIA_PORT_FIRST + 1)
#define MEDIA_ADDRESSES_MAX 16

// A stream is one direction of one leg's media: it enters on one local port and leaves from another.
// Its index is its local address and port: address_index * MEDIA_PORT_COUNT + port - MEDIA_PORT_FIRST.
// RTP uses even ports, its RTCP the odd one above, a stream of its own.
struct stream_id {
	uint32_t index;
	uint32_t generation; // chosen by control, never 0, never the slot's last one
};

#define MESSAGE_KIND_LIST(ROW)                                                                     \
	/* control to worker */                                                                    \
	ROW(MESSAGE_STREAM_OPEN, "stream_open") /* new generation: starts; same one: changes it */ \
	ROW(MESSAGE_STREAM_CLOSE, "stream_close")                                                  \
	/* worker to control */                                                                    \
	ROW(MESSAGE_STREAM_CLOSED, "stream_closed") /* its figures are final now */                \
	ROW(MESSAGE_STREAM_STARTED, "stream_started") /* first packet accepted */                  \
	ROW(MESSAGE_STREAM_LEARNED, "stream_learned") /* symmetric RTP: `learned` is the source */ \
	ROW(MESSAGE_STREAM_TTL, "stream_ttl") /* first packet dropped for its TTL */

#define MESSAGE_ENUMERATOR(name, text) name,
enum message_kind { MESSAGE_NONE, MESSAGE_KIND_LIST(MESSAGE_ENUMERATOR) MESSAGE_KIND_COUNT };
#undef MESSAGE_ENUMERATOR

enum message_flag {
	STREAM_IS_RTCP = 1 << 0,
	// Learn the source of the first plausible flow (MEDIA-008, MEDIA-011).
	STREAM_SYMMETRIC = 1 << 1,
	// With a change: forget what was learned, source and destination (a re-INVITE). Without it what
	// was learned outlives a change that does not name it.
	STREAM_RELEARN = 1 << 2,
	// Destination not resolved yet, or on hold: count and drop what would leave.
	STREAM_NO_NEXT_HOP = 1 << 3,
	// Accept any source port of the source address (RTCP of odd peers), as source port 0 does.
	STREAM_ANY_PORT = 1 << 4,
};

#define PAYLOAD_TYPE_NONE 255

// MESSAGE_STREAM_OPEN. All address fields of both families in one form; 64 octets exactly.
struct message_open {
	struct address source; // who may send; family NONE: anybody until learned
	struct address destination; // where it leaves to
	uint32_t out_index; // local address and port it leaves from; also the stream coming back
	uint8_t next_hop[6]; // Ethernet address of the destination's next hop
	// The number of telephone-event as it arrives and as it leaves, also where both are the same;
	// PAYLOAD_TYPE_NONE: not negotiated. What is neither PCMU nor payload_in is dropped.
	uint8_t payload_in, payload_out;
};

struct message {
	uint8_t kind; // enum message_kind
	uint8_t flags; // enum message_flag
	uint16_t reserved;
	struct stream_id stream;
	union {
		struct message_open open;
		struct address learned;
		uint8_t octets[52];
	};
};

_Static_assert(sizeof(struct message) == 64, "a message is one cache line");

// What became of a packet of a stream, as far as control wants to tell causes apart per stream.
enum stream_drop {
	STREAM_DROP_TTL,
	STREAM_DROP_SOURCE,
	STREAM_DROP_MALFORMED,
	STREAM_DROP_NO_NEXT_HOP,
	STREAM_DROP_TX,
	STREAM_DROP_COUNT
};

// The public part of a stream slot, in memory control maps read-only. One worker writes.
struct stream_view {
	uint32_t generation; // 0: never used
	uint8_t is_open;
	uint8_t source_is_learned;
	uint8_t ttl_lowest; // lowest TTL or hop limit seen, dropped packets too; 255: none seen
	uint8_t payload_last;
	uint64_t packets; // accepted; relayed but for drops of NO_NEXT_HOP and TX
	uint64_t octets; // UDP payload of those
	uint64_t drops[STREAM_DROP_COUNT];
	uint64_t first_ns, last_ns; // CLOCK_MONOTONIC of the first and last accepted packet
	uint32_t ssrc;
	uint32_t expected; // RFC 3550 A.3, summed over SSRCs
	uint32_t jitter; // RFC 3550 A.8, in timestamp units of 1/8000 s, times 16
	uint32_t reordered;
	uint32_t duplicates;
	uint16_t ssrc_changes;
	uint16_t events; // RFC 4733 telephone events seen to end
	uint32_t out_index; // where it leaves from: lets a new control process pair what it finds
	struct address source; // who it accepts now: given, or learned
};

_Static_assert(sizeof(struct stream_view) == 128, "two cache lines");
