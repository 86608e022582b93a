#pragma once

// Calls: a conversation of two legs, from the first INVITE to the row in the history. The table of
// them is what the operator sees.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/counter.h"
#include "base/status.h"
#include "base/text.h"
#include "base/wheel.h"
#include "directory/directory.h"
#include "call/header/header.h"
#include "call/limit/limits.h"
#include "media/media.h"
#include "media/quality/diagnosis.h"

struct call;
struct calls;
struct config;
struct directory;
struct history;
struct sip_dialogs;
struct sip_digest;
struct sip_guard;
struct sip_message;
struct sip_resolver;
struct sip_transactions;

// state, text
#define CALL_STATE_LIST(ROW)                                                                       \
	ROW(CALL_TRYING, "trying") /* a carrier has been asked */                                  \
	ROW(CALL_RINGING, "ringing") /* it said so */                                              \
	ROW(CALL_ANSWERED, "answered") /* 200 sent, ACK awaited */                                 \
	ROW(CALL_UP, "up") /* acknowledged */                                                      \
	ROW(CALL_LEAVING, "leaving") /* its party was transferred away, who did it goes */         \
	ROW(CALL_ENDING, "ending") /* waiting for last answers and figures */

#define CALL_STATE_ENUMERATOR(name, text) name,
enum call_state { CALL_STATE_LIST(CALL_STATE_ENUMERATOR) CALL_STATE_COUNT };
#undef CALL_STATE_ENUMERATOR

const char *call_state_text(enum call_state state);

// Where a call goes: termination, and origination; and of what is said in one: who hears it.
enum call_direction { CALL_TO_PSTN, CALL_TO_PBX, CALL_DIRECTIONS };

// What pings say of a carrier (call/carrier/health.h).
enum call_carrier_state {
	CALL_CARRIER_NOT_PINGED,
	CALL_CARRIER_UNKNOWN, // no answer awaited long enough yet
	CALL_CARRIER_UP,
	CALL_CARRIER_DOWN, // gets no calls while others are not
};

struct call_carrier_facts {
	enum call_carrier_state state;
	uint64_t since_ms; // wall clock
	unsigned misses; // in a row
	const char *seen; // the last answer, or why there was none; NULL when it is not pinged
};

struct call_counters {
	struct counter started[CALL_DIRECTIONS]; // admitted
	struct counter answered[CALL_DIRECTIONS];
	struct counter ended[CALL_DIRECTIONS];
	struct counter active[CALL_DIRECTIONS]; // now
	struct counter ack_timeouts; // SIP-004
	struct counter carrier_moves; // to the next carrier (TERM-032)
	struct counter uri_moves; // to the next Origination URI (ORIG-021)
	struct counter redirects; // followed (REDIR-001)
	struct counter address_moves; // to the next address of a carrier (ORIG-043)
	struct counter transfers; // that joined two calls (XFER-008)
	struct counter challenges; // INVITEs that were answered 407
	struct counter transfers_failed; // accepted, and came to nothing
	struct counter late_answers; // 200 after we moved on: ACK and BYE (ORIG-031)
	struct counter infos_hidden; // refused: their bodies name the side they come from
	struct counter infos_dropped; // of ours: digits for a party that is too slow, or gone
	struct header_counters headers; // by what became of them between the legs
	struct limits_counters limits;
	struct counter troubles[128]; // refused, or troubled later: by row of call/refusal.h
	// By cause: calls that had it, and those that have it now.
	struct counter one_way[DIAGNOSIS_COUNT][CALL_DIRECTIONS];
	struct counter one_way_now[DIAGNOSIS_COUNT][CALL_DIRECTIONS];
	struct counter alerts_held_back; // call/watch/damper.h
	struct counter ports_leaked; // pairs of media ports nobody gives back, now
};

struct call_limits_facts { // of a trunk or an account
	uint32_t rate, calls; // what it may, a second and at a time; 0: no limit
	unsigned rate_here, calls_here; // what it has on this node
};

struct call_way { // by what a party's last message came
	const char *transport; // "udp"; NULL: nothing has come
	uint16_t tls_version; // 0x0303 …; 0: not TLS
	uint64_t connection; // of a stream (sip/flow.h); 0: none
};

struct call_facts { // a snapshot for operators; text lives as long as the call
	const char *sid, *account_sid, *trunk_sid, *trunk_name, *carrier_name;
	const char *uri; // of origination: the one tried last
	enum call_direction direction;
	const char *from, *to;
	const char *call_id_in, *call_id_out;
	const char *ladder; // as in history.h
	struct address caller, called; // signalling addresses of the peers
	struct call_way ways[MEDIA_SIDES];
	enum call_state state;
	uint64_t start_ms, answer_ms; // wall clock; 0: not yet
	const char *digits[MEDIA_SIDES]; // pressed by them, where they are kept; "" else
	struct media_figures media[MEDIA_SIDES];
	bool has_media;
	bool is_secure; // its trunk demanded TLS and SRTP
	// Why what a side says is not heard: now, and the last time there was a cause.
	enum diagnosis verdicts[MEDIA_SIDES], causes[MEDIA_SIDES];
	// Wall clock of the last time its source was learned, and others' packets refused; 0: never.
	uint64_t learned_ms[MEDIA_SIDES], refused_ms[MEDIA_SIDES];
};

unsigned calls_count(const struct calls *calls);
unsigned calls_limited(const struct calls *calls); // that hold a slot of the limits
void call_limits_read(const struct calls *calls, const char *sid,
		      struct call_limits_facts *out_facts);
const struct call *calls_next(const struct calls *calls, const struct call *after); // oldest first
struct call *calls_find(const struct calls *calls, struct text sid);
void call_read(const struct call *call, struct call_facts *out_facts);
void call_hang_up(struct call *call); // by the operator: BYE or CANCEL both ways
const struct call_counters *calls_counters(const struct calls *calls);
const char *call_carrier_state_text(enum call_carrier_state state);
void call_carrier_read(const struct calls *calls, const char *sid,
		       struct call_carrier_facts *out_facts);
// For metrics, on any thread: of the nth place. False past the last place; one may be nobody's.
bool call_carrier_metric(const struct calls *calls, unsigned place,
			 char name[static DIRECTORY_NAME_SIZE], enum call_carrier_state *out_state);
struct media_port_facts;
// Why a pair of media ports that is not free counts as leaked; NULL: it does not.
const char *call_port_trouble(const struct calls *calls, const struct media_port_facts *port);
// The side that is a customer's PBX: it calls or is called.
enum media_side call_customer_side(const struct call *call);
static inline const char *call_direction_text(enum call_direction direction)
{
	return direction == CALL_TO_PBX ? "origination" : "termination";
}
const char *call_direction_label(enum call_direction direction); // "to_pstn"
// The label of one of `troubles`, for metrics; NULL past the last.
const char *call_refusal_label(unsigned row);
