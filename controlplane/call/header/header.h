#pragma once

// Headers on their way from one leg to the other, by the table of call/header/table.h: bounded, from the
// raw lines, and without anything that names the leg they come from.
// Runs on: control thread; pure.

#include <stdbool.h>

#include "base/counter.h"
#include "call/header/table.h"
#include "sip/message.h"

#define HEADER_LINES_MAX 24 // of one message
#define HEADER_ROOM 2048 // octets of them together
#define HEADER_VALUE_MAX 1024

struct header_claims;

struct header_policy {
	const char *domain; // ours, for hosts that are not told
	bool is_private; // the caller wants to be nobody
	bool keeps_timers; // sip.session_timers: pass
	struct header_claims
		*claims; // of those who were diverted (call/header/claims.h); NULL: unchecked
};

// label, meaning; one counter each
#define HEADER_FATE_LIST(ROW)                                                                      \
	ROW(PASSED, "passed")                                                                      \
	ROW(HIDDEN, "hidden") /* it named the leg it came from, or nothing of it may pass */       \
	ROW(CUT, "cut") /* one too many, or too long */                                            \
	ROW(FOREIGN,                                                                               \
	    "foreign_diversion") /* it claimed a number of ours that is another's (DIV-006) */     \
	ROW(TIMER, "timer") /* a session timer: an option tag or a header (SIP-017) */

#define HEADER_FATE_ENUMERATOR(name, label) HEADER_FATE_##name,
enum header_fate { HEADER_FATE_LIST(HEADER_FATE_ENUMERATOR) HEADER_FATE_COUNT };
#undef HEADER_FATE_ENUMERATOR

struct header_counters {
	struct counter fates[HEADER_FATE_COUNT];
};

const char *header_fate_label(unsigned fate); // NULL past the last

// May that value of a header of the message be told to the other leg as it is? It is one line, not too long,
// and names nothing of the leg it comes from.
bool header_may_tell(const struct sip_message *message, const char *domain, struct text value);
// The same of its body, whose size the caller has bounded: its octets are looked at as they are.
bool header_may_tell_body(const struct sip_message *message, const char *domain);
// The lines of the message that pass that way, each with its CRLF. Never more than HEADER_ROOM, and
// never more than the writer has room for. `counters` may be NULL.
void header_write(const struct sip_message *message, enum header_way way,
		  const struct header_policy *policy, struct writer *writer,
		  struct header_counters *counters);
