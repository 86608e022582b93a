#pragma once

// A flow (RFC 5626 2): by which transport, between which addresses and on which connection messages
// travel. A value; it never owns the connection it names.
// Runs on: any thread; pure.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"

// enumerator suffix, in Via, in a URI's transport parameter, default port (RFC 3261 18.1, 19.1.2)
#define SIP_PROTOCOL_LIST(ROW)                                                                     \
	ROW(UDP, "UDP", "udp", 5060)                                                               \
	ROW(TCP, "TCP", "tcp", 5060)                                                               \
	ROW(TLS, "TLS", "tls", 5061)

#define SIP_FLOW_PEER_SIZE 36

#define SIP_PROTOCOL_ENUMERATOR(name, via, parameter, port) SIP_##name,
enum sip_protocol { SIP_PROTOCOL_LIST(SIP_PROTOCOL_ENUMERATOR) SIP_PROTOCOL_COUNT };
#undef SIP_PROTOCOL_ENUMERATOR

struct sip_flow {
	enum sip_protocol protocol;
	uint16_t tls_version; // as negotiated, 0x0303 …; 0: not TLS
	struct address
		local; // ours, with the port we listen on, also where we opened the connection
	struct address remote; // the peer; of a stream also where a new connection would go
	uint64_t connection; // of a stream: which one (index and generation); 0: none yet
	// Who it must be that we connect to, by a name of the user's (struct sip_tls_user): it stays what
	// it is wherever the peer's Contact leads. "": whoever is there.
	char peer[SIP_FLOW_PEER_SIZE];
	bool is_certified; // it came to us with a right certificate that is the peer's
	bool is_led; // where it leads only its peer's Contact or routes say: nobody has been met there
};

const char *sip_protocol_via(enum sip_protocol protocol); // "UDP"
const char *sip_protocol_name(enum sip_protocol protocol); // "udp"
uint16_t sip_protocol_port(enum sip_protocol protocol); // 5060
// By either name, in any case. False: none of them.
bool sip_protocol_parse(struct text name, enum sip_protocol *out_protocol);
// Streams lose nothing and prove their source: nobody retransmits there, nobody forges an address.
bool sip_flow_is_reliable(const struct sip_flow *flow);
// "sip:USER@192.0.2.1:5060;transport=tcp", without a user where that is NULL.
void sip_flow_write_uri(const struct sip_flow *flow, const char *user, struct writer *writer);
