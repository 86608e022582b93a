#pragma once

// What is demanded of whom a connection that we open leads to, and which connections do for whom.
// Runs on: control thread; memory only.

#include <stdbool.h>
#include <stdint.h>

#include "sip/flow.h"
#include "sip/tls/tls.h"

struct sip_tls_peer { // of a connection that we open: what is demanded of whom it leads to
	char known_as[SIP_FLOW_PEER_SIZE]; // the flow's, for who is told of failures
	char name
		[SIP_TLS_NAME_SIZE]; // asked for by SNI and looked for in its certificate; "": its address
	bool is_verified; // must its certificate be right?
	bool allows_deprecated; // TLS 1.0 and 1.1 (TLS-005)
	char certificate[SIP_TLS_NAME_SIZE], key[SIP_TLS_NAME_SIZE]; // files; "": none
};

// Reads a certificate of ours that a carrier wants to see, and keeps nothing. False: the problem says which
// of "tls_certificate" and "tls_key" is wrong, and how. Certificate "": there is none.
bool sip_tls_check_own(const char *certificate, const char *key,
		       struct sip_tls_problem *out_problem);
// What is demanded now of whom that flow leads to.
void sip_tls_find_peer(const struct sip_tls *tls, const struct sip_flow *flow,
		       struct sip_tls_peer *out_peer);
// Does a connection made for `made`, and of that version (0: not known yet), do for `wanted` as well? It
// does when it demanded as much and showed the same certificate of ours.
bool sip_tls_does_for(const struct sip_tls_peer *made, uint16_t version,
		      const struct sip_tls_peer *wanted);
