// What a client's first words decide: whether its version will do (D-4), and which certificates it
// sees. Runs on the control thread, inside the handshake; reads what the library has bounded, and at
// most 64 kB of that once. Never allocates.

#include <string.h>
#include <time.h>

#include "sip/tls/connection.h"
#include "sip/tls/context.h"

// RFC 6066 3: list length, type 0, length, name. Anything else: no name.
static void read_server_name(SSL *ssl, struct tls_connection *connection)
{
	const unsigned char *octets;
	size_t size;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &octets, &size) != 1 ||
	    size < 5 || octets[2] != TLSEXT_NAMETYPE_host_name)
		return;
	size_t length = (size_t)octets[3] << 8 | octets[4];
	if (length > size - 5 || memchr(octets + 5, '\0', length) != NULL)
		return;
	(void)text_copy((struct text){ (const char *)octets + 5, length }, connection->server_name,
			sizeof connection->server_name);
}

// RFC 8446 4.2.1, without the values of RFC 8701 that say nothing.
static uint16_t highest_version(SSL *ssl)
{
	const unsigned char *octets;
	size_t size;
	uint16_t highest = (uint16_t)SSL_client_hello_get0_legacy_version(ssl);
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &octets, &size) != 1)
		return highest;
	highest = 0;
	for (size_t i = 1; i + 1 < size; i += 2) {
		uint16_t version = (uint16_t)(octets[i] << 8 | octets[i + 1]);
		if (octets[i] == 0x03 && version > highest)
			highest = version;
	}
	return highest;
}

static void note_suites(SSL *ssl, struct tls_connection *connection)
{
	const unsigned char *octets;
	size_t size = SSL_client_hello_get0_ciphers(ssl, &octets);
	connection->suite_count = 0;
	for (size_t i = 0; i + 1 < size && connection->suite_count < TLS_SUITES_NOTED; i += 2)
		connection->suites[connection->suite_count++] =
			(uint16_t)(octets[i] << 8 | octets[i + 1]);
}

static int on_hello(SSL *ssl, int *out_alert, void *context)
{
	struct sip_tls *tls = context;
	struct tls_connection *connection = tls_connection_of(ssl);
	if (connection == NULL)
		return SSL_CLIENT_HELLO_ERROR;
	read_server_name(ssl, connection);
	note_suites(ssl, connection);
	connection->offered = highest_version(ssl);
	if (connection->offered >= TLS1_2_VERSION || connection->offered < TLS1_VERSION)
		return SSL_CLIENT_HELLO_SUCCESS; // the library does the rest
	if (tls->user.allows_deprecated != NULL &&
	    tls->user.allows_deprecated(tls->user.context, text_of(connection->server_name))) {
		sip_tls_context_allow_deprecated(ssl);
		return SSL_CLIENT_HELLO_SUCCESS;
	}
	connection->is_refused = true;
	connection->reason = SIP_TLS_DEPRECATED;
	*out_alert = SSL_AD_PROTOCOL_VERSION;
	return SSL_CLIENT_HELLO_ERROR;
}

static int on_certificate(SSL *ssl, void *context)
{
	struct tls_connection *connection = tls_connection_of(ssl);
	(void)context;
	return connection == NULL ||
	       tls_identity_show(connection->identity, ssl, text_of(connection->server_name));
}

static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
		     EVP_MAC_CTX *mac, int is_sealing)
{
	struct tls_connection *connection = tls_connection_of(ssl);
	const struct tls_ticket_parts parts = { name, iv, cipher, mac };
	if (connection == NULL)
		return 0;
	int result = tls_ticket_use(&connection->tls->ticket, (uint64_t)time(NULL), &parts,
				    is_sealing != 0);
	// RFC 8446 C.4: a ticket of TLS 1.3 is used once, so its owner gets the next one.
	return result == 1 && !is_sealing && SSL_version(ssl) == TLS1_3_VERSION ? 2 : result;
}

// A certificate is asked for, and what comes is looked at, but nobody is refused for it (TLS-014).
static int on_client_certificate(int is_right, X509_STORE_CTX *store)
{
	(void)is_right, (void)store;
	return 1;
}

void sip_tls_hello_attach(struct sip_tls *tls, SSL_CTX *server)
{
	static const unsigned char session_context[] = "trunkd sip";
	SSL_CTX_set_client_hello_cb(server, on_hello, tls);
	SSL_CTX_set_cert_cb(server, on_certificate, NULL);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(server, on_ticket);
	SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_session_id_context(server, session_context, sizeof session_context - 1);
	(void)SSL_CTX_set_timeout(server, TLS_TICKET_LIFETIME_S);
	(void)SSL_CTX_set_num_tickets(server, 1);
	if (SSL_CTX_get_client_CA_list(server) != NULL &&
	    sk_X509_NAME_num(SSL_CTX_get_client_CA_list(server)) > 0)
		SSL_CTX_set_verify(server, SSL_VERIFY_PEER, on_client_certificate);
}
