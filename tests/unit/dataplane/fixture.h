#pragma once

// A stream table of one worker, packets to feed it, and its events, without any DPDK.
// Runs on: the thread of a test.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "dataplane/dtmf/dtmf.h"
#include "dataplane/stream/stream.h"

struct fixture {
	struct packet_rules rules; // 198.51.100.1 and 2001:db8::1
	struct stream_table table;
	struct dtmf dtmf;
	struct worker_view worker_view;
	uint8_t frame[256]; // of the packet made last; its source MAC is 02:00:00:00:00:0d
};

struct fixture_open { // what differs from: in on 10000, out on 10002, from HOST_A to HOST_B
	uint32_t index, out_index, generation;
	const char *source, *destination;
	uint8_t flags, payload_in, payload_out;
	uint8_t next_hop; // its last octet
};

#define FIXTURE_OPEN                                                                               \
	.index = 0, .out_index = 2, .generation = 7, .source = "203.0.113.10:4000",                \
	.destination = "192.0.2.20:6000", .payload_in = 101, .payload_out = 96, .next_hop = 0x0b

struct fixture *fixture_create(void);
void fixture_destroy(struct fixture *fixture);
struct message fixture_message(const struct fixture_open *open);
bool fixture_open(struct fixture *fixture, const struct fixture_open *open);
bool fixture_close(struct fixture *fixture, uint32_t index, uint32_t generation);
// RTP with that sequence number from "address:port" to the port of stream `index`, through
// packet_parse, stream_find, accept_plain and stream_account, as the worker has it.
enum verdict fixture_rtp(struct fixture *fixture, uint32_t index, const char *source,
			 uint16_t sequence);
// The same as SRTP: accept_sealed, then, as if its tag were right, accept_opened and stream_account.
enum verdict fixture_sealed(struct fixture *fixture, uint32_t index, const char *source,
			    uint16_t sequence);
// Whether the next event told names that source; it is taken.
bool fixture_names(struct fixture *fixture, enum message_kind kind, const char *source);
// Whether the next event told is of that kind and stream; it is taken.
bool fixture_tells(struct fixture *fixture, enum message_kind kind, uint32_t index,
		   uint32_t generation);
bool fixture_is_silent(const struct fixture *fixture); // no event left
