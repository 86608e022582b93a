#pragma once

// What happened: every call, failed ones too, and every alert becomes one row of SQL. A record lives
// from its opening on in a spool file mapped into memory, so that not even kill -9 loses it; the
// history thread moves finished ones into the database.
// Runs on: records are filled on the control thread; SQL runs on the history thread alone.

#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/status.h"
#include "base/text.h"
#include "history/alert.h"
#include "history/usage.h"

struct event_base;
struct history;
struct history_rates;

struct history_media { // one direction: what arrived from that party and what became of it
	uint64_t packets, octets; // relayed
	uint64_t lost;
	uint64_t drops_ttl, drops_source, drops_other;
	uint32_t jitter_us;
	uint8_t ttl_lowest; // 255: none seen
	uint8_t payload_type;
	uint16_t events; // telephone events
	char local[64],
		remote[64]; // our address and port it came to; where that party said it listens
	char suite[32]; // of SRTP; empty: RTP
	char verdict[24]; // why what it said was not heard, the last time; empty: it was heard
	uint8_t is_recovered; // and then it was heard again
	uint8_t payload_changes;
	uint16_t mos; // times 100; 0: too little arrived
	uint16_t reordered, duplicates, ssrc_changes;
	uint32_t silent; // packets of silence
	uint64_t drops_authentication, drops_replay, drops_payload_type;
	uint32_t unreachable; // ICMP errors that what we sent to it came back with
	char source[64], refused[64]; // where it came from; who was refused last
	// RTCP: reports read and made, and what it reports of what we sent to it.
	uint32_t reports, generated;
	int32_t peer_lost; // below 0: duplicates (RFC 3550 6.4.1)
	uint32_t peer_jitter_us, round_trip_us;
};

enum history_end { // who ended it
	HISTORY_END_NONE,
	HISTORY_END_CALLER,
	HISTORY_END_CALLED,
	HISTORY_END_TRUNKD, // a refusal, a limit, a timer
	HISTORY_END_OPERATOR,
	HISTORY_END_LOST, // the control process died while it was up
};

const char *history_end_text(enum history_end end); // "caller"; "" for NONE
enum history_end history_end_of(struct text text);

struct history_call {
	char sid[35], account_sid[35], trunk_sid[35], carrier_sid[35];
	char parent_sid[35]; // of the call it was, or was to be, joined with by transfer; "": none
	char direction[16]; // "termination", "origination"; "transfer" to a host of the customer's
	char from[64], to[64];
	char source[64]; // the caller's signalling address
	char carrier[65], carrier_address[64]; // tried last; of origination, the one that called
	char uri[160], uri_address[64]; // of origination: tried last, and its address
	char call_id_in[128], call_id_out[128];
	uint64_t start_ms, ringing_ms, answer_ms, end_ms; // wall clock; 0: did not happen
	uint16_t sip_status; // the final answer the caller got; 200 for an answered call
	char reason[96]; // its phrase, or why the call ended
	uint8_t ended_by; // enum history_end
	uint8_t attempts; // carriers or URIs tried
	uint8_t is_secure; // its trunk demanded TLS and SRTP
	uint32_t alert_code; // of the alert that explains a failure; 0: none
	// Usage, filled in when the call is closed (rate.h):
	uint32_t billed_s; // 0: not answered
	uint8_t is_priced;
	uint64_t price_micro; // millionths of the currency
	char rate_prefix[20]; // of the price: "+81", "*"
	struct history_media caller, called;
	char ladder
		[1024]; // "0 caller> INVITE\n1 caller< 100\n…": ms since start, leg, direction, what
};

struct history_counters {
	struct counter calls, alerts, notifications, written, refused, failures;
	struct counter spool_used; // records waiting, now
	struct counter aside; // spools of other versions that lie beside, now
	struct counter retired; // rows that became too old, or too many
	struct counter usage_items[HISTORY_CATEGORY_COUNT], usage_quantity[HISTORY_CATEGORY_COUNT];
};

struct history_retention { // 0: without a bound
	unsigned days; // of calls and items of usage
	unsigned alerts_days;
	uint64_t rows; // of each table
};

struct history_options {
	const char *file;
	const char *spool_file;
	unsigned spool_records;
	struct history_retention retention;
	const struct history_rates *rates; // NULL: nothing has a price; outlives the history
};

// Replays what a former process left in the spool: finished records as they are, open ones as LOST.
enum status history_start(struct event_base *loop, const struct history_options *options,
			  struct history **out_history);
void history_stop(struct history *history); // after the last record is written
// The prices from now on; `rates` outlives the history, or the next call of this.
void history_set_rates(struct history *history, const struct history_rates *rates);
const struct history_counters *history_counters(const struct history *history);

// A record to fill in place, zeroed; NULL: the spool is full, so refuse the call (never lose one).
struct history_call *history_call_open(struct history *history);
void history_call_close(struct history *history,
			struct history_call *call); // accepted: never lost now
void history_call_drop(struct history *history, struct history_call *call); // no row (D-26)
// Finished calls from the database, newest first; sid NULL: any. `found` runs in the loop given at
// start, once for each row and once with NULL at the end.
typedef void (*history_found_fn)(void *context, const struct history_call *call);
enum status history_search(struct history *history, const char *sid, unsigned max,
			   history_found_fn found, void *context);
