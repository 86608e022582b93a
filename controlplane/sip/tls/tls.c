// The door: streams that speak TLS, and the change from one set of files to the next. Runs on the
// control thread, but for sip_tls_expiries. Never waits; leaves no error of one connection to another.

#include "sip/tls/tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sip/tls/connection.h"

// Every handshake that ends well passes here, ours and theirs.
static void on_progress(const SSL *ssl, int where, int result)
{
	struct tls_connection *connection = tls_connection_of(ssl);
	(void)result;
	if ((where & SSL_CB_HANDSHAKE_DONE) == 0 || connection == NULL || connection->is_open)
		return; // TLS 1.3 says it again for each ticket
	struct sip_tls_counters *counters = &connection->tls->counters;
	unsigned version = (unsigned)(SSL_version(ssl) - SIP_TLS_1_0);
	connection->is_open = true;
	if (version < sizeof counters->handshakes / sizeof counters->handshakes[0])
		counter_add(&counters->handshakes[version], 1);
	if (SSL_session_reused(ssl))
		counter_add(&counters->resumed, 1);
}

static struct tls_identity *read_files(struct sip_tls *tls, const struct sip_tls_files *files,
				       struct sip_tls_problem *problem)
{
	struct tls_identity *identity =
		tls_identity_create(files, atomic_load(&tls->identity), problem);
	if (identity == NULL)
		return NULL;
	if (identity->server != NULL) {
		sip_tls_hello_attach(tls, identity->server);
		SSL_CTX_set_info_callback(identity->server, on_progress);
	}
	sip_tls_client_attach(identity->client);
	SSL_CTX_set_info_callback(identity->client, on_progress);
	return identity;
}

enum status sip_tls_reload(struct sip_tls *tls, const struct sip_tls_files *files,
			   struct sip_tls_problem *out_problem)
{
	struct tls_ticket ticket;
	out_problem->text[0] = '\0';
	if (!tls_ticket_init(&ticket, files->ticket_key_file, out_problem)) {
		tls_ticket_clear(&ticket);
		return ERR_MALFORMED;
	}
	struct tls_identity *fresh = read_files(tls, files, out_problem);
	if (fresh == NULL) {
		tls_ticket_clear(&ticket);
		return out_problem->text[0] != '\0' ? ERR_MALFORMED : ERR_MEMORY;
	}
	tls_ticket_adopt(&tls->ticket, &ticket);
	sip_tls_client_forget(tls);
	struct tls_identity *former = atomic_exchange(&tls->identity, fresh);
	while (atomic_load(&tls->readers) > 0) // a copy of some numbers: microseconds
		sched_yield();
	tls_identity_release(former);
	counter_add(&tls->counters.reloads, 1);
	return OK;
}

enum status sip_tls_create(const struct sip_tls_files *files, const struct sip_tls_user *user,
			   struct sip_tls **out_tls, struct sip_tls_problem *out_problem)
{
	struct sip_tls *tls = calloc(1, sizeof *tls);
	out_problem->text[0] = '\0';
	if (tls == NULL)
		return ERR_MEMORY;
	if (user != NULL)
		tls->user = *user;
	tls->wires = tls_wires_create();
	enum status status =
		tls->wires != NULL ? sip_tls_reload(tls, files, out_problem) : ERR_MEMORY;
	if (status != OK) {
		sip_tls_destroy(tls);
		return status;
	}
	counter_set(&tls->counters.reloads, 0);
	*out_tls = tls;
	return OK;
}

void sip_tls_destroy(struct sip_tls *tls)
{
	if (tls == NULL)
		return;
	sip_tls_client_forget(tls);
	tls_identity_release(atomic_load(&tls->identity));
	tls_ticket_clear(&tls->ticket);
	tls_wires_release(tls->wires);
	free(tls);
}

bool sip_tls_can_accept(const struct sip_tls *tls)
{
	return atomic_load(&tls->identity)->server != NULL;
}

static void forget(struct tls_connection *connection)
{
	tls_identity_release(connection->identity);
	free(connection);
}

