#pragma once

// What a call is made of, for the files of this folder alone.
// Runs on: control thread.

#include <stdbool.h>

#include "base/map.h"
#include "base/wheel.h"
#include "call/call.h"
#include "call/carrier/place.h"
#include "call/handshake/told.h"
#include "call/header/identity.h"
#include "call/limit/limits.h"
#include "call/refusal.h"
#include "call/target/route.h"
#include "call/session/negotiation.h"
#include "call/transfer/joined.h"
#include "call/watch/hearing.h"
#include "call/watch/damper.h"
#include "history/history.h"
#include "media/media.h"
#include "media/quality/diagnosis.h"
#include "notify/pause.h"
#include "sip/dialog.h"
#include "sip/digest/digest.h"
#include "sip/message.h"
#include "sip/transaction.h"

#define CALL_SDP_SIZE 2048
#define CALL_HEADERS_SIZE 4096 // our own lines, and those that pass (call/header/header.h)

struct fork; // call/session/early.h
struct subscription; // call/transfer/subscription.h
struct transfer; // call/transfer/transfer.h

// One party's side of a call. The called leg is made anew for each carrier tried; one that was given
// up while its INVITE may still be answered lives on without a call, to ACK and BYE a late 200.
struct leg {
	struct calls *calls;
	struct call *call; // NULL: given up
	enum media_side side;
	struct sip_dialog *dialog;
	struct sip_server *server; // an INVITE from this party: the first, or a re-INVITE
	struct sip_client *client; // an INVITE to this party
	uint32_t invite_cseq; // of that, for its ACK
	bool is_cancelled; // CANCEL sent, final answer awaited
	bool is_invited; // INVITE sent, no final answer yet
	bool is_customer; // the trunk's own side, not the PSTN's
	bool is_outgoing; // we called it: the Call-ID is ours
	bool is_heard; // a response to its INVITE came, 100 too (ORIG-030)
	bool is_answered; // its first INVITE had a 2xx: ends by BYE
	bool is_over; // it has said BYE itself
	bool has_early_media; // a provisional response brought its answer
	bool is_reinvite; // server or client above is of a re-INVITE
	bool allows_update, allows_info; // by its last Allow (RFC 3311 4)
	bool is_ack_owed; // its 2xx made an offer; our ACK waits for the other side's answer
	bool is_stale; // what it was told of the other side is no longer true
	bool is_misled; // and what it answered was of no use: it must be told
	struct text ack_body; // of the ACK of its last 2xx, on the heap
	struct sip_client *update; // an UPDATE to it
	bool is_offered; // our 2xx to its INVITE has an offer: its ACK must answer
	struct fork *forks; // early dialogs of who was called, the last heard first
	unsigned pracks; // sent to them all
	struct info *infos; // of call/session/info.h, that wait for the other; the first is asked
	struct sip_client *info_client; // of one that this party is asked
	unsigned info_count;
	unsigned refer_count; // REFERs of it that were accepted
	struct subscription *subscription; // of the last one; NULL: nothing is to be told any more
	struct address peer; // where its signalling comes from, and by what
	struct call_way way;
	struct wheel_timer timer; // given-up leg: the end of its life
	struct leg *next, *previous; // given-up legs
	struct text carried; // header lines for the next message to it (call/header/carry.h)
	char wrong_ack[128]; // Request-URI of an ACK that did not name our Contact (SIP-003)
};

struct call {
	struct calls *calls;
	struct map_node by_sid;
	struct call *next, *previous; // by age
	enum call_state state;
	enum call_direction direction;
	char sid[35];
	char trunk_name[65];
	char carrier_name[65];
	bool has_symmetric_rtp;
	bool is_secure; // its trunk demands TLS and SRTP
	enum media_security security; // of the customer's media, and the suites it may have
	unsigned suites;
	unsigned max_forwards; // for the outgoing INVITE
	struct leg *caller, *called;
	struct identity identity; // who the caller wants to be
	struct text carried; // header lines for each carrier that is asked, on the heap
	struct attempt *attempt; // targets being tried (call/target/attempt.h); NULL: none
	struct refusal failure; // the last one's, told when none is left
	bool is_tried, is_unlisted; // there was an address to ask; no record is left (D-26)
	struct limit_slot limit; // what it holds of its trunk's and account's limits
	struct media *media; // NULL once closed
	bool is_late; // the caller's INVITE made no offer
	uint32_t invite_cseq; // of it
	enum exchange exchange;
	struct text told; // the description it got in a provisional response; on the heap
	struct reliable reliable;
	struct change change;
	struct history_call *record; // in the spool, filled as things happen
	bool has_transfer, shows_transferor; // its trunk's settings (TRUNK-015)
	unsigned refer_count; // of both parties, and of those before them
	struct transfer *transfer; // that a party of it has asked for
	struct transfer *serves; // that one, when this call is its target
	struct joined joined[MEDIA_SIDES]; // who came by transfer, by side
	unsigned news_left; // how often parties that were joined may still be told of each other
	uint64_t started_ms; // of the loop's clock
	struct wheel_timer ack_timer; // SIP-004
	struct wheel_timer duration_timer; // LIMIT-010
	struct wheel_timer reap_timer; // frees it when no callback is on the stack
	struct call_audio audio;
	uint64_t alerted[2]; // bit per cause that has had its alert (record_has_alerted)
};

struct calls {
	const struct clock *clock;
	struct wheel *wheel;
	const struct config *config;
	const struct directory *directory;
	struct history *history;
	struct media_engine *media;
	struct sip_transactions *transactions;
	struct sip_dialogs *dialogs;
	struct sip_digest *digest;
	struct sip_resolver *resolver;
	struct cnam *cnam; // NULL: no names
	struct notify *notify; // NULL: nobody is told of triggers
	uint16_t ports[SIP_PROTOCOL_COUNT]; // of ours, by transport
	struct places places; // of carriers
	struct health *health; // of carriers
	struct sip_guard *guard; // may be NULL
	struct limits *limits;
	struct replay_ring *ring; // the last INVITEs; NULL: none are kept
	struct replay *replay; // under way
	struct map by_sid;
	struct call *oldest, *newest;
	struct leg *given_up; // legs without a call
	struct call_counters counters;
	struct wheel_timer leak_timer; // call/watch/leak.h
	struct handshake_told handshakes[HANDSHAKES_REMEMBERED];
	uint64_t strangers[1024]; // hashes of requests refused last (record.h)
	struct notify_pauses triggers; // that fired lately
	struct damper dampers[DAMPERS_REMEMBERED]; // of alerts
};
