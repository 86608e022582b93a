#pragma once

// TLS of SIP's streams: certificates, versions, suites, tickets, and what became of handshakes. A
// stream is a libevent bufferevent; its life, limits and handshake deadline are its user's.
// Runs on: control thread, but for what says otherwise. Never blocks; files are read at create and
// reload alone, and once per client certificate of a carrier.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/counter.h"
#include "base/status.h"
#include "base/text.h"
#include "sip/flow.h"

struct bufferevent;
struct event_base;
struct sip_flow;
struct sip_tls;
struct sip_tls_peer;

#define SIP_TLS_NAME_SIZE 256
#define SIP_TLS_CERTIFICATES_MAX 64
#define SIP_TLS_1_0 0x0301
#define SIP_TLS_1_2 0x0303
#define SIP_TLS_1_3 0x0304

// clang-format off
// Why a handshake failed: enumerator, metric label, sentence of the log and of alerts.
#define SIP_TLS_REASON_LIST(ROW)                                                                   \
	ROW(DEPRECATED, "deprecated_version", "TLS older than 1.2, which no setting allows")       \
	ROW(VERSION, "version", "no TLS version in common")                                        \
	ROW(CIPHER, "cipher", "no cipher suite in common")                                         \
	ROW(NOT_TLS, "not_tls", "what came is no TLS")                                             \
	ROW(ALERT, "alert", "the peer refused: see what it says")                                  \
	ROW(CERTIFICATE, "certificate", "the peer's certificate is not trusted")                   \
	ROW(CLOSED, "closed", "the peer closed the connection")                                    \
	ROW(TIMEOUT, "timeout", "the handshake took too long")                                     \
	ROW(OTHER, "other", "the peer broke the protocol")
#define SIP_TLS_REASON_ENUMERATOR(name, label, text) SIP_TLS_##name,
enum sip_tls_reason { SIP_TLS_REASON_LIST(SIP_TLS_REASON_ENUMERATOR) SIP_TLS_REASON_COUNT };
// clang-format on
#undef SIP_TLS_REASON_ENUMERATOR

const char *sip_tls_reason_label(unsigned reason); // NULL past the last
const char *sip_tls_reason_text(enum sip_tls_reason reason);
const char *sip_tls_suites(bool is_13); // by the library's names, ':' between, in our order
const char *sip_tls_version_text(uint16_t version); // "1.2"; "none" when 0

struct sip_tls_files { // paths; NULL or "": none
	const char *rsa_certificate, *rsa_key; // chain files begin with the leaf (TLS-009)
	const char *ecdsa_certificate, *ecdsa_key;
	const char *
		certificate_directory; // NAME.crt with NAME.key each: chosen by SNI (TLS-010 to -012)
	const char *ca_file; // whom carriers' certificates must come from; none: the system's
	const char *client_ca_file; // asks clients for a certificate, which they may leave out
	const char *ticket_key_file; // shared by nodes that resume each other's sessions
	bool has_tls13, prefers_own_order;
};

struct sip_tls_problem { // "tls.rsa_key: FILE: what is wrong; what to do"
	char text[512];
};

struct sip_tls_failure { // one handshake that failed
	enum sip_tls_reason reason;
	struct address remote;
	bool is_ours; // we opened the connection
	const char *known_as; // whom we meant to reach, when it is ours; ""
	uint16_t version; // highest that the peer offered; 0: it said none
	struct text server_name; // SNI, as sent; may be empty
	const char *detail; // what the library says of it
};

struct sip_tls_user { // what only those who know customers can tell; each may be NULL
	// TLS 1.0 and 1.1 of a client that names that server; called only when it offers no better (D-4).
	bool (*allows_deprecated)(void *context, struct text server_name);
	void (*failed)(void *context, const struct sip_tls_failure *failure); // at a bounded rate
	// What is demanded of whom that flow leads to? false: nobody we know, who must then have a right
	// certificate.
	bool (*find_peer)(void *context, const struct sip_flow *flow,
			  struct sip_tls_peer *out_peer);
	// Who is it that came with a right certificate (tls.client_ca_file) for that name? false: nobody.
	bool (*find_certified)(void *context, struct text name,
			       char out_peer[static SIP_FLOW_PEER_SIZE]);
	void *context;
};

