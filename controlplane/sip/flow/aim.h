#pragma once

// Where a request to a URI goes, seen from a flow on which its owner was met.
// Runs on: control thread. Inside sip/ only.

#include "sip/flow.h"
#include "sip/flow/home.h"
#include "sip/message.h"

// By which transport its owner wants to be spoken to; who does not say, as it was met.
enum sip_protocol sip_flow_protocol(const struct sip_uri *uri, enum sip_protocol met);
// Whom we met by TLS we speak to by TLS, whatever his Contact says: re-INVITEs tell keys (SRTP-007).
bool sip_flow_leaves_tls(const struct sip_uri *uri, enum sip_protocol met);
// May a flow go on to that address, by the protocol it has? No peer sends us to what listens on this host or
// link, at whichever of its addresses, or by a connection to what listens inside a network when it came from
// outside: a Contact with 127.0.0.1 would carry the other party's INFO to any service there.
bool sip_flow_may_reach(const struct sip_home *home, const struct sip_flow *flow,
			const struct address *address);
// By the URI's host, port and transport (RFC 3263 4.1), from the port of ours that goes with it. The owner of
// a host that is a name is where it was met, until sip/flow/follow.h has its address. The connection is kept
// as long as the transport is.
void sip_flow_aim(const struct sip_flow *met, const struct sip_uri *uri,
		  const struct sip_home *home, struct sip_flow *out_flow);
