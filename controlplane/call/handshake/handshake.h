#pragma once

// What of TLS depends on whose connection it is: old versions are a setting of the account (TLS-003 to
// -006, D-4), failures are a customer's to hear of when one can be named (TLS-007), and carriers have
// rules of their own.
// Runs on: control thread.

#include "call/state.h"
#include "sip/tls/tls.h"

struct account;

// The callbacks of the TLS side; context is the struct calls.
void call_handshake_fill_user(struct calls *calls, struct sip_tls_user *out_user);
// May a request of that account come by this flow? False: the refusal says why not.
bool call_handshake_is_fit(const struct sip_flow *flow, const struct account *account,
			   struct refusal *refusal);
// The same for a request that is no INVITE. False: it is refused and the alert written.
bool call_handshake_passes(struct calls *calls, struct sip_server *server,
			   const struct sip_message *request);
