#pragma once

// SIP over UDP: sockets, batches of datagrams, and the first cheap looks at what a stranger sent.
// Where octets enter and leave. TCP and TLS join here.
// Runs on: control thread; never blocks.

#include <stdint.h>

#include "base/address.h"
#include "base/counter.h"
#include "base/status.h"
#include "base/text.h"
#include "sip/flow.h"

struct event_base;
struct sip_transport;

struct sip_transport_counters {
	struct counter received, sent; // messages
	struct counter received_octets, sent_octets;
	struct counter send_failures;
	struct counter keepalives; // CRLF pings
	struct counter malformed; // answered with 400, or dropped where no answer can be built
	struct counter too_large;
	struct counter kernel_drops; // SO_RXQ_OVFL
};

// Every message, from every socket. The memory is valid until it returns.
typedef void (*sip_transport_receive_fn)(void *context, struct text octets,
					 const struct sip_flow *flow);

// Sends one message: a datagram, or on the flow's connection while that lives, else on a live one to
// the remote address, else on a new one; flow->connection tells which. Never blocks: what cannot be
// written yet is kept, within bounds. ERR_BUSY is as good as a lost packet; ERR_SYSTEM says that there
// is no way there. That a connection could not be made, or ended, comes later by
// sip_transactions_broken. A scenario test replaces it.
typedef enum status (*sip_transport_send_fn)(void *context, struct text octets,
					     struct sip_flow *flow);

struct sip_transport_options {
	const struct address *addresses; // to listen on, with port
	unsigned address_count;
	unsigned receive_buffer_bytes;
	sip_transport_receive_fn receive;
	void *context;
};

enum status sip_transport_start(struct event_base *loop,
				const struct sip_transport_options *options,
				struct sip_transport **out_transport);
void sip_transport_stop(struct sip_transport *transport);
enum status sip_transport_send(void *transport, struct text octets, struct sip_flow *flow);
// The nth address listened on, with the port the kernel gave when 0 was asked for; NULL past the last.
const struct address *sip_transport_address(const struct sip_transport *transport, unsigned nth);
const struct sip_transport_counters *sip_transport_counters(const struct sip_transport *transport);
