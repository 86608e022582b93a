#pragma once

// Sessions that servers gave us, by where we connected and under which rules: the next connection
// there resumes. Private to sip/tls/.
// Runs on: control thread.

#include <openssl/ssl.h>

#include <stdint.h>

#define TLS_SESSIONS_MAX 256

struct tls_session {
	uint64_t place; // a hash of the destination and its rules
	SSL_SESSION *session;
};

// A place has two seats by its hash; the older gives way. So it is bounded, and needs no list.
struct tls_sessions {
	struct tls_session places[TLS_SESSIONS_MAX];
};

// Takes the reference over.
void tls_sessions_keep(struct tls_sessions *sessions, uint64_t place, SSL_SESSION *session);
SSL_SESSION *tls_sessions_find(const struct tls_sessions *sessions, uint64_t place); // or NULL
void tls_sessions_clear(struct tls_sessions *sessions);
