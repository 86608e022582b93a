#pragma once

// Who is kept out for a time, why, and until when. Each further ban of a source lasts twice as long
// as the one before. What a UDP datagram claims holds for UDP alone: its source may be forged.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "sip/guard/table.h"

// enumerator suffix, label, what `trunkctl show bans` says of it
#define SIP_GUARD_CAUSE_LIST(ROW)                                                                  \
	ROW(SCANNER, "scanner", "its User-Agent is a scanner's")                                   \
	ROW(DOMAINS, "unknown_domains", "asked for many domains that are not ours")                \
	ROW(CREDENTIALS, "wrong_credentials", "many wrong passwords")                              \
	ROW(MALFORMED, "malformed", "many malformed messages")                                     \
	ROW(FLOOD, "flood", "far more messages than a stranger may send")                          \
	ROW(OPERATOR, "operator", "by trunkctl")                                                   \
	ROW(OPTIONS, "options", "OPTIONS too often: OPTIONS to this host alone are ignored")

#define SIP_GUARD_CAUSE_ENUMERATOR(name, label, what) SIP_GUARD_CAUSE_##name,
enum sip_guard_cause { SIP_GUARD_CAUSE_LIST(SIP_GUARD_CAUSE_ENUMERATOR) SIP_GUARD_CAUSE_COUNT };
#undef SIP_GUARD_CAUSE_ENUMERATOR

const char *sip_guard_cause_label(enum sip_guard_cause cause);
const char *sip_guard_cause_text(enum sip_guard_cause cause);

struct sip_guard_ban {
	struct sip_guard_slot slot; // first
	struct address address; // port 0
	enum sip_guard_cause cause;
	bool is_proven; // the source was shown to be who it says: holds for streams too
	unsigned strikes; // bans so far
	uint64_t since_ms, until_ms; // of the loop's clock
	uint64_t dropped; // messages kept out
};

struct sip_guard_term { // one sentence
	enum sip_guard_cause cause;
	bool is_proven;
	uint64_t first_ms, longest_ms; // of the first ban, and of any
};

// How long the ban with that many strikes lasts.
uint64_t sip_guard_ban_length(const struct sip_guard_term *term, unsigned strikes);
// NULL: all places of its set are taken by bans that last longer.
struct sip_guard_ban *sip_guard_ban_add(struct sip_guard_table *bans, const struct address *address,
					const struct sip_guard_term *term, uint64_t now_ms);
// The ban that holds now for such a message; NULL: none.
struct sip_guard_ban *sip_guard_ban_find(const struct sip_guard_table *bans,
					 struct sip_guard_key key, bool is_stream, uint64_t now_ms);
