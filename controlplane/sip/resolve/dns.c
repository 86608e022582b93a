// c-ares on libevent: its sockets become events, its next timeout one timer.
// Runs on the control thread, in its loop. Never blocks, and never answers inside a question.

#include "sip/resolve/dns.h"

#include <ares.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/log.h"

#define TRIES 3
#define TRY_MIN_MS 100
#define SERVERS_MAX 8
// A timeout doubles with each try: 1 + 2 + 4 parts. What a datagram may hold (DNS flag day 2020).
#define PARTS 7
#define EDNS_SIZE 1232
#define CLASS_IN 1

struct socket_of { // one that c-ares has open
	struct dns *dns;
	struct socket_of *next;
	struct event *event;
	evutil_socket_t fd;
};

struct question {
	struct dns *dns;
	struct question *next; // among the early ones
	dns_answer_fn done;
	void *context;
	enum dns_type type;
	char name[DNS_NAME_SIZE];
	struct dns_answer answer;
};

struct dns {
	struct event_base *loop;
	ares_channel channel;
	struct socket_of *sockets;
	struct event *timer;
	struct event *deliver; // tells the early ones
	struct question *early; // answered (refused) while they were asked
	bool is_asking;
	bool is_stopping;
	bool is_started; // the library
};

// The channel's next timeout may have changed.
static void set_timer(struct dns *dns)
{
	struct timeval room;
	const struct timeval *wait = ares_timeout(dns->channel, NULL, &room);
	if (wait != NULL)
		(void)event_add(dns->timer, wait);
	else
		(void)event_del(dns->timer);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct dns *dns = context;
	(void)fd;
	(void)what;
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(dns);
}

