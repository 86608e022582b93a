#pragma once

// The rule for OPTIONS (LIMIT-012, D-34): one each ten seconds from a source to a trunk is never
// blocked; more than that, averaged over a minute, with some allowance for bursts, has OPTIONS to that
// host ignored for a time.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"
#include "sip/guard/ban.h"
#include "sip/guard/peek.h"
#include "sip/guard/table.h"

#define SIP_GUARD_PING_WINDOW_MS 60000
#define SIP_GUARD_PING_TIMES 16 // remembered: the most that any setting allows in the window
#define SIP_GUARD_PING_HOST_SIZE 64

struct sip_guard_ping {
	struct sip_guard_ban ban; // first; cause OPTIONS
	char host[SIP_GUARD_PING_HOST_SIZE];
	uint64_t last_hash; // of the Via of the last one: a retransmission is no second one
	uint64_t times_ms[SIP_GUARD_PING_TIMES]; // of the last ones, in a ring
	unsigned next;
};

enum sip_guard_ping_verdict {
	SIP_GUARD_PING_ANSWER,
	SIP_GUARD_PING_IGNORE, // blocked already
	SIP_GUARD_PING_BLOCK, // blocked by this one
};

struct sip_guard_ping_rule {
	unsigned allowed; // in the window, SIP_GUARD_PING_TIMES at most
	struct sip_guard_term term;
};

// One OPTIONS outside any dialog; *out_ban tells the block, when it is one.
enum sip_guard_ping_verdict
sip_guard_ping_take(struct sip_guard_table *pings, const struct address *source,
		    const struct sip_guard_peek *peek, const struct sip_guard_ping_rule *rule,
		    uint64_t now_ms, const struct sip_guard_ban **out_ban);
