#pragma once

// The door to c-ares: one question to the DNS servers, one answer later, by the libevent loop. Servers
// are tried one after another; what was truncated is asked again over TCP.
// Runs on: control thread; never blocks.

#include "base/status.h"
#include "sip/resolve/answer.h"

struct dns;
struct event_base;

// The answer is valid until it returns.
typedef void (*dns_answer_fn)(void *context, const struct dns_answer *answer);
// Asks. `done` is called exactly once, later, never inside this call; not at all once the asker's end
// (dns_stop) has come. On any other status than OK it is not called. A test replaces it.
typedef enum status (*dns_ask_fn)(void *context, const char *name, enum dns_type type,
				  dns_answer_fn done, void *done_context);

struct dns_options {
	const struct address *servers; // port 0: 53
	unsigned server_count; // 0: those of /etc/resolv.conf, read at the start
	unsigned timeout_ms; // until about then one question is repeated
};

enum status dns_start(struct event_base *loop, const struct dns_options *options,
		      struct dns **out_dns);
void dns_stop(struct dns *dns); // what is still asked is forgotten; NULL is harmless
enum status dns_ask(void *dns, const char *name, enum dns_type type, dns_answer_fn done,
		    void *done_context); // a dns_ask_fn
