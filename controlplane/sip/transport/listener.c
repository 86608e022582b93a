// Accepting. Whoever comes is answered for at once: taken, or closed and counted.
// Runs on the control thread. Never spins: without a descriptor it closes the least of all connections,
// or sleeps a little.

#include "sip/transport/listener.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "sip/transport/connections.h"
#include "sip/transport/socket.h"

#define BACKLOG 4096 // the kernel takes net.core.somaxconn when that is less
#define ACCEPTS_PER_TURN 64
#define PAUSE_MS 100

static void pause_accepting(struct listener *listener)
{
	static const struct timeval pause = { 0, PAUSE_MS * 1000 };
	counter_add(&listener->connections->counters->accept_pauses, 1);
	(void)event_del(listener->event);
	(void)event_add(listener->pause, &pause);
}

static void on_pause_over(int fd, short what, void *context)
{
	struct listener *listener = context;
	(void)fd, (void)what;
	(void)event_add(listener->event, NULL);
}

// The kernel looks for a descriptor before it looks whether anybody waits.
static bool is_anybody_waiting(const struct listener *listener)
{
	struct pollfd wanted = { .fd = listener->fd, .events = POLLIN };
	return poll(&wanted, 1, 0) > 0;
}

// False: nothing more can be taken now.
static bool is_passing(struct listener *listener, int error)
{
	switch (error) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		// Who is evicted leaves a descriptor for the next turn.
		if (is_anybody_waiting(listener) && !connection_evict(listener->connections))
			pause_accepting(listener);
		return false;
	default: // of the connection alone: aborted, unreachable …
		return true;
	}
}

static void on_waiting(int listening, short what, void *context)
{
	struct listener *listener = context;
	(void)what;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage peer;
		socklen_t size = sizeof(peer);
		struct sip_flow flow = listener->flow;
		int fd = accept4(listening, (struct sockaddr *)&peer, &size,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && !is_passing(listener, errno))
			return;
		if (fd < 0)
			continue;
		if (address_from_sockaddr((struct sockaddr *)&peer, &flow.remote))
			(void)connection_accept(listener->connections, &flow, fd);
		else
			close(fd);
	}
}

static bool bind_socket(struct listener *listener, const struct address *local)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(local, &kernel);
	int on = 1;
	int fd = socket(kernel.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	listener->fd = fd;
	if (fd < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	socket_set_options(fd);
	if (local->family == ADDRESS_IPV6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&kernel, size) != 0 || listen(fd, BACKLOG) != 0)
		return false;
	size = sizeof(kernel); // a port of 0 asks the kernel for one: tests do
	return getsockname(fd, (struct sockaddr *)&kernel, &size) == 0 &&
	       address_from_sockaddr((struct sockaddr *)&kernel, &listener->flow.local);
}

enum status listener_start(struct listener *listener, struct connections *connections,
			   enum sip_protocol protocol, const struct address *local)
{
	char name[ADDRESS_TEXT_SIZE];
	*listener = (struct listener){ .connections = connections, .flow.protocol = protocol };
	if (!bind_socket(listener, local)) {
		log_event(LOG_ERROR, "sip_listen_failed", "protocol", sip_protocol_name(protocol),
			  "address", address_string(local, name), "why", strerror(errno), NULL);
		return ERR_SYSTEM;
	}
	listener->event = event_new(connections->loop, listener->fd, EV_READ | EV_PERSIST,
				    on_waiting, listener);
	listener->pause = evtimer_new(connections->loop, on_pause_over, listener);
	if (listener->event == NULL || listener->pause == NULL ||
	    event_add(listener->event, NULL) != 0)
		return ERR_MEMORY;
	return OK;
}

void listener_stop(struct listener *listener)
{
	if (listener->connections == NULL)
		return;
	if (listener->event != NULL)
		event_free(listener->event);
	if (listener->pause != NULL)
		event_free(listener->pause);
	if (listener->fd >= 0)
		close(listener->fd);
}
