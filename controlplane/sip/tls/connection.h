#pragma once

// What is known of one connection while it lives; hangs on its SSL. Private to sip/tls/.
// Runs on: control thread.

#include <openssl/ssl.h>
#include <stdatomic.h>

#include "sip/tls/identity.h"
#include "sip/tls/peer.h"
#include "sip/tls/session.h"
#include "sip/tls/ticket.h"
#include "sip/tls/wire.h"

#define TLS_SUITES_NOTED 8

struct tls_connection {
	struct sip_tls *tls;
	struct tls_identity *identity; // that it began with
	struct address remote;
	bool is_ours, is_open;
	bool is_refused; // by our own rule: `reason` holds
	enum sip_tls_reason reason;
	uint16_t offered; // highest version in the ClientHello
	uint16_t suites[TLS_SUITES_NOTED]; // first ones of it
	unsigned suite_count;
	char server_name[SIP_TLS_NAME_SIZE]; // SNI, either way
	char known_as[SIP_FLOW_PEER_SIZE]; // of a connection of ours
	uint64_t session_place; // of a connection of ours; 0: it is not resumed
};

struct tls_client { // a client certificate of a carrier
	struct tls_certificate certificate;
	char file[SIP_TLS_NAME_SIZE], key_file[SIP_TLS_NAME_SIZE];
};

#define TLS_CLIENTS_MAX 32

struct sip_tls {
	struct sip_tls_counters counters;
	struct sip_tls_user user;
	struct tls_identity *_Atomic identity; // replaced by the control thread alone
	atomic_uint readers; // other threads that look at it now
	struct tls_ticket ticket;
	struct tls_sessions sessions;
	struct tls_client clients[TLS_CLIENTS_MAX]; // as used, forgotten at each reload
	unsigned client_count;
	uint64_t logged_second; // failures are logged and told at a bounded rate
	unsigned logged, unlogged;
	struct tls_wires *wires;
};

static inline struct tls_connection *tls_connection_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl); // NULL once it is being closed
}

void sip_tls_hello_attach(struct sip_tls *tls, SSL_CTX *server); // hello.c
SSL *sip_tls_client_open(struct sip_tls *tls, const struct sip_tls_peer *peer,
			 struct tls_connection *connection); // client.c
void sip_tls_client_attach(SSL_CTX *client);
void sip_tls_client_forget(struct sip_tls *tls);
// Counts, logs, tells; `error` is the library's, 0 when it has none. failure.c
void sip_tls_failure_note(struct tls_connection *connection, unsigned long error,
			  bool has_timed_out);
