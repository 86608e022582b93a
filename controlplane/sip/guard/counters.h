#pragma once

// What the guard counts.
// Runs on: control thread writes, any thread reads.

#include "base/counter.h"
#include "sip/guard/ban.h"

enum sip_guard_class {
	SIP_GUARD_STRANGER,
	SIP_GUARD_PEER, // provisioned address, or proven by digest, or asked by us
	SIP_GUARD_CLASS_COUNT,
};

// enumerator suffix, metric label
#define SIP_GUARD_DROP_LIST(ROW)                                                                   \
	ROW(BANNED, "banned")                                                                      \
	ROW(SOURCE, "stranger_rate") /* one stranger's share */                                    \
	ROW(STRANGERS, "strangers_rate") /* that of all strangers */                               \
	ROW(PEER, "peer_rate")                                                                     \
	ROW(SCANNER, "scanner")                                                                    \
	ROW(OPTIONS, "options")                                                                    \
	ROW(STALE, "stale") /* INVITEs that waited longer than their sender's T1 */                \
	ROW(OVERLOAD, "overload") /* new calls, without the 503 that costs work too */

#define SIP_GUARD_DROP_ENUMERATOR(name, label) SIP_GUARD_DROP_##name,
enum sip_guard_drop { SIP_GUARD_DROP_LIST(SIP_GUARD_DROP_ENUMERATOR) SIP_GUARD_DROP_COUNT };
#undef SIP_GUARD_DROP_ENUMERATOR

struct sip_guard_counters {
	struct counter passed[SIP_GUARD_CLASS_COUNT];
	struct counter dropped[SIP_GUARD_DROP_COUNT];
	struct counter shed; // new calls that were to hear 503
	struct counter bans[SIP_GUARD_CAUSE_COUNT]; // made
	struct counter bans_refused; // for want of room
	struct counter led_refused; // places a Contact named that were not made peers
	struct counter bans_now; // as of the last sweep
	struct counter sources_now; // of the table of strangers
	struct counter episodes; // of overload
	struct counter is_overloaded; // 0 or 1
	struct counter calls_rate; // new calls a second let in while overloaded
	struct counter door_wait_us; // the mean wait at the door in the last tenth of a second
	struct counter wait_us; // the shortest wait of the last tenth of a second
};

const char *sip_guard_class_label(enum sip_guard_class class); // NULL past the last
const char *sip_guard_drop_label(enum sip_guard_drop drop); // NULL past the last
