#pragma once

// One listening socket of TCP or TLS. Takes a bounded number of connections each turn of the loop, and
// pauses when the kernel has no descriptor for one.
// Runs on: control thread. Inside sip/transport only.

#include "sip/flow.h"
#include "sip/transport.h"

struct connections;
struct event;

struct listener { // all zero: not started
	struct connections *connections;
	struct event *event; // a connection waits
	struct event *pause; // its end
	struct sip_flow flow; // protocol and local address of what it accepts
	int fd;
};

enum status listener_start(struct listener *listener, struct connections *connections,
			   enum sip_protocol protocol, const struct address *local);
void listener_stop(struct listener *listener); // also after a failed start