struct sip_tls_facts { // of a stream, once it is open
	uint16_t version;
	const char *cipher; // constant
	bool is_resumed;
	bool is_verified; // the certificate it showed is from a CA of ours
	char server_name[SIP_TLS_NAME_SIZE]; // SNI
	char subject[SIP_TLS_NAME_SIZE]; // of the peer's certificate; "": it showed none
	char peer[SIP_FLOW_PEER_SIZE]; // who came to us, by a right one; "": nobody we know
};

struct sip_tls_counters {
	struct counter handshakes[4]; // by version, 1.0 to 1.3
	struct counter resumed; // of these
	struct counter failures[SIP_TLS_REASON_COUNT];
	struct counter reloads;
};

struct sip_tls_certificate {
	char label[64]; // "rsa", "ecdsa", or the NAME of its file
	char file[SIP_TLS_NAME_SIZE];
	char subject[SIP_TLS_NAME_SIZE], issuer[SIP_TLS_NAME_SIZE];
	char names[1024]; // SANs, ", " between, cut at the end
	char key_type[32];
	int64_t not_before_s, not_after_s; // since 1970
	bool is_default; // shown when no name matches
};

struct sip_tls_expiry { // of one certificate
	char label[64];
	int64_t not_after_s;
};

// Without any certificate it can connect but not accept. Wrong files: ERR_MALFORMED, and the problem.
enum status sip_tls_create(const struct sip_tls_files *files, const struct sip_tls_user *user,
			   struct sip_tls **out_tls, struct sip_tls_problem *out_problem);
void sip_tls_destroy(struct sip_tls *tls); // after its last stream
// New handshakes see the new files, streams that are open go on. What is wrong changes nothing.
enum status sip_tls_reload(struct sip_tls *tls, const struct sip_tls_files *files,
			   struct sip_tls_problem *out_problem);
bool sip_tls_can_accept(const struct sip_tls *tls); // has a certificate
// A stream that owns the connected (or connecting) non-blocking socket, without callbacks, reading
// nothing yet: BEV_EVENT_CONNECTED comes when its handshake is done. NULL: no memory, or a client
// certificate that cannot be read (logged); the socket is then still the caller's.
struct bufferevent *sip_tls_accept(struct sip_tls *tls, struct event_base *loop, int fd,
				   const struct address *remote);
struct bufferevent *sip_tls_connect(struct sip_tls *tls, struct event_base *loop, int fd,
				    const struct address *remote, const struct sip_tls_peer *peer);
void sip_tls_read(struct bufferevent *stream, struct sip_tls_facts *out_facts);
// What the library has read from the socket, and libevent does not know of: it is moved to the stream's
// input, some at a time. To be asked whenever the input has been looked at, until nothing is left.
enum sip_tls_more { SIP_TLS_NOTHING, SIP_TLS_SOME, SIP_TLS_GOODBYE, SIP_TLS_BROKEN };
enum sip_tls_more sip_tls_more(struct bufferevent *stream);
// Of an open stream whose output is empty: how many octets went to the kernel. The rest, unchanged and before
// all else, belongs into its output.
size_t sip_tls_write(struct bufferevent *stream, struct text octets);
// Says goodbye, frees the stream and closes its socket. A handshake that was not done counts as
// failed: for what the library says, else because it timed out or the peer went. Not for plain streams.
void sip_tls_close(struct bufferevent *stream, bool has_timed_out);

const struct sip_tls_counters *sip_tls_counters(const struct sip_tls *tls);
unsigned sip_tls_certificate_count(const struct sip_tls *tls);
const struct sip_tls_certificate *sip_tls_certificate(const struct sip_tls *tls, unsigned nth);
// Does any certificate match that name, as clients match it? "a.example" or "*.example" (TLS-012).
bool sip_tls_covers(const struct sip_tls *tls, struct text name);
// The certificates above our own, each once, as PEM for customers who verify us (TLS-013). Allocated.
char *sip_tls_write_bundle(const struct sip_tls *tls);
// Any thread: copies at most max of them, returns how many.
unsigned sip_tls_expiries(const struct sip_tls *tls, struct sip_tls_expiry *out_expiries,
			  unsigned max);
