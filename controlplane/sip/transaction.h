#pragma once

// Transactions by RFC 3261 17 and RFC 6026: retransmissions, timers and matching end here; what goes
// up to the user is each request and each response once (2xx to INVITE: every one, marked).
// Runs on: control thread; time comes from the clock and wheel given at creation.

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/wheel.h"
#include "sip/message.h"
#include "sip/transaction_counters.h"
#include "sip/transport.h"
#include "sip/user.h"

struct sip_transactions;

struct sip_transaction_options {
	const struct clock *clock;
	struct wheel *wheel;
	struct sip_user user;
	sip_transport_send_fn send;
	// That connection brought an INVITE which got as far as ringing. NULL: nobody asks.
	void (*trust)(void *send_context, uint64_t connection);
	// That connection's peer is not to be spoken to any more. NULL: it stays.
	void (*dismiss)(void *send_context, uint64_t connection);
	void *send_context;
	uint32_t t1_ms, t2_ms, t4_ms;
	uint32_t transactions_max; // above it new requests get 503 (bounded memory)
	unsigned shard; // of this control thread (sip/shard/shard.h); 0 when there is one
	const char *user_agent; // Server and User-Agent header
	struct sip_guard *guard; // is told of what sources do; may be NULL
};

struct sip_transactions *sip_transactions_create(const struct sip_transaction_options *options);
void sip_transactions_destroy(struct sip_transactions *transactions);
// A sip_transport_receive_fn; context is the struct sip_transactions.
void sip_transaction_receive(void *transactions, struct text octets, const struct sip_flow *flow);
// A head whose message has no sure end, from a stream: answered with that status, if it can be.
void sip_transaction_refuse(void *transactions, struct text head, const struct sip_flow *flow,
			    unsigned status, const char *reason);
// That connection has ended, or could not be made: who waits on it and has heard nothing fails at once
// (D-20). Called by the loop, never from within a send.
void sip_transactions_broken(void *transactions, uint64_t connection);
// For want of time: 503 with Retry-After to an INVITE that is new, all else as ever.
void sip_transaction_shed(void *transactions, struct text octets, const struct sip_flow *flow);
const struct sip_transaction_counters *
sip_transaction_counters(const struct sip_transactions *transactions);

// ---- server side. Responses go to the source of the request (RFC 3581, SIP-027).

struct sip_answer {
	unsigned status;
	const char *reason; // NULL: the RFC's phrase
	struct text headers; // further header lines, each with its CRLF
	struct text record_route; // our own line with its CRLF, put above the request's (SIP-002)
	struct text content_type; // empty: no body
	struct text body;
	const char *to_tag; // NULL: the transaction's own, made once and kept
	bool is_last; // of sip_server_refuse: the request's connection is closed behind it
};

// Written from the request's Via, From, To, Call-ID, CSeq and, in a dialog, Record-Route. A 2xx to INVITE is
// repeated (T1 doubling to T2, RFC 3261 13.3.1.4) until sip_server_acknowledged or _release.
enum status sip_server_reply(struct sip_server *server, const struct sip_answer *answer);
void sip_server_acknowledged(struct sip_server *server); // its 2xx was acknowledged
void sip_server_resend(struct sip_server *server); // its last response, as it was (RFC 3262 3)
const char *sip_server_to_tag(const struct sip_server *server);
bool sip_server_has_final(const struct sip_server *server);
uint32_t sip_server_cseq(const struct sip_server *server); // of its request, and of its ACK
// Whose answers these are, for when its connection is gone: of the dialog's flow (struct sip_flow).
void sip_server_set_peer(struct sip_server *server, const char *peer);
void sip_server_set_owner(struct sip_server *server, void *owner); // user's pointer; NULL at first
void *sip_server_owner(const struct sip_server *server);
// The user is done with it; it lives on as long as the RFC wants. Without a final answer it answers 500.
void sip_server_release(struct sip_server *server);
// The only answer to somebody unknown, whose address may be forged: sent once and never repeated,
// never longer than the request (header lines of the answer are left out as it needs), and nothing is
// remembered (RFC 3261 8.2.7). Releases it.
void sip_server_refuse(struct sip_server *server, const struct sip_answer *answer);

// ---- client side

struct sip_request {
	enum sip_method method;
	struct text target; // Request-URI
	struct text from, to; // whole header values, tags included
	struct text call_id;
	uint32_t cseq;
	struct text routes; // "Route: …\r\n" lines, may be empty
	struct text headers; // further lines, each with its CRLF: Contact, …
	struct text content_type, body;
	unsigned max_forwards;
	struct sip_flow flow; // from which address of ours to where
};

// Starts a client transaction. Timers B and F run by no_response_ms when not 0 (TERM-032: 4 s), for INVITE
// without any response, else without a final one. For INVITE ring_ms bounds Proceeding (Timer C), if not 0.
struct sip_client_limits {
	uint32_t no_response_ms;
	uint32_t ring_ms;
};
enum status sip_client_send(struct sip_transactions *transactions,
			    const struct sip_request *request, struct sip_client_limits limits,
			    void *owner, struct sip_client **out_client);
// Sends CANCEL now, or as soon as a provisional response allows it (RFC 3261 9.1). The transaction
// still reports its final response (487, or a 2xx that crossed).
void sip_client_cancel(struct sip_client *client);
// The user wants to hear no more: a later 2xx of it is a stray response, anything else is dealt with
// here (a final answer to INVITE is still acknowledged). Does not cancel.
void sip_client_forget(struct sip_client *client);
// A request outside transactions: the ACK of a 2xx.
enum status sip_client_send_ack(struct sip_transactions *transactions,
				const struct sip_request *request);
