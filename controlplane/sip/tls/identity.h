#pragma once

// Everything read from files at one time: our certificates, the names they are for, whom we trust,
// and the contexts made of it. A reload makes another one; the old one lives as long as a connection
// that began with it. Private to sip/tls/.
// Runs on: control thread.

#include <openssl/ssl.h>
#include <sys/stat.h>

#include "sip/tls/certificate.h"

#define TLS_NAMES_MAX 4096

struct tls_name { // one name of one certificate
	char *name; // lower case, "*." at its start for a wildcard
	unsigned certificate;
};

struct tls_trust { // where the CAs of carriers came from: hundreds take long to read again
	char file[SIP_TLS_NAME_SIZE];
	struct stat facts;
};

struct tls_identity {
	unsigned references;
	SSL_CTX *server; // NULL: nothing to show
	SSL_CTX *client;
	struct tls_trust trust;
	struct tls_certificate certificates[SIP_TLS_CERTIFICATES_MAX];
	unsigned certificate_count;
	const struct tls_certificate *defaults[2]; // ECDSA, RSA: shown when no name matches
	struct tls_name *names; // sorted
	unsigned name_count;
};

struct sip_tls;

// With one reference; takes over CAs of the former one (or NULL) whose file has not changed. NULL: the
// problem says why.
struct tls_identity *tls_identity_create(const struct sip_tls_files *files,
					 const struct tls_identity *former,
					 struct sip_tls_problem *out_problem);
struct tls_identity *tls_identity_keep(struct tls_identity *identity);
void tls_identity_release(struct tls_identity *identity);
// Is there a certificate for that name, exactly or by a wildcard for its first label (RFC 6125 6.4.3)?
bool tls_identity_covers(const struct tls_identity *identity, struct text name);
// Puts the certificates for that name in place of the default ones, when others match.
bool tls_identity_show(const struct tls_identity *identity, SSL *ssl, struct text name);