static void on_socket(evutil_socket_t fd, short what, void *context)
{
	struct socket_of *opened = context;
	struct dns *dns = opened->dns; // the socket may be closed inside
	ares_process_fd(dns->channel, (what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
			(what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
	set_timer(dns);
}

static void close_socket(struct dns *dns, evutil_socket_t fd)
{
	struct socket_of **at = &dns->sockets;
	while (*at != NULL && (*at)->fd != fd)
		at = &(*at)->next;
	struct socket_of *opened = *at;
	if (opened == NULL)
		return;
	*at = opened->next;
	if (opened->event != NULL)
		event_free(opened->event);
	free(opened);
}

// Without memory for an event the question ends by its timeout.
static void on_socket_state(void *context, ares_socket_t fd, int is_readable, int is_writable)
{
	struct dns *dns = context;
	short what = EV_PERSIST;
	what |= is_readable ? EV_READ : 0;
	what |= is_writable ? EV_WRITE : 0;
	close_socket(dns, fd);
	if (!is_readable && !is_writable)
		return;
	struct socket_of *opened = calloc(1, sizeof(*opened));
	if (opened == NULL)
		return;
	*opened = (struct socket_of){ dns, dns->sockets, NULL, fd };
	dns->sockets = opened;
	opened->event = event_new(dns->loop, fd, what, on_socket, opened);
	if (opened->event != NULL)
		(void)event_add(opened->event, NULL);
}

static void tell(struct question *question)
{
	question->done(question->context, &question->answer);
	free(question);
}

static void on_deliver(evutil_socket_t fd, short what, void *context)
{
	struct dns *dns = context;
	(void)fd;
	(void)what;
	while (dns->early != NULL) {
		struct question *question = dns->early;
		dns->early = question->next;
		tell(question);
	}
}

static const char *problem_of(int status)
{
	switch (status) {
	case ARES_ETIMEOUT:
		return "no server answered in time";
	case ARES_ECONNREFUSED:
		return "no server could be reached";
	case ARES_EBADRESP:
		return "the answer is malformed";
	case ARES_ENOMEM:
		return "out of memory";
	default:
		return "it could not be asked";
	}
}

static void on_answer(void *context, int status, int timeouts, unsigned char *octets, int size)
{
	struct question *question = context;
	struct dns *dns = question->dns;
	(void)timeouts;
	if (dns->is_stopping) {
		free(question);
		return;
	}
	if (octets != NULL && size > 0)
		dns_answer_parse((struct text){ (const char *)octets, (size_t)size },
				 question->name, question->type, &question->answer);
	else
		dns_answer_fail(&question->answer, problem_of(status));
	if (!dns->is_asking) {
		tell(question);
		return;
	}
	question->next = dns->early;
	dns->early = question;
	event_active(dns->deliver, 0, 0);
}

enum status dns_ask(void *context, const char *name, enum dns_type type, dns_answer_fn done,
		    void *done_context)
{
	struct dns *dns = context;
	struct question *question = calloc(1, sizeof(*question));
	if (question == NULL)
		return ERR_MEMORY;
	*question = (struct question){
		.dns = dns, .done = done, .context = done_context, .type = type
	};
	if (!text_copy(text_of(name), question->name, sizeof(question->name))) {
		free(question);
		return ERR_MALFORMED;
	}
	dns->is_asking = true;
	ares_query(dns->channel, question->name, CLASS_IN, (int)type, on_answer, question);
	dns->is_asking = false;
	set_timer(dns);
	return OK;
}

// "192.0.2.53:53,[2001:db8::53]:53"
static bool set_servers(struct dns *dns, const struct dns_options *options)
{
	char room[SERVERS_MAX * ADDRESS_TEXT_SIZE];
	struct writer list = writer_of(room, sizeof(room));
	if (options->server_count == 0)
		return true;
	for (unsigned i = 0; i < options->server_count && i < SERVERS_MAX; i++) {
		struct address server = options->servers[i];
		if (server.port == 0)
			server.port = 53;
		writer_string(&list, i > 0 ? "," : "");
		address_write(&server, &list);
	}
	const char *text = writer_string_done(&list);
	return text != NULL && ares_set_servers_ports_csv(dns->channel, text) == ARES_SUCCESS;
}

static bool open_channel(struct dns *dns, const struct dns_options *options)
{
	unsigned try_ms = options->timeout_ms / PARTS;
	struct ares_options asked = {
		// One socket for a burst, another one with another port for the next.
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.timeout = (int)(try_ms > TRY_MIN_MS ? try_ms : TRY_MIN_MS),
		.tries = TRIES,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = dns,
		.ednspsz = EDNS_SIZE,
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
		   ARES_OPT_EDNSPSZ;
	if (ares_init_options(&dns->channel, &asked, mask) == ARES_SUCCESS)
		return true;
	dns->channel = NULL;
	return false;
}

enum status dns_start(struct event_base *loop, const struct dns_options *options,
		      struct dns **out_dns)
{
	struct dns *dns = calloc(1, sizeof(*dns));
	if (dns == NULL)
		return ERR_MEMORY;
	dns->loop = loop;
	dns->is_started = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
	dns->timer = evtimer_new(loop, on_timer, dns);
	dns->deliver = evtimer_new(loop, on_deliver, dns);
	if (!dns->is_started || dns->timer == NULL || dns->deliver == NULL ||
	    !open_channel(dns, options) || !set_servers(dns, options)) {
		dns_stop(dns);
		return ERR_SYSTEM;
	}
	*out_dns = dns;
	return OK;
}

void dns_stop(struct dns *dns)
{
	if (dns == NULL)
		return;
	dns->is_stopping = true;
	if (dns->channel != NULL)
		ares_destroy(dns->channel); // ends every question, closes every socket
	while (dns->early != NULL) {
		struct question *question = dns->early;
		dns->early = question->next;
		free(question);
	}
	while (dns->sockets != NULL)
		close_socket(dns, dns->sockets->fd);
	if (dns->timer != NULL)
		event_free(dns->timer);
	if (dns->deliver != NULL)
		event_free(dns->deliver);
	if (dns->is_started)
		ares_library_cleanup();
	free(dns);
}
