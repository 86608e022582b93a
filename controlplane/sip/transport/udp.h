#pragma once

// SIP over UDP: sockets, batches of datagrams, and the first cheap looks at what a stranger sent.
// Runs on: control thread. Inside sip/transport only.

#include "sip/transport.h"

struct udp;

// Options and counters must outlive it.
enum status udp_start(struct event_base *loop, const struct sip_transport_options *options,
		      struct sip_transport_counters *counters, struct udp **out_udp);
void udp_stop(struct udp *udp); // NULL is harmless
// ERR_BUSY: as good as lost; ERR_SYSTEM: no way there.
enum status udp_send(struct udp *udp, struct text octets, const struct sip_flow *flow);
void udp_steer(struct udp *udp, bool is_to_door);
const struct address *udp_address(const struct udp *udp, unsigned nth); // NULL past the last
