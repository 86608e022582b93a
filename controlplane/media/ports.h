#pragma once

// The ledger of media ports: which pair (even RTP, odd RTCP) is free, held by which call since when,
// resting after use, or held by a stream a former process left behind (LIMIT-016, MEDIA-005).
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/random.h"
#include "base/status.h"
#include "dataplane/message.h"

struct dataplane;
struct media_ports;

enum media_port_state {
	MEDIA_PORT_FREE,
	MEDIA_PORT_HELD,
	MEDIA_PORT_RESTING, // late packets of its last call must not reach another
	MEDIA_PORT_ORPHAN, // its streams are open and no call claims them
	MEDIA_PORT_STATES
};

struct media_port_user { // who takes
	void *holder;
	const char *call_sid;
	uint64_t now_ms;
};

struct media_port_facts {
	struct address local; // with the RTP port
	uint32_t rtp_index; // the stream's; RTCP's is the next
	unsigned worker;
	enum media_port_state state;
	uint64_t since_ms; // of the state; CLOCK_MONOTONIC
	char call_sid[RANDOM_SID_SIZE]; // who holds it, or held it last; empty: nobody yet
};

// Free ports are handed out in a random order, the one longest at rest first.
struct media_ports *media_ports_create(const struct dataplane *dataplane, uint64_t quarantine_ms);
void media_ports_destroy(struct media_ports *ports);
// Two pairs of one address of that family and one worker, each call's from the next worker in turn.
// The RTP streams' indexes. ERR_LIMIT: none left; ERR_NOT_ACCEPTABLE: no address of that family.
enum status media_ports_take(struct media_ports *ports, uint8_t family,
			     const struct media_port_user *user, uint32_t out_indexes[static 2]);
struct media_port_place { // which of our addresses will do
	uint8_t family;
	const struct prefix *prefixes; // it lies in one of these
	unsigned prefix_count; // 0: anywhere
};
bool media_port_is_in(const struct media_port_place *place, const struct address *address);
// One pair there, of the worker that owns `beside`. ERR_NOT_ACCEPTABLE: we have no such address.
enum status media_ports_take_beside(struct media_ports *ports, uint32_t beside,
				    const struct media_port_place *place,
				    const struct media_port_user *user, uint32_t *out_index);
// Has one worker both?
bool media_ports_is_beside(const struct media_ports *ports, uint32_t index, uint32_t other);
// A held pair gets another holder.
void media_ports_pass(struct media_ports *ports, uint32_t index,
		      const struct media_port_user *user);
// Takes just this pair, free or orphan; false when it is neither.
bool media_ports_claim(struct media_ports *ports, uint32_t index,
		       const struct media_port_user *user);
// A free pair turns out to have an open stream; false when it is not free.
bool media_ports_mark_orphan(struct media_ports *ports, uint32_t index, uint64_t now_ms);
// A held pair's call ends, but no worker has confirmed that its streams are closed.
void media_ports_abandon(struct media_ports *ports, uint32_t index, uint64_t now_ms);
// From held to free at once: nobody was ever told of it, so nothing can come late.
void media_ports_give_unused(struct media_ports *ports, uint32_t index, uint64_t now_ms);
// From held or orphan to rest.
void media_ports_give(struct media_ports *ports, uint32_t index, uint64_t now_ms);
void media_ports_tick(struct media_ports *ports, uint64_t now_ms); // wakes those that rested enough

void *media_ports_holder(const struct media_ports *ports, uint32_t index); // NULL: no call's
struct address media_ports_address(const struct media_ports *ports, uint32_t index);
// The index of the stream that sends from this address and port; MEDIA_PORTS_NONE: none of ours.
#define MEDIA_PORTS_NONE UINT32_MAX
uint32_t media_ports_find(const struct media_ports *ports, const struct address *address);
// Has this ledger that address in that place, ports aside?
bool media_ports_has(const struct media_ports *ports, uint32_t index,
		     const struct address *address);
unsigned media_ports_count(const struct media_ports *ports, enum media_port_state state);
// Walks the pairs of one state, longest in it first: start with none, until it returns false.
#define MEDIA_PORTS_START UINT32_MAX
bool media_ports_next(const struct media_ports *ports, enum media_port_state state,
		      uint32_t *position);
void media_ports_read(const struct media_ports *ports, uint32_t position,
		      struct media_port_facts *out_facts);
