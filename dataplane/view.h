#pragma once

// The public half of a stream: what a worker says of it in memory that control can read.
// Runs on: the stream's worker writes, any thread of control reads.

#include <stdint.h>

#include "base/address.h"

// What became of a packet of a stream, as far as control wants to tell causes apart per stream.
// enumerator, name in what operators read
#define STREAM_DROP_LIST(ROW)                                                                      \
	ROW(TTL, "ttl")                                                                            \
	ROW(SOURCE, "source")                                                                      \
	ROW(MALFORMED, "malformed")                                                                \
	ROW(PAYLOAD_TYPE, "payload_type")                                                          \
	ROW(NO_NEXT_HOP, "no_next_hop")                                                            \
	ROW(TX, "tx")                                                                              \
	ROW(AUTHENTICATION, "authentication") /* SRTP: wrong tag, or no key yet */                 \
	ROW(REPLAY, "replay") /* SRTP: seen, or older than the window (RFC 3711 3.3.2) */

#define STREAM_DROP_ENUMERATOR(name, text) STREAM_DROP_##name,
enum stream_drop { STREAM_DROP_LIST(STREAM_DROP_ENUMERATOR) STREAM_DROP_COUNT };
#undef STREAM_DROP_ENUMERATOR

// The public part of a stream slot, in memory control maps read-only. One worker writes. Counters of
// 8 and 16 bits stay at their greatest value.
struct stream_view {
	uint32_t generation; // 0: never used
	uint8_t is_open : 1;
	uint8_t source_is_learned : 1;
	uint8_t ttl_lowest; // lowest TTL or hop limit seen, dropped packets too; 255: none seen
	uint8_t payload_last;
	uint8_t payload_changes; // between PCMU and others; telephone events are none
	uint64_t packets; // accepted; relayed but for drops of NO_NEXT_HOP and TX
	uint64_t octets; // UDP payload of those, as it arrived
	uint64_t first_ns, last_ns; // CLOCK_MONOTONIC of the first and last accepted packet
	uint32_t drops[STREAM_DROP_COUNT];
	uint32_t out_index; // where it leaves from: lets a new control process pair what it finds
	struct address source; // who it accepts now: given, or learned
	union {
		struct { // of an even port: what its RTP headers say
			uint32_t ssrc;
			uint32_t expected; // RFC 3550 A.3, summed over SSRCs
			uint32_t jitter; // RFC 3550 A.8, in timestamp units of 1/8000 s, times 16
			uint32_t silent; // PCMU packets without a sound
			uint16_t sequence; // highest of the present SSRC, as it arrives
			uint16_t leaves_sequence; // as it leaves
			// SRTP's rollover counters, low half: no call is long enough for more.
			uint16_t arrives_rollover, leaves_rollover;
			uint16_t reordered, duplicates;
			uint16_t ssrc_changes;
			uint16_t events; // RFC 4733 telephone events told as digits
		};
		struct { // of an odd port: what RTCP says
			uint32_t arrives_index, leaves_index; // SRTCP's
			uint32_t reports; // read: blocks about what we relay to that side
			int32_t peer_lost; // of the last block: cumulative (RFC 3550 6.4.1)
			uint32_t peer_jitter; // 1/8000 s
			uint32_t round_trip_us; // 0: not known
			uint32_t generated; // reports of our own to that side
			uint8_t peer_fraction; // lost since the report before, in 1/256
			uint8_t reserved[3];
		};
	};
};

_Static_assert(sizeof(struct stream_view) == 128, "two cache lines");