static struct tls_connection *begin(struct sip_tls *tls, const struct address *remote, bool is_ours)
{
	struct tls_connection *connection = calloc(1, sizeof *connection);
	if (connection == NULL)
		return NULL;
	connection->tls = tls;
	connection->identity = tls_identity_keep(atomic_load(&tls->identity));
	connection->remote = *remote;
	connection->is_ours = is_ours;
	ERR_clear_error();
	return connection;
}

static struct bufferevent *open_stream(struct event_base *loop, int fd, SSL *ssl,
				       struct tls_connection *connection)
{
	enum bufferevent_ssl_state state =
		connection->is_ours ? BUFFEREVENT_SSL_CONNECTING : BUFFEREVENT_SSL_ACCEPTING;
	struct bufferevent *stream = NULL;
	if (ssl != NULL && tls_wires_attach(connection->tls->wires, ssl, fd)) {
		SSL_set_app_data(ssl, connection);
		stream =
			bufferevent_openssl_socket_new(loop, fd, ssl, state, BEV_OPT_CLOSE_ON_FREE);
	}
	if (stream == NULL) {
		SSL_free(ssl);
		forget(connection);
		return NULL;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}

struct bufferevent *sip_tls_accept(struct sip_tls *tls, struct event_base *loop, int fd,
				   const struct address *remote)
{
	struct tls_connection *connection = begin(tls, remote, false);
	if (connection == NULL)
		return NULL;
	SSL *ssl =
		connection->identity->server != NULL ? SSL_new(connection->identity->server) : NULL;
	return open_stream(loop, fd, ssl, connection);
}

struct bufferevent *sip_tls_connect(struct sip_tls *tls, struct event_base *loop, int fd,
				    const struct address *remote, const struct sip_tls_peer *peer)
{
	struct tls_connection *connection = begin(tls, remote, true);
	if (connection == NULL)
		return NULL;
	(void)text_copy(text_of(peer->known_as), connection->known_as, sizeof connection->known_as);
	return open_stream(loop, fd, sip_tls_client_open(tls, peer, connection), connection);
}

static void read_subject(const SSL *ssl, char *room, size_t size)
{
	X509 *peer = SSL_get0_peer_certificate(ssl);
	BIO *out = peer != NULL ? BIO_new(BIO_s_mem()) : NULL;
	char *text = NULL;
	room[0] = '\0';
	if (out != NULL &&
	    X509_NAME_print_ex(out, X509_get_subject_name(peer), 0, XN_FLAG_RFC2253) >= 0) {
		long length = BIO_get_mem_data(out, &text);
		text_copy_cut((struct text){ text, (size_t)length }, room, size);
	}
	BIO_free(out);
}

#define PEER_NAMES_MAX 16 // of a client's certificate

// By its DNS names alone, and no more of them than anybody needs: wildcards and common names are nobody.
static void read_peer(const SSL *ssl, const struct sip_tls_user *user, struct sip_tls_facts *facts)
{
	GENERAL_NAMES *names =
		X509_get_ext_d2i(SSL_get0_peer_certificate(ssl), NID_subject_alt_name, NULL, NULL);
	int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
	bool is_found = false;
	for (int i = 0; i < count && i < PEER_NAMES_MAX && !is_found; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type != GEN_DNS)
			continue;
		const ASN1_IA5STRING *octets = name->d.dNSName;
		struct text text = { (const char *)ASN1_STRING_get0_data(octets),
				     (size_t)ASN1_STRING_length(octets) };
		is_found = user->find_certified(user->context, text, facts->peer);
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
}

void sip_tls_read(struct bufferevent *stream, struct sip_tls_facts *out_facts)
{
	const SSL *ssl = bufferevent_openssl_get_ssl(stream);
	const struct tls_connection *connection = tls_connection_of(ssl);
	*out_facts = (struct sip_tls_facts){ .version = (uint16_t)SSL_version(ssl),
					     .cipher = SSL_get_cipher_name(ssl),
					     .is_resumed = SSL_session_reused(ssl) == 1 };
	read_subject(ssl, out_facts->subject, sizeof out_facts->subject);
	out_facts->is_verified =
		out_facts->subject[0] != '\0' && SSL_get_verify_result(ssl) == X509_V_OK;
	if (connection != NULL && !connection->is_ours && out_facts->is_verified &&
	    connection->tls->user.find_certified != NULL)
		read_peer(ssl, &connection->tls->user, out_facts);
	if (connection != NULL)
		(void)text_copy(text_of(connection->server_name), out_facts->server_name,
				sizeof out_facts->server_name);
}

#define MORE_SIZE 4096 // octets at a time, as libevent does

static enum sip_tls_more verdict_of(const SSL *ssl, int result)
{
	int error = SSL_get_error(ssl, result);
	ERR_clear_error();
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return SIP_TLS_NOTHING;
	return error == SSL_ERROR_ZERO_RETURN ? SIP_TLS_GOODBYE : SIP_TLS_BROKEN;
}

enum sip_tls_more sip_tls_more(struct bufferevent *stream)
{
	SSL *ssl = bufferevent_openssl_get_ssl(stream);
	struct evbuffer *input = bufferevent_get_input(stream);
	struct evbuffer_iovec room;
	if (SSL_has_pending(ssl) == 0 || evbuffer_reserve_space(input, MORE_SIZE, &room, 1) != 1)
		return SIP_TLS_NOTHING;
	int size = room.iov_len < MORE_SIZE ? (int)room.iov_len : MORE_SIZE;
	ERR_clear_error();
	int result = SSL_read(ssl, room.iov_base, size);
	if (result <= 0)
		return verdict_of(ssl, result);
	room.iov_len = (size_t)result;
	return evbuffer_commit_space(input, &room, 1) == 0 ? SIP_TLS_SOME : SIP_TLS_BROKEN;
}

size_t sip_tls_write(struct bufferevent *stream, struct text octets)
{
	SSL *ssl = bufferevent_openssl_get_ssl(stream);
	size_t sent = 0, wrote = 0;
	ERR_clear_error();
	while (sent < octets.size &&
	       SSL_write_ex(ssl, octets.data + sent, octets.size - sent, &wrote) == 1)
		sent += wrote;
	ERR_clear_error(); // what is wrong with it the loop will find
	return sent;
}

// The library takes a session for broken whose connection was freed without a goodbye both ways.
void sip_tls_close(struct bufferevent *stream, bool has_timed_out)
{
	SSL *ssl = bufferevent_openssl_get_ssl(stream);
	struct tls_connection *connection = tls_connection_of(ssl);
	unsigned long error = bufferevent_get_openssl_error(stream);
	if (connection != NULL && !connection->is_open)
		sip_tls_failure_note(connection, error, has_timed_out);
	if (connection != NULL && connection->is_open && error == 0 && SSL_is_init_finished(ssl))
		(void)SSL_shutdown(ssl);
	if (error == 0)
		SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_set_app_data(ssl, NULL);
	ERR_clear_error();
	bufferevent_free(stream);
	ERR_clear_error();
	if (connection != NULL)
		forget(connection);
}

const struct sip_tls_counters *sip_tls_counters(const struct sip_tls *tls)
{
	return &tls->counters;
}

unsigned sip_tls_certificate_count(const struct sip_tls *tls)
{
	return atomic_load(&tls->identity)->certificate_count;
}

const struct sip_tls_certificate *sip_tls_certificate(const struct sip_tls *tls, unsigned nth)
{
	return &atomic_load(&tls->identity)->certificates[nth].facts;
}

bool sip_tls_covers(const struct sip_tls *tls, struct text name)
{
	return tls_identity_covers(atomic_load(&tls->identity), name);
}

unsigned sip_tls_expiries(const struct sip_tls *tls, struct sip_tls_expiry *out_expiries,
			  unsigned max)
{
	struct sip_tls *counted = (struct sip_tls *)tls; // its reader count alone
	atomic_fetch_add(&counted->readers, 1);
	const struct tls_identity *identity = atomic_load(&tls->identity);
	unsigned count = identity->certificate_count < max ? identity->certificate_count : max;
	for (unsigned i = 0; i < count; i++) {
		const struct sip_tls_certificate *facts = &identity->certificates[i].facts;
		out_expiries[i].not_after_s = facts->not_after_s;
		memcpy(out_expiries[i].label, facts->label, sizeof facts->label);
	}
	atomic_fetch_sub(&counted->readers, 1);
	return count;
}
