#pragma once

// A story: its lines, the node and the agents it is about, and why it failed. The language:
//
//   alice > INVITE +81312345678 from +14155550100 offer plain     she says it
//   alice > PRACK answer plain                                    of the last reliable response she heard
//   alice > INFO body application/dtmf-relay "Signal=5"           a body that is no description
//   carrier1 > INVITE +14155550100                                a call from the PSTN: at our address
//   alice < 403 "Forbidden" has "received=203.0.113.10"           she heard it (oldest first)
//   carrier1 < INVITE line "Privacy: id" lacks "Subject"           a whole header line is there
//   pbx1 < INVITE has "A: b\nC: d"                                \n is an end of line
//   carrier1 < INVITE again 2 times                               octet by octet as before
//   alice by tls [1.0] · alice disconnects                        on a new connection; it is gone
//   alice < 200 by tls                                            it came by that transport
//   alice > INVITE offer plain unchanged                           a description as the last, its version too
//   alice > REFER refer alice/2                                   to who is at the other end of that one
//   alice/3 > INVITE replaces alice/2                             a call in the place of that one, "early-only" too
//   mallory > REFER of alice/2                                    a request in a dialog that is another's
//   carrier1 > echo INVITE +81312345678                           the INVITE it heard, as a proxy sends it on
//   alice silent 32s                                              time passes, she hears nothing
//   carrier1 > UPDATE fork other                                  under the tag of another answer of hers
//   alice waits 4s                                                time passes until she hears something
//   wait 20s                                                      time passes
//   streams 4, ports 2, calls 1, dialogs 2, transactions 2        what there is now
//   media to 203.0.113.177:30000                                  an open RTP stream leaves for it
//   alert 32206 header From seen "+1" expected "a number"         the oldest alert not yet named
//   alert 32222 callless …                                        the same, of an account but of no call
//   row status=403 ended_by=trunkd reason="Forbidden"             the oldest record not yet named
//   counter unknown_domain 1
//   add carrier name=carrier2 address=198.51.100.22 priority=20   set KIND WORD FIELD=VALUE …, remove
//   dns gw.example A 198.51.100.11 ttl 60 · dns remove gw.example · dns dead | silent | alive
//   carrier state carrier1 up | down | unknown | "not pinged"      what its pings say
//   config definitive_codes 503 5xx                               these end a call, and no others
//   config edge dublin 192.0.2.9 192.0.2.10                        this node is there too: SIP, media
//   config edge_account dublin acme                                it is open to that account
//   config max_calls 1 · hang up · dataplane away | back | ttl caller · ports all taken | given back ·
//   caller mute | silent | talks | dropped ttl · called reports 255 | unreachable 3 times |
//   caller stranger ADDRESS | moves ADDRESS · called presses 5 held 160
//   called hears 5# held 100 · called hears nothing               telephone events of ours since then
//   verdict caller ttl                                            why the caller is not heard now
//   ban alice 60s · unban alice | all · bans 1 · loop late 50ms
//   repeat 250 times · … · end                                     each time with another alice/each
//   limits join 2 | leave | answer [trunk_rate | all]              of Redis: it counts for 2 nodes; is away
//   questions 1, held 2                                            to Redis; calls of this node it counts
//   explain to=+81312345678 source=203.0.113.177 outcome "403 Forbidden" check source_address
//   explain last outcome admitted challenged target carrier1 targets 1 sdp "m=audio"
//   replay set trunk acme cps=1 asked 2, changed 1 admitted "503 …"    also: remove …; max_cps 1
//   history full | has room · unreachable carrier1 · stop (trunkd ends, whatever goes on)
//
// At the end nothing may be left: no message, alert or record nobody named, and once the lifetimes of
// RFC 3261 are over no call, dialog, transaction, stream, port or open record. No message may tell
// one side of a call anything of the other.
// Runs on: the thread of the test.

#include <stdio.h>

#include "scenario/agent.h"
#include "scenario/node.h"
#include "scenario/words.h"

#define STORY_PROBLEM_SIZE 1024

struct story {
	const char *path;
	unsigned line;
	char text[WORDS_SIZE];
	struct words words;
	struct node *node;
	struct agents agents;
	FILE *file;
	long loop_at; // where in it what is told again begins, from loop_line on
	unsigned loop_line, loop_left;
	bool is_stopped; // in the middle of things: nothing more is told or checked
	char problem[STORY_PROBLEM_SIZE];
};

// Each returns false after filling the problem.
bool story_fail(struct story *story, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool story_say(struct story *story, struct party *party); // speak.c
bool story_hear(struct story *story, struct party *party); // listen.c
bool story_zone(struct story *story); // zone.c
bool story_carrier(struct story *story);
bool story_do(struct story *story); // deed.c: lines that are about no agent
bool story_check_gauges(struct story *story); // count.c
bool story_check_counter(struct story *story);
bool story_check_row(struct story *story); // trace.c: what was left behind
bool story_check_alert(struct story *story);
bool story_check_trigger(struct story *story);
bool story_ban(struct story *story); // guard.c
bool story_unban(struct story *story);
bool story_loop(struct story *story);
bool story_explain(struct story *story); // explain.c
bool story_replay(struct story *story);
unsigned long story_bans(const struct node *node);
bool story_config(struct story *story); // setting.c
bool story_limits(struct story *story);
bool story_repeat(struct story *story);
bool story_end_round(struct story *story);
bool story_take_number(struct story *story, unsigned long *out_number);
bool story_is_silent(struct story *story, const struct agent *agent);
bool story_is_clear(struct story *story); // trace.c: calls 0, dialogs 0, …
bool story_end(struct story *story); // trace.c: nothing may be left
