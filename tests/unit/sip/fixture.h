#pragma once

// A pair of ends over a fake wire and a fake clock: what one sends lies in a queue until the test
// looks at it, loses it, or carries it over.
// Runs on: the thread of the test.

#include <stdbool.h>

#include "base/clock.h"
#include "base/wheel.h"
#include "sip/transaction.h"

#define FIXTURE_SENT_MAX 64
#define FIXTURE_OCTETS_MAX 4096

struct fixture_sent {
	char octets[FIXTURE_OCTETS_MAX];
	size_t size;
	struct sip_flow flow;
	uint64_t at_ms;
};

struct fixture;
typedef void (*fixture_request_fn)(struct fixture *fixture, struct sip_server *server,
				   const struct sip_message *request);

struct fixture {
	struct clock clock;
	struct wheel *wheel;
	struct sip_transactions *transactions;
	struct fixture_sent sent[FIXTURE_SENT_MAX];
	unsigned sent_count;
	enum status send_status;
	struct sip_flow flow; // of what is received and what fixture_send sends; UDP at first
	bool is_known;
	fixture_request_fn on_request; // NULL: keeps `server` and answers nothing
	struct sip_server *server; // of the last request, not yet released
	struct sip_client *client; // of the last response or failure
	unsigned requests, cancels, acks, responses, failures, strays;
	enum sip_failure failure;
	unsigned status; // of the last response
	void *owner;
	bool forgets; // calls sip_client_forget in each response and failure
	bool resends; // sends another INVITE in each final response and failure, once
	bool releases; // releases the server in its cancelled callback
};

struct fixture *fixture_create(void);
void fixture_destroy(struct fixture *fixture);
int fixture_set_up(void **state); // as cmocka wants them
int fixture_tear_down(void **state);
// The clock goes on in steps of 10 ms, timers firing.
void fixture_wait(struct fixture *fixture, uint64_t ms);
void fixture_receive(struct fixture *fixture, const char *octets);
void fixture_receive_text(struct fixture *fixture, struct text octets);
// The nth message sent since fixture_forget_sent begins like this.
bool fixture_did_send(const struct fixture *fixture, unsigned nth, const char *start);
bool fixture_sent_has(const struct fixture *fixture, unsigned nth, const char *part);
void fixture_forget_sent(struct fixture *fixture);
unsigned fixture_count_sent(const struct fixture *fixture, const char *start);

// "METHOD sip:+1@test.example SIP/2.0 …" from the peer, with that branch, CSeq, and To tag if any.
struct fixture_request {
	const char *method;
	const char *branch; // NULL: "z9hG4bKone"
	unsigned cseq; // 0: 1
	const char *to_tag; // NULL: none
	const char *call_id; // NULL: "call-1"
	const char *extra; // header lines
};
struct text fixture_write(char *room, size_t size, const struct fixture_request *request);
void fixture_ask(struct fixture *fixture, const struct fixture_request *request);
// The peer answers the nth message sent with that status; to_tag may be NULL.
void fixture_answer(struct fixture *fixture, unsigned nth, unsigned status, const char *to_tag);
// Starts a client transaction of the method with that owner.
struct sip_client *fixture_send(struct fixture *fixture, enum sip_method method,
				struct sip_client_limits limits, void *owner);
