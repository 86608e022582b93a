// The policy of TLS in one place: TLS 1.2 and 1.3, exactly the suites of TLS-008, no renegotiation, no
// compression. Runs on the control thread.

#include "sip/tls/context.h"

// TLS-008, in the order in which we prefer them: forward secret ones first, ECDSA before RSA. Those
// without ECDHE or with CBC are old, and there because PBXs need them (TLS-015).
static const char suites[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
			     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
			     "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
			     "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
			     "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:"
			     "AES128-SHA:AES256-SHA";
static const char suites13[] =
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char groups[] = "P-256:X25519";

// Of OpenSSL: 112 bits of security, which the suites above meet; 0 takes what TLS 1.0 signs with.
#define LEVEL 2
#define LEVEL_DEPRECATED 0

SSL_CTX *sip_tls_context_create(bool is_server, const struct sip_tls_files *files)
{
	SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
	if (context == NULL)
		return NULL;
	SSL_CTX_set_security_level(context, LEVEL);
	// A peer that goes without goodbye is no attack: SIP's messages say how long they are.
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					     SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (files->prefers_own_order)
		SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
	else
		SSL_CTX_clear_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
	// One read of the socket for what has come, not two for each record: sip_tls_more() gives the rest.
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	bool is_set = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
		      SSL_CTX_set_max_proto_version(
			      context, files->has_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
		      SSL_CTX_set_cipher_list(context, suites) == 1 &&
		      SSL_CTX_set_ciphersuites(context, suites13) == 1 &&
		      SSL_CTX_set1_groups_list(context, groups) == 1;
	if (is_set)
		return context;
	SSL_CTX_free(context);
	return NULL;
}

void sip_tls_context_allow_deprecated(SSL *ssl)
{
	SSL_set_security_level(ssl, LEVEL_DEPRECATED);
	(void)SSL_set_min_proto_version(ssl, TLS1_VERSION);
}

const char *sip_tls_suites(bool is_13)
{
	return is_13 ? suites13 : suites;
}
