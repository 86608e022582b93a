#pragma once

// Admission before work: every message is judged by who sends it, and by a look at its lines, before
// it is scanned. Banned sources cost a look-up; strangers share a small budget; known peers have a
// large one and go first; in overload new calls hear 503 while what is going on goes on.
// docs/threat-model.md says why no forged datagram can make a weapon of this against a peer.
// Runs on: control thread. All memory is taken at the start.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/text.h"
#include "sip/flow.h"
#include "sip/guard/counters.h"
#include "sip/transport.h"

struct guard_config;
struct sip_guard;
struct sip_guard_apart;
struct sip_message;

enum sip_guard_verdict {
	SIP_GUARD_FIRST, // what belongs to calls of known peers: before all else of its batch
	SIP_GUARD_NEXT,
	SIP_GUARD_SHED, // a new call that is to hear 503, unless it is one we know
	SIP_GUARD_DROPPED,
};

enum sip_guard_offence {
	SIP_GUARD_OFFENCE_DOMAIN, // a host that is no trunk's
	SIP_GUARD_OFFENCE_MALFORMED,
	SIP_GUARD_OFFENCE_CREDENTIALS, // wrong, with a nonce that we gave this source
	SIP_GUARD_OFFENCE_COUNT,
};

enum sip_guard_event_kind {
	SIP_GUARD_EVENT_OPTIONS, // a peer's OPTIONS are blocked
	SIP_GUARD_EVENT_LIMITED, // a peer is over its rate; at most once a minute each
	SIP_GUARD_EVENT_OVERLOAD, // an episode begins
	SIP_GUARD_EVENT_RECOVERED,
};

struct sip_guard_event {
	enum sip_guard_event_kind kind;
	const struct address *source; // NULL in overload
	struct text host; // that OPTIONS asked
	uint64_t value; // the limit: a second, or in overload the wait in microseconds
};

struct sip_guard_options {
	const struct clock *clock;
	const struct guard_config *config; // live
	sip_transport_receive_fn receive; // what is let in
	sip_transport_receive_fn shed; // a new INVITE that is to hear 503
	void *receive_context;
	// Provisioned: in an ACL, or a carrier's.
	bool (*is_listed)(void *context, const struct address *address);
	void (*event)(void *context, const struct sip_guard_event *event);
	void *context; // of is_listed and event
	bool is_resident; // touches all its memory at the start, so that no flood makes it grow
};

struct sip_guard *sip_guard_create(const struct sip_guard_options *options);
void sip_guard_destroy(struct sip_guard *guard);
// Each turn of the loop's timer: bans that end, overload. late_us: how much too late that turn is; used_us:
// CPU time that the thread has had.
void sip_guard_tick(struct sip_guard *guard, uint64_t late_us, uint64_t used_us);

// For the thread at the door.
struct sip_guard_apart *sip_guard_apart(struct sip_guard *guard);
// Should new calls by UDP come by the door (sip/door), now?
bool sip_guard_has_door(const struct sip_guard *guard);

// Judges a message that waited for age_us; then delivers it as judged.
enum sip_guard_verdict sip_guard_judge(struct sip_guard *guard, struct text octets,
				       const struct sip_flow *flow, uint64_t age_us);
// The same for what has come by the door, where it waited for queued_us of that time.
enum sip_guard_verdict sip_guard_judge_let_in(struct sip_guard *guard, struct text octets,
					      const struct sip_flow *flow, uint64_t age_us,
					      uint64_t queued_us);
void sip_guard_deliver(struct sip_guard *guard, enum sip_guard_verdict verdict, struct text octets,
		       const struct sip_flow *flow);
// Both at once: a sip_transport_receive_fn for streams; context is the struct sip_guard.
void sip_guard_receive(void *guard, struct text octets, const struct sip_flow *flow);
// May this address open a connection to us? No: it is banned for something it was seen to do itself.
bool sip_guard_may_connect(struct sip_guard *guard, const struct address *address);

// What is learned of a source later. All of them allow NULL for the guard.
void sip_guard_note(struct sip_guard *guard, const struct sip_flow *flow,
		    enum sip_guard_offence offence);
void sip_guard_note_authenticated(struct sip_guard *guard, const struct address *source);
// We sent a request there: its answers are welcome. is_led: because a peer's Contact said so, who may name
// whom it likes; that makes no peer for longer than answers take, nor many a second.
void sip_guard_note_asked(struct sip_guard *guard, const struct address *peer, bool is_led);

// A new call for a host that is one of ours: others from there may be answered without a look at both, but
// for its own repeats.
void sip_guard_note_caller(struct sip_guard *guard, const struct sip_message *invite);

// Is the INVITE of this CANCEL, by its Via and Call-ID, still waiting at the door? NULL: no guard.
bool sip_guard_waits_at_door(const struct sip_guard *guard, const struct sip_message *cancel);

const struct sip_guard_counters *sip_guard_counters(const struct sip_guard *guard);

// ---- the operator's

struct sip_guard_look { // what a source may still send
	bool is_peer; // known; else a stranger
	bool are_strangers_out; // the budget of all strangers is used up
	unsigned rate, left; // messages a second; of them, at this moment
	unsigned calls_rate; // new calls a second that are let in, in overload; 0: there is none
};

void sip_guard_look(struct sip_guard *guard, const struct sip_flow *flow,
		    struct sip_guard_look *out_look);

struct sip_guard_ban_facts {
	struct address address; // port 0; IPv6: its /64 is meant
	const char *host; // OPTIONS to this one alone are meant; NULL: everything
	enum sip_guard_cause cause;
	bool is_udp_only;
	unsigned strikes;
	uint64_t since_ms, until_ms; // wall clock
	uint64_t dropped;
};

// Start with *at 0; false at the end.
bool sip_guard_ban_next(const struct sip_guard *guard, uint64_t *at,
			struct sip_guard_ban_facts *out_facts);
// ERR_LIMIT: no room left between bans that last longer.
enum status sip_guard_ban_set(struct sip_guard *guard, const struct address *address,
			      uint64_t length_ms);
unsigned sip_guard_ban_lift(struct sip_guard *guard, const struct address *address); // NULL: all
