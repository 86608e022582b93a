// Connections that we open: whom we ask for, what we demand of its certificate, which session we bring
// back, which certificate of ours it may see. Runs on the control thread.

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "sip/tls/connection.h"
#include "sip/tls/context.h"

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_connection *connection = tls_connection_of(ssl);
	if (connection == NULL || connection->session_place == 0)
		return 0;
	tls_sessions_keep(&connection->tls->sessions, connection->session_place, session);
	return 1; // kept
}

void sip_tls_client_attach(SSL_CTX *client)
{
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client, on_session);
}

void sip_tls_client_forget(struct sip_tls *tls)
{
	for (unsigned i = 0; i < tls->client_count; i++)
		tls_certificate_clear(&tls->clients[i].certificate);
	tls->client_count = 0;
	tls_sessions_clear(&tls->sessions);
}

static bool load_own(const char *certificate, const char *key, struct tls_certificate *out_own,
		     struct sip_tls_problem *problem)
{
	struct tls_pair pair = { "carrier", "tls_certificate", "tls_key", certificate, key, 0 };
	return tls_certificate_load(&pair, out_own, problem);
}

bool sip_tls_check_own(const char *certificate, const char *key,
		       struct sip_tls_problem *out_problem)
{
	struct tls_certificate own;
	if (certificate[0] == '\0' && key[0] == '\0')
		return true;
	if (certificate[0] == '\0')
		return tls_certificate_problem(out_problem, "tls_key", key,
					       "is the key of no certificate; give that too");
	bool is_right = load_own(certificate, key, &own, out_problem);
	if (is_right)
		tls_certificate_clear(&own);
	return is_right;
}

static const struct tls_certificate *find_certificate(struct sip_tls *tls,
						      const struct sip_tls_peer *peer)
{
	struct sip_tls_problem problem;
	struct tls_client *client = NULL;
	for (unsigned i = 0; i < tls->client_count; i++) {
		client = &tls->clients[i];
		if (strcmp(client->file, peer->certificate) == 0 &&
		    strcmp(client->key_file, peer->key) == 0)
			return &client->certificate;
	}
	unsigned seat = tls->client_count < TLS_CLIENTS_MAX ? tls->client_count : 0;
	struct tls_certificate certificate;
	if (!load_own(peer->certificate, peer->key, &certificate, &problem)) {
		log_event(LOG_ERROR, "tls_client_certificate", "problem", problem.text, NULL);
		return NULL;
	}
	client = &tls->clients[seat];
	if (seat == tls->client_count)
		tls->client_count++;
	else
		tls_certificate_clear(&client->certificate);
	client->certificate = certificate;
	(void)text_copy(text_of(peer->certificate), client->file, sizeof client->file);
	(void)text_copy(text_of(peer->key), client->key_file, sizeof client->key_file);
	return &client->certificate;
}

// A name by RFC 6125, or the address itself when the carrier is known by nothing else (RFC 5922 7.1
// would have no wildcards; CAs' certificates have them).
static bool demand(SSL *ssl, const struct sip_tls_peer *peer, const struct address *remote)
{
	X509_VERIFY_PARAM *rules = SSL_get0_param(ssl);
	struct address literal;
	SSL_set_verify(ssl, peer->is_verified ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (peer->name[0] != '\0' && !address_parse(text_of(peer->name), &literal)) {
		X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		return SSL_set_tlsext_host_name(ssl, peer->name) == 1 &&
		       X509_VERIFY_PARAM_set1_host(rules, peer->name, 0) == 1;
	}
	return X509_VERIFY_PARAM_set1_ip(rules, remote->octets,
					 remote->family == ADDRESS_IPV6 ? 16 : 4) == 1;
}

// All that a session stands for: it is resumed without looking at certificates again.
static void choose_session_place(const struct sip_tls_peer *peer, struct tls_connection *connection)
{
	char room[1024], address[ADDRESS_TEXT_SIZE];
	struct writer writer = writer_of(room, sizeof room);
	writer_format(&writer, "%s %s %d %d %s %s", address_string(&connection->remote, address),
		      peer->name, peer->is_verified, peer->allows_deprecated, peer->certificate,
		      peer->key);
	connection->session_place = writer.failed ? 0 : map_hash(writer_done(&writer));
}

static bool prepare(struct sip_tls *tls, SSL *ssl, const struct sip_tls_peer *peer,
		    struct tls_connection *connection)
{
	if (peer->allows_deprecated)
		sip_tls_context_allow_deprecated(ssl);
	if (peer->certificate[0] != '\0') {
		const struct tls_certificate *own = find_certificate(tls, peer);
		if (own == NULL ||
		    SSL_use_cert_and_key(ssl, own->leaf, own->key, own->chain, 1) != 1)
			return false;
	}
	if (!demand(ssl, peer, &connection->remote))
		return false;
	choose_session_place(peer, connection);
	SSL_SESSION *session = tls_sessions_find(&tls->sessions, connection->session_place);
	if (session != NULL)
		(void)SSL_set_session(ssl, session);
	return true;
}

SSL *sip_tls_client_open(struct sip_tls *tls, const struct sip_tls_peer *peer,
			 struct tls_connection *connection)
{
	(void)text_copy(text_of(peer->name), connection->server_name,
			sizeof connection->server_name);
	SSL *ssl = SSL_new(connection->identity->client);
	if (ssl != NULL && prepare(tls, ssl, peer, connection))
		return ssl;
	SSL_free(ssl);
	ERR_clear_error();
	return NULL;
}
