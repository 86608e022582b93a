#pragma once

// A DNS server on a loopback socket, UDP and TCP, in the loop of the test: it hands each question to
// the test, which says what comes back, true or not.
// Runs on: the thread of the test.

#include <event2/event.h>

#include "base/address.h"
#include "message.h"

struct server;

struct server_question {
	struct server *server;
	uint16_t id;
	unsigned type;
	char name[DNS_NAME_SIZE];
	bool is_tcp;
};

// Answers with server_answer, or not at all.
typedef void (*server_fn)(void *context, const struct server_question *question);

struct server *server_start(struct event_base *loop, server_fn asked, void *context);
void server_stop(struct server *server);
struct address server_address(const struct server *server);
unsigned server_asked(const struct server *server);
void server_answer(const struct server_question *question, const struct message_room *message);
