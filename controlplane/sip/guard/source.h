#pragma once

// The inside of the guard, shared by the files of this folder.
// Runs on: control thread.

#include "config/guard.h"
#include "sip/guard/apart.h"
#include "sip/guard/guard.h"
#include "sip/guard/overload.h"
#include "sip/guard/peek.h"
#include "sip/guard/ping.h"
#include "sip/guard/rate.h"
#include "sip/guard/table.h"

#define SIP_GUARD_STRANGERS 65536
#define SIP_GUARD_PEERS 16384
#define SIP_GUARD_BANS 8192
#define SIP_GUARD_PINGS 8192

struct sip_guard_stranger { // 64 octets
	struct sip_guard_slot slot; // kept by when it was seen last
	struct sip_guard_rate rate;
	uint64_t first_ms;
	uint64_t window_ms; // the minute in which the following are counted
	uint32_t refused; // messages beyond its rate
	uint16_t offences[SIP_GUARD_OFFENCE_COUNT];
};

struct sip_guard_peer {
	struct sip_guard_slot slot;
	struct sip_guard_rate rate;
	uint64_t known_until_ms; // by digest, or because we asked it; 0: by its address alone
	uint64_t told_ms; // when it was last said to be over its rate
	uint32_t failures; // wrong credentials since the last right ones
};

struct sip_guard {
	struct sip_guard_options options;
	struct sip_guard_counters counters;
	struct sip_guard_table strangers, peers, bans, pings;
	// All strangers together: seen for the first time, seen before, by streams.
	struct sip_guard_rate fresh, returning, streams;
	struct sip_guard_overload overload;
	struct sip_guard_apart apart;
	struct sip_guard_rate led; // peers that only a Contact makes
	struct sip_guard_rate lines; // of the log
	uint32_t swept_place; // how far the sweep has come, in which table
	unsigned swept_table;
	unsigned active; // bans and blocks that it has seen
};

// Forgets what was counted in a minute that is over.
void sip_guard_begin_window(struct sip_guard_stranger *stranger, uint64_t now_ms);
uint64_t sip_guard_now_us(const struct sip_guard *guard);
// Known by digest or because we asked it, or listed.
bool sip_guard_is_peer(struct sip_guard *guard, const struct address *source);
// A ban by itself: of strangers alone.
void sip_guard_condemn(struct sip_guard *guard, const struct sip_flow *flow,
		       enum sip_guard_cause cause, bool is_proven);
// A line of the log, of which there are few a second. host empty: everything of that source is meant.
void sip_guard_tell_ban(struct sip_guard *guard, const struct sip_guard_ban *ban, struct text host);
