// The library's way to a socket: its own, but that a ticket goes with the answer that follows it, and a
// goodbye with the end of the connection. Alone each would cost a segment, and wake who has no use for it.
// Runs on the control thread. Never blocks.

#include "sip/tls/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

struct tls_wires {
	BIO_METHOD *method;
	unsigned users; // its owner, and each wire: libevent frees some after their owner is gone
};

struct wire {
	struct tls_wires *wires;
	const SSL *ssl;
	int fd;
};

static bool is_passing(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// The kernel holds back what MSG_MORE goes with until more comes or the socket is closed, 200 ms at most.
static bool is_followed(const SSL *ssl)
{
	return SSL_get_state(ssl) == TLS_ST_SW_SESSION_TICKET ||
	       (SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN) != 0;
}

static int wire_write(BIO *bio, const char *octets, int size)
{
	const struct wire *wire = BIO_get_data(bio);
	int more = is_followed(wire->ssl) ? MSG_MORE : 0;
	ssize_t sent = send(wire->fd, octets, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL | more);
	BIO_clear_retry_flags(bio);
	if (sent < 0 && is_passing(errno))
		BIO_set_retry_write(bio);
	return (int)sent;
}

static int wire_read(BIO *bio, char *room, int size)
{
	const struct wire *wire = BIO_get_data(bio);
	ssize_t came = recv(wire->fd, room, (size_t)size, MSG_DONTWAIT);
	BIO_clear_retry_flags(bio);
	if (came < 0 && is_passing(errno))
		BIO_set_retry_read(bio);
	else if (came == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	return (int)came;
}

static long answer(BIO *bio, int question, long number, void *room)
{
	const struct wire *wire = BIO_get_data(bio);
	(void)number;
	switch (question) {
	case BIO_C_GET_FD:
		if (room != NULL)
			*(int *)room = wire->fd;
		return wire->fd;
	case BIO_CTRL_EOF:
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	case BIO_CTRL_FLUSH: // nothing is kept here
	case BIO_CTRL_SET_CLOSE: // and the socket never closed
		return 1;
	default:
		return 0;
	}
}

void tls_wires_release(struct tls_wires *wires)
{
	if (wires == NULL || --wires->users > 0)
		return;
	BIO_meth_free(wires->method);
	free(wires);
}

static int let_go(BIO *bio)
{
	struct wire *wire = BIO_get_data(bio);
	tls_wires_release(wire->wires);
	free(wire);
	return 1;
}

struct tls_wires *tls_wires_create(void)
{
	int type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK;
	struct tls_wires *wires = calloc(1, sizeof *wires);
	BIO_METHOD *method = wires != NULL ? BIO_meth_new(type, "socket of sip") : NULL;
	if (method != NULL && BIO_meth_set_write(method, wire_write) == 1 &&
	    BIO_meth_set_read(method, wire_read) == 1 && BIO_meth_set_ctrl(method, answer) == 1 &&
	    BIO_meth_set_destroy(method, let_go) == 1) {
		*wires = (struct tls_wires){ .method = method, .users = 1 };
		return wires;
	}
	BIO_meth_free(method);
	free(wires);
	return NULL;
}

bool tls_wires_attach(struct tls_wires *wires, SSL *ssl, int fd)
{
	struct wire *wire = malloc(sizeof *wire);
	BIO *bio = wire != NULL ? BIO_new(wires->method) : NULL;
	if (bio == NULL) {
		free(wire);
		return false;
	}
	*wire = (struct wire){ .wires = wires, .ssl = ssl, .fd = fd };
	wires->users++;
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	return true;
}
