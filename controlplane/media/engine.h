#pragma once

// What the parts of media/ share: a call's media and the engine that owns them all. Nobody outside
// this folder includes it.
// Runs on: control thread.

#include <sys/queue.h>

#include "base/random.h"
#include "base/wheel.h"
#include "media/digits/digits.h"
#include "media/flow.h"
#include "media/media.h"
#include "media/offer.h"
#include "media/ports.h"
#include "media/session.h"

#define MEDIA_OFFER_ROOM 2560 // of a description of ours, at most
#define MEDIA_CLOSE_DEADLINE_MS 1000 // a worker answers within a poll; later, it is dead or gone
#define MEDIA_RETRY_MS 1000 // netlink that would not start
#define MEDIA_ORPHAN_RETRY_MS 100 // a CLOSE was sent: look whether it was done

enum media_state { MEDIA_OPEN, MEDIA_CLOSING, MEDIA_DONE };

struct media_leg {
	struct media_offer current; // in force; line_count 0: nothing said
	enum media_security security;
	unsigned suites; // bits of enum suite it may use
	struct media_session session;
	uint32_t rtp_index;
	struct address local; // of its RTP; outlives the ledger it was taken from
	bool is_symmetric;
	struct address
		learned[2]; // RTP, RTCP: where its packets come from; family NONE: not learned
	struct address planned_rtp; // its SDP address and payload types the workers know
	uint8_t planned_event_type;
	bool planned_symmetric;
	struct address refused, unauthentic; // whom a worker last told of; family NONE: nobody
	uint32_t unreachable; // ICMP errors about what left for it
	bool is_told_digits; // without telephone events (media/digits/digits.h)
	char digits[MEDIA_DIGITS_KEPT + 1]; // that it pressed; string
	struct media_flow flows[2]; // RTP and RTCP arriving from it
};

struct media_former { // in force for a side before the offer being negotiated
	struct media_offer offer;
	struct media_sdes own; // our crypto line then
};

struct media {
	struct media_engine *engine;
	void *owner;
	char call_sid[RANDOM_SID_SIZE];
	enum media_state state;
	bool is_waiting; // in engine->waiting
	bool is_stranded; // its addresses are gone with the dataplane that had them
	bool has_pending, is_answered; // of the offer being negotiated
	enum media_side offerer;
	struct media_offer pending; // what the offerer says; not in force before an answer
	struct media_former *former; // of both sides; NULL: nothing was, as in most calls
	struct media_leg legs[MEDIA_SIDES];
	struct wheel_timer deadline;
	TAILQ_ENTRY(media) all, waiting, done;
};

TAILQ_HEAD(media_list, media);

struct media_engine {
	struct media_engine_options options; // .dataplane is the present one
	struct media_counters counters;
	struct media_ports *ports;
	struct neighbours *neighbours;
	char interface[16]; // that neighbours follows
	uint64_t retry_ms; // when to try netlink again
	bool has_hop_changes;
	uint64_t orphans_due_ms; // 0: no orphans
	media_digit_fn digit; // may be NULL
	bool keeps_digits;
	uint32_t *generations; // last one told, by stream index
	uint32_t stream_count;
	struct media_list all, waiting, done;
};

// exchange.c: what our workers cannot do of what can be read. ERR_UNSUPPORTED.
enum status media_offer_check(const struct media_offer *offer, struct media_problem *out_problem);

// plan.c
void media_plan(struct media *media); // what its flows should be now
void media_push(struct media *media); // sends what differs, or waits for room

// media.c
struct media_port_user media_port_user_of(struct media *media);
// As media_open, on the worker of that stream; NULL: on any.
enum status media_open_at(struct media_engine *engine, const uint32_t *beside, const char *call_sid,
			  void *owner, struct media **out_media);
bool media_engine_is_secure(const struct media_engine *engine); // can SRTP be done?
void media_finish_if_closed(struct media *media);
void media_destroy(struct media *media); // unhooks and frees; ports and next hops are given back

// digits/digits.c
void media_note_digit(struct media *media, enum media_side side, const struct message *message);

// orphan.c
void media_orphan_scan(struct media_engine *engine);
void media_orphan_tick(struct media_engine *engine);
