#pragma once

// What we offer and take: versions, suites, groups, options. Private to sip/tls/.
// Runs on: control thread.

#include <openssl/ssl.h>

#include "sip/tls/tls.h"

SSL_CTX *sip_tls_context_create(bool is_server, const struct sip_tls_files *files);
// TLS 1.0 and 1.1 for this one connection (TLS-015: the library blocks them otherwise).
void sip_tls_context_allow_deprecated(SSL *ssl);
