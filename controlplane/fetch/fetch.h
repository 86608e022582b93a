#pragma once

// The door to libcurl: requests by HTTP and mails by SMTP, many at a time. Never follows a redirect, never
// asks a proxy, and reads no more of an answer than it was told to.
// Runs on: one thread of its owner that has nothing else to do: libcurl may wait for a resolver when a
// transfer is given up. Only fetch_wake may be called by others.

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/text.h"

struct fetch;

enum fetch_outcome {
	FETCH_ANSWERED, // by HTTP with any status; by SMTP the mail was taken over
	FETCH_TOO_LONG, // answered, but the body is longer than answer_max and was given up
	FETCH_FORBIDDEN, // every address of the host is one that `allows` refused
	FETCH_FAILED, // no answer, or a refusal by SMTP
};

enum fetch_cause { // of FETCH_FAILED
	FETCH_CAUSE_OTHER,
	FETCH_CAUSE_NAME, // its host name has no address
	FETCH_CAUSE_CONNECTION,
	FETCH_CAUSE_TIME, // connecting, or in all
	FETCH_CAUSE_TLS, // the handshake, or the certificate
};

struct fetch_answer { // valid during the call
	enum fetch_outcome outcome;
	unsigned status; // of HTTP, or the last of SMTP; 0: none came
	enum fetch_cause cause;
	struct text body;
	const char *problem; // a sentence; "" when it was answered
};

typedef void (*fetch_done_fn)(void *context, const struct fetch_answer *answer);
// May a connection go there? Asked for each address after the name was resolved, so that no answer of DNS
// gets around it.
typedef bool (*fetch_allows_fn)(const void *context, const struct address *address);

struct fetch_request { // copied
	const char *url; // http, https, smtp, smtps
	const char *const *headers; // "Name: value", up to NULL; NULL: none. No line ends in them.
	struct text body; // of a POST, or the whole mail with CRLF; data NULL: a GET
	const char *sender, *recipient; // of a mail; NULL: none
	const char *user, *password; // for the server; NULL: none
	bool needs_tls; // by smtp, where else STARTTLS is used if it is there
	unsigned connect_ms, timeout_ms;
	size_t answer_max;
	fetch_allows_fn allows; // NULL: any address will do
	const void *allows_context;
	fetch_done_fn
		done; // exactly once, within fetch_turn or fetch_destroy; not when fetch_start is false
	void *context;
};

// At most so many connections to one host. ca_file: CA certificates that count, instead of the system's;
// "": those. NULL: no memory.
struct fetch *fetch_create(unsigned host_connections, const char *ca_file);
void fetch_destroy(
	struct fetch *fetch); // what is under way ends as FETCH_FAILED, before it returns
bool fetch_start(struct fetch *fetch, const struct fetch_request *request);
// Moves everything on, tells what has ended, and then waits for more at most so long.
void fetch_turn(struct fetch *fetch, unsigned wait_ms);
void fetch_wake(struct fetch *fetch); // ends that wait; any thread
