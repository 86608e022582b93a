#pragma once

// A call's media: two sides, each with a description (SDP), a pair of ports and two streams (RTP and
// RTCP) arriving there. Turns offers and answers into stream messages for the dataplane.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/status.h"
#include "base/text.h"
#include "base/wheel.h"
#include "dataplane/message.h"

struct dataplane;
struct event_base;
struct media; // of one call
struct media_engine; // of the process
struct media_ports;
struct media_port_place;

enum media_side { MEDIA_CALLER, MEDIA_CALLED, MEDIA_SIDES };

enum media_event { // about the stream that arrives from `side`
	MEDIA_STARTED,
	MEDIA_LEARNED,
	MEDIA_TTL, // first packet dropped for its TTL (MEDIA-017: one alert per call)
	MEDIA_REFUSED, // packets from a source it does not accept
	MEDIA_UNAUTHENTIC, // packets that fail SRTP's authentication
	MEDIA_CLOSED, // final: all streams of the call are closed, figures final; media is freed after
};
typedef void (*media_event_fn)(void *owner, struct media *media, enum media_side side,
			       enum media_event event);

struct media_engine_options {
	struct event_base *loop;
	const struct clock *clock;
	struct wheel *wheel;
	struct dataplane *dataplane; // attached; NULL: none yet (calls are refused)
	uint32_t port_quarantine_ms;
	uint32_t orphan_grace_ms; // streams found at the start that no call claims
	media_event_fn event;
};

struct media_counters {
	struct counter ports_used, ports_total, ports_quarantined; // pairs, now
	struct counter exhausted; // calls refused for want of ports
	struct counter orphans_closed;
	struct counter offers_refused;
	struct counter inbox_full; // messages that had to wait for room
};

enum status media_engine_start(const struct media_engine_options *options,
			       struct media_engine **out_engine);
void media_engine_stop(struct media_engine *engine);
// Every 5 ms: collects events, retries, next hops.
void media_engine_tick(struct media_engine *engine);
// Another dataplane (it restarted): every live call's streams are opened again there, and what they
// counted before is kept. NULL: it is gone and none is there yet. Detach the former one after this.
void media_engine_attach(struct media_engine *engine, struct dataplane *dataplane);
const struct media_counters *media_engine_counters(const struct media_engine *engine);
// The ledger (media/ports.h) for the operator; NULL while no dataplane was ever attached.
const struct media_ports *media_engine_ports(const struct media_engine *engine);

// Takes two port pairs on one worker. ERR_LIMIT: none left (LIMIT-016); ERR_UNAVAILABLE: no dataplane.
enum status media_open(struct media_engine *engine, const char *call_sid, void *owner,
		       struct media **out_media);
void media_set_symmetric(struct media *media, enum media_side side, bool is_symmetric);

enum media_security { // of a side's media
	MEDIA_PLAIN, // RTP; an offer of SRTP is refused (D-30)
	MEDIA_AS_OFFERED, // what it offers; what we offer it is RTP
	MEDIA_SECURE, // SRTP; anything else is refused (SRTP-007)
};
// Before anything was received from or written to that side, or after media_forget. `suites` are bits of
// those it may use; our own offer names one: the key in use, else _80 (SRTP-004), and with AEAD alone
// AEAD_AES_128_GCM. ERR_UNAVAILABLE: secure, and the dataplane has no engine for it.
enum status media_set_security(struct media *media, enum media_side side,
			       enum media_security security, unsigned suites);
// Before anything was written to that side: it speaks this family (its signalling address tells), so
// its ports must be of it, or at that place (MEDIA-021). An offer from a side tells the family too.
// ERR_NOT_ACCEPTABLE: we have none.
enum status media_set_family(struct media *media, enum media_side side, uint8_t family);
enum status media_set_place(struct media *, enum media_side, const struct media_port_place *place);
// Closes all streams; MEDIA_CLOSED comes later through the loop, even when nothing was ever opened. The
// ports rest in quarantine before they are used again.
void media_close(struct media *media);

enum media_objection { // to a description, where its status alone does not tell
	MEDIA_OBJECTION_NONE,
	MEDIA_OBJECTION_SECURE, // SRTP where RTP is due
	MEDIA_OBJECTION_PLAIN, // RTP where SRTP is due
	MEDIA_OBJECTION_KEYS, // SRTP without a crypto line we may take (D-33)
};

struct media_problem {
	enum media_objection objection;
	const char *header; // "SDP m=", …
	char seen[128];
	const char *expected;
};
// What that side says. ERR_MALFORMED: no SDP we can read; ERR_UNSUPPORTED: no PCMU (MEDIA-001, -003:
// 415); ERR_NOT_ACCEPTABLE: no audio stream we may take, or secure media (D-30: 488).
enum status media_receive_offer(struct media *media, enum media_side from, struct text sdp,
				struct media_problem *out_problem);
enum status media_receive_answer(struct media *media, enum media_side from, struct text sdp,
				 struct media_problem *out_problem);
// Is that what this side said last, octet by octet (RFC 3264 8)? Then there is nothing to agree on.
bool media_is_repeated(const struct media *media, enum media_side from, struct text sdp);
// The other side refused the latest offer: what was agreed before stays in force (RFC 3264 8).
// Also when an early answer had changed it (RFC 3261 14.1).
void media_withdraw_offer(struct media *media);
void media_forget(struct media *media,
		  enum media_side side); // another peer takes that side's place
// Our description towards that side, made of what the other side said (MEDIA-023). Without anything
// said, it is an offer of our own (the late offer: an INVITE came without one).
void media_write_offer(struct media *media, enum media_side to, struct writer *writer);
void media_write_answer(struct media *media, enum media_side to, struct writer *writer);
// The same before the call is answered, when what the other side says may still change while this side
// has one answer (RFC 3261 13.2.1): all that its own offer allows, or without one an offer of all we can.
void media_write_early(struct media *media, enum media_side to, struct writer *writer);
void media_accept_offer(struct media *media); // the latest one: nothing changes for the other side
// Brings the workers up to what both sides have said so far; harmless when nothing changed.
void media_connect(struct media *media);

struct media_figures { // of what arrives from a side
	struct stream_view rtp, rtcp;
	struct address local; // our address and port that side sends to
	struct address remote; // where it said it listens
	uint32_t stream_index;
	uint64_t lost;
	uint32_t jitter_us;
	uint8_t payload_type, event_type; // 0 = PCMU; PAYLOAD_TYPE_NONE
	bool is_private; // it named a private address (MEDIA-012)
	bool is_held; // it wants to hear nothing, or says it sends nothing
	uint8_t sends, listens; // booleans of its direction attribute: it says that it does
	uint8_t suite; // enum suite that its media has; SUITE_NONE: RTP
	uint16_t mos; // estimate times 100, of what arrives from it; 0: too little arrived
	struct address refused; // who sent last what was refused; family NONE: nobody
	struct address unauthentic; // who sent last what failed authentication
	uint32_t unreachable; // ICMP errors that what we sent to it came back with (MEDIA-015)
};
void media_read(const struct media *media, enum media_side side, struct media_figures *out_figures);
// An ICMP error came back for a packet that left from our port of that stream to that destination
// (MEDIA-015). What belongs to no live stream is passed over.
void media_note_unreachable(struct media_engine *engine, uint32_t stream_index,
			    const struct address *destination);
