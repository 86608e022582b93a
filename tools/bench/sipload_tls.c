// TLS of the load generator, both sides: a context each, and the sessions of earlier connections for
// those that are to resume one. Runs on the generator's thread.

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "sipload_wire.h"

#define SESSIONS 1024

struct sipload_tls {
	SSL_CTX *client, *server;
	SSL_SESSION *sessions[SESSIONS]; // a TLS 1.3 ticket is best used once, so there are many
	unsigned session_count;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct sipload_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	if (tls->session_count == SESSIONS)
		return 0;
	tls->sessions[tls->session_count++] = session;
	return 1;
}

static SSL_CTX *create_client(struct sipload_tls *tls, bool resumes)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (!context)
		return NULL;
	SSL_CTX_set_app_data(context, tls);
	SSL_CTX_set_mode(context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	// The certificate of the system under test is not what is measured.
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	if (resumes) {
		SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT |
								SSL_SESS_CACHE_NO_INTERNAL_STORE);
		SSL_CTX_sess_set_new_cb(context, keep_session);
	}
	return context;
}

static SSL_CTX *create_server(const struct sipload_options *options)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (!context)
		return NULL;
	SSL_CTX_set_mode(context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_use_certificate_chain_file(context, options->certificate) == 1 &&
	    SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) == 1)
		return context;
	ERR_print_errors_fp(stderr);
	SSL_CTX_free(context);
	return NULL;
}

struct sipload_tls *sipload_tls_create(const struct sipload_options *options)
{
	struct sipload_tls *tls = calloc(1, sizeof(*tls));
	bool serves = options->called_transport == SIPLOAD_TLS;
	if (!tls)
		return NULL;
	tls->client = create_client(tls, options->resumes);
	if (serves)
		tls->server = create_server(options);
	if (tls->client && (tls->server || !serves))
		return tls;
	sipload_tls_destroy(tls);
	return NULL;
}

void sipload_tls_destroy(struct sipload_tls *tls)
{
	if (!tls)
		return;
	while (tls->session_count > 0)
		SSL_SESSION_free(tls->sessions[--tls->session_count]);
	SSL_CTX_free(tls->client);
	SSL_CTX_free(tls->server);
	free(tls);
}

bool sipload_tls_open(struct sipload *load, struct sipload_way *way)
{
	struct sipload_tls *tls = load->tls;
	way->ssl = SSL_new(way->is_called ? tls->server : tls->client);
	if (!way->ssl || SSL_set_fd(way->ssl, way->fd) != 1)
		return false;
	if (way->is_called) {
		SSL_set_accept_state(way->ssl);
		return true;
	}
	SSL_set_connect_state(way->ssl);
	(void)SSL_set_tlsext_host_name(way->ssl, load->options.domain);
	if (tls->session_count > 0) {
		SSL_SESSION *session = tls->sessions[--tls->session_count];
		(void)SSL_set_session(way->ssl, session);
		SSL_SESSION_free(session);
	}
	return true;
}

static enum sipload_io outcome(struct sipload_way *way, int result)
{
	switch (SSL_get_error(way->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return SIPLOAD_IO_WAIT_READ;
	case SSL_ERROR_WANT_WRITE:
		return SIPLOAD_IO_WAIT_WRITE;
	default:
		return SIPLOAD_IO_FAILED;
	}
}

enum sipload_io sipload_tls_handshake(struct sipload *load, struct sipload_way *way)
{
	ERR_clear_error();
	int result = SSL_do_handshake(way->ssl);
	if (result != 1)
		return outcome(way, result);
	if (!way->is_called) {
		load->counts.handshakes++;
		load->counts.resumed += SSL_session_reused(way->ssl) == 1;
	}
	return SIPLOAD_IO_DONE;
}

enum sipload_io sipload_tls_read(struct sipload_way *way, size_t room, size_t *out_size)
{
	ERR_clear_error();
	int result = SSL_read_ex(way->ssl, way->in + way->in_used, room, out_size);
	return result == 1 ? SIPLOAD_IO_DONE : outcome(way, result);
}

enum sipload_io sipload_tls_write(struct sipload_way *way, size_t *out_size)
{
	ERR_clear_error();
	int result = SSL_write_ex(way->ssl, way->out + way->out_done, way->out_used - way->out_done,
				  out_size);
	return result == 1 ? SIPLOAD_IO_DONE : outcome(way, result);
}

// Without a farewell a session does not count as resumable.
void sipload_tls_close(struct sipload_way *way)
{
	if (!way->ssl)
		return;
	ERR_clear_error();
	if (SSL_is_init_finished(way->ssl))
		(void)SSL_shutdown(way->ssl);
	SSL_free(way->ssl);
	way->ssl = NULL;
}
