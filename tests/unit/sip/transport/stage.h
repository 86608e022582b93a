#pragma once

// A transport on loopback, its clock moved by hand, and raw sockets as its peers.
// Runs on: the thread of the test.

#include "tests/check.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/wheel.h"
#include "sip/transport.h"

#define STAGE_MESSAGES 64

struct event_base;

struct stage {
	struct event_base *loop;
	struct clock clock;
	struct wheel *wheel;
	struct sip_transport *transport;
	const struct sip_transport_counters *counters;
	struct address tcp, tls; // listened on
	struct sip_flow flow; // of the last message
	struct text reply; // to each message; NONE: nothing
	struct address forward_to; // each message goes there too, by TCP; no family: nowhere
	char last[256]; // begin of the last message
	unsigned messages, refused, broken;
	unsigned status; // of the last refusal
	uint64_t broken_id;
	bool is_sending;
	bool dismisses; // whoever brought a message, once it has its reply
};

// Limits of 0 become: 16 connections, 8 of a source, 65536 octets, 4, 5, 30, 600 s.
void stage_open(struct stage *stage, const char *host, struct sip_transport_limits limits,
		struct sip_tls *tls);
void stage_close(struct stage *stage);
void stage_run(struct stage *stage); // some turns of the loop
void stage_pass(struct stage *stage, unsigned ms); // time
// Turns the loop until the number is reached, or two seconds are over, which fails.
void stage_until(struct stage *stage, const unsigned *number, unsigned wanted);
enum status stage_send(struct stage *stage, struct text octets, struct sip_flow *flow);

int stage_connect(struct stage *stage, const char *from); // a peer, non-blocking
int stage_listen(const char *host, int backlog, struct address *out_address);
void stage_write(int fd, struct text octets);
// What has come from the transport, turning the loop until `wanted` octets are there or it is closed.
struct text stage_read(struct stage *stage, int fd, char *room, size_t wanted);
bool stage_is_closed(struct stage *stage, int fd);
uint64_t stage_closed(const struct stage *stage, enum sip_close reason); // how many
