#pragma once

// A SIP load generator that is both peers of every call, around a proxy or a B2BUA: the caller sends
// INVITE, answers a digest challenge, ACKs, holds, sends BYE; the called party rings, answers, and takes
// the BYE. Calls begin at a constant rate, whatever becomes of the earlier ones (open loop).
// Runs on: one thread. What is in flight is found by digits that every message of a call carries, so
// nothing is hashed and little is read.

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/text.h"
#include "base/wheel.h"
#include "histogram.h"

#define SIPLOAD_ECHO_MAX 24 // lines of a request that its answer repeats
#define SIPLOAD_ROUTES_MAX 4
#define SIPLOAD_ROOM 1536 // octets of text kept per party of a call
#define SIPLOAD_MESSAGE_MAX 4096
#define SIPLOAD_ADDRESS 32 // "IPv4:port" with its zero
#define SIPLOAD_DIGITS 12 // slot and generation of a call, six each

enum sipload_transport { SIPLOAD_UDP, SIPLOAD_TCP, SIPLOAD_TLS };

struct sipload_options {
	enum sipload_transport transport, called_transport;
	char target[SIPLOAD_ADDRESS], called_target[SIPLOAD_ADDRESS]; // of the system under test
	char caller[SIPLOAD_ADDRESS], called[SIPLOAD_ADDRESS];
	const char *media; // IPv4 address in every SDP; nothing is sent from there
	const char *domain, *from, *user, *certificate, *key;
	const char *password; // from the environment: a command line is public
	double rate, seconds, hold_s, ring_s, probe_rate, patience_s;
	double bound_s, warm_s; // who is set up sooner, after these first seconds, is in time
	unsigned connections; // of the caller, streams only; 0: a new one for each call
	bool resumes; // new TLS connections take up the session of an earlier one
	int cpu; // -1: any
};

// Where messages leave: a UDP socket, or one connection.
struct sipload_way;

enum sipload_caller_state { CALLER_IDLE, CALLER_INVITED, CALLER_UP, CALLER_ENDING };
enum sipload_called_state { CALLED_IDLE, CALLED_RINGING, CALLED_ANSWERED, CALLED_UP, CALLED_OVER };

struct sipload_call {
	struct sipload *load;
	char digits[SIPLOAD_DIGITS + 1];
	uint32_t generation;
	uint8_t caller_state, called_state; // the enums above
	char attempt; // 'i': first INVITE; 'j': with credentials
	bool is_heard; // a response to the INVITE came
	uint32_t interval_ms, called_interval_ms; // until the next repeat
	uint64_t due_ns, sent_ns; // when it was to begin; its last INVITE left
	uint64_t deadline_ms; // of the step it is in
	struct wheel_timer timer, called_timer;
	struct sipload_way *way, *called_way;
	struct text credentials; // header line, in `room`
	struct text contact, routes, to; // of the dialog, in `room`
	struct text answer; // the 200, in `called_room`
	char room[SIPLOAD_ROOM], called_room[SIPLOAD_ROOM];
	struct sipload_call *next_free;
};

struct sipload_counts {
	uint64_t started, ok, timeouts, refused, broken;
	uint64_t in_time; // set up within the bound, while calls were offered
	uint64_t repeats_sent, repeats_received; // retransmissions, both parties
	uint64_t strange; // messages of no call
	uint64_t up, up_most;
	uint64_t probes, probes_answered;
	uint64_t handshakes, resumed;
	uint64_t refused_with[7]; // by the class of the final answer
};

struct sipload {
	struct sipload_options options;
	struct sipload_counts counts;
	struct histogram to_100, setup, probe;
	struct wheel *wheel;
	struct sipload_call *calls, *free_first, *free_last;
	unsigned call_count, active;
	uint64_t start_ns, now_ns, last_start_ns, late_longest_ns;
	char sdp[512];
	uint64_t probe_sent_ns[4096];
	struct sipload_wire *wire;
	struct sipload_digest *digest;
	struct sipload_tls *tls;
};

// What a message says, as far as anyone here asks.
struct sipload_message {
	struct text raw;
	unsigned status; // 0: a request
	char method; // the first letter of a request's: I A B C O
	char kind; // of a response: what our branch said it answers
	struct sipload_call *call; // NULL: none of now
	uint64_t number; // the digits
	bool has_number;
	bool is_for_caller; // a request to the Contact that callers give
	struct text echo[SIPLOAD_ECHO_MAX]; // whole lines: Via, Record-Route, From, Call-ID, CSeq
	unsigned echo_count;
	struct text routes[SIPLOAD_ROUTES_MAX]; // values of Record-Route
	unsigned route_count;
	struct text to; // whole line
	struct text contact; // URI
	struct text challenge; // value of the MD5 one
};

uint64_t sipload_now(void); // CLOCK_MONOTONIC
static inline uint64_t sipload_ms(const struct sipload *load)
{
	return load->now_ns / 1000000;
}

// sipload_message.c
void sipload_prepare_sdp(struct sipload *load); // once, before the rest
bool sipload_read(struct sipload *load, struct text raw, struct sipload_message *out_message);
void sipload_read_lines(struct sipload_message *message);
void sipload_write_invite(const struct sipload *load, const struct sipload_call *call,
			  struct writer *writer);
void sipload_write_refused_ack(const struct sipload *load, const struct sipload_call *call,
			       const struct sipload_message *response, struct writer *writer);
// ACK of a 2xx ('a') or BYE ('b').
void sipload_write_in_dialog(const struct sipload *load, const struct sipload_call *call, char kind,
			     struct writer *writer);
void sipload_write_probe(const struct sipload *load, uint64_t number, struct writer *writer);
void sipload_write_answer(const struct sipload *load, const struct sipload_message *request,
			  unsigned status, struct writer *writer);

// sipload_caller.c
void sipload_start_call(struct sipload *load, uint64_t due_ns);
void sipload_take_response(struct sipload *load, struct sipload_message *response);
void sipload_call_broken(struct sipload *load, struct sipload_call *call);
void sipload_caller_timer(struct wheel_timer *timer, void *call);
// sipload_called.c
void sipload_take_request(struct sipload *load, struct sipload_way *way,
			  struct sipload_message *request);
void sipload_called_timer(struct wheel_timer *timer, void *call);

// sipload_digest.c
struct sipload_digest *sipload_digest_create(const struct sipload_options *options);
void sipload_digest_destroy(struct sipload_digest *digest);
// The Proxy-Authorization line for an INVITE to this URI; false: the challenge can't be answered.
bool sipload_digest_answer(struct sipload_digest *digest, struct text challenge, struct text uri,
			   struct writer *writer);
