#pragma once

// Who uses the transactions: what they ask it, and what they tell it.
// Runs on: control thread. Nothing a message holds lives longer than the call of a function here.

#include <stdbool.h>

#include "base/text.h"
#include "sip/message.h"

struct sip_server; // one server transaction
struct sip_client; // one client transaction

enum sip_failure {
	SIP_FAILURE_TIMEOUT, // Timer B, F or C
	SIP_FAILURE_TRANSPORT, // could not be sent
};

struct sip_user {
	void *context;
	// May this request have any answer? Asked before a transaction is made, whether it claims a
	// dialog or not; false drops it without a word (TERM-005). Malformed requests ask too, before
	// they are refused: then only method, target and the addresses of `request` are sure, and the
	// tags where they can be read. A tel: target has no host.
	bool (*is_known)(void *context, const struct sip_message *request);
	// A new request (never ACK, never a retransmission). Answer it with sip_server_reply, now or later.
	// `server` stays valid until sip_server_release, which the user owes exactly once.
	void (*request)(void *context, struct sip_server *server,
			const struct sip_message *request);
	// CANCEL matched this INVITE server transaction that has no final answer yet; the 200 to the
	// CANCEL is already sent. The user answers the INVITE with 487.
	void (*cancelled)(void *context, struct sip_server *server,
			  const struct sip_message *cancel);
	// ACK of a 2xx (it is in no transaction), or an ACK that matches nothing.
	void (*acknowledged)(void *context, const struct sip_message *ack);
	// Responses of a client transaction, provisional (100 too) and final; a retransmitted or forked
	// 2xx to INVITE comes again. `owner` is what sip_client_send was given. After a final response
	// other than a 2xx to INVITE `client` ends with this call: keep it no longer. After a 2xx to
	// INVITE it stays valid until sip_client_forget, which the user then owes.
	void (*response)(void *context, struct sip_client *client, void *owner,
			 const struct sip_message *response);
	// The end without a final response; no more comes from this transaction, and `client` ends with
	// this call. A late answer is cancelled or acknowledged below, a late 2xx is a stray response.
	void (*failed)(void *context, struct sip_client *client, void *owner,
		       enum sip_failure failure);
	// A 2xx in no transaction's life any more is given too: late 200 (ORIG-031). May be NULL.
	void (*stray_response)(void *context, const struct sip_message *response);
	// Header lines for the CANCEL of the owner's INVITE, borrowed (RFC 3326). May be NULL.
	struct text (*cancel_headers)(void *context, void *owner);
	// A response whose Via is not what we sent: it is dropped (SIP-011, SIP-013). May be NULL.
	void (*wrong_via)(void *context, const struct sip_message *response);
	struct text allow; // the Allow line of a 501; may be empty
};
