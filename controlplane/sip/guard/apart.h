#pragma once

// What the thread at the door (sip/door) may know of the guard in overload: how many new calls may wait,
// which are no new ones, and who may hear that there is no room. Known peers may, of whom a call to the same
// host came in within the last minutes: others are left without an answer, as the guard has no time to judge
// each.
// Runs on: control thread writes; the door's reads, at any time, and writes what is said.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"
#include "sip/guard/taken.h"

#define SIP_GUARD_APART_BITS                                                                       \
	131072 // a thousand callers: one stranger in 130 is taken for one of them
#define SIP_GUARD_APART_WORDS (SIP_GUARD_APART_BITS / 64)
#define SIP_GUARD_APART_TURN_MS 60000 // who was not seen for one to two of these is forgotten

struct sip_guard_apart {
	_Atomic bool is_served; // the door says so at its start
	_Atomic uint64_t turned_away; // new calls; the door counts them
	_Atomic uint32_t most_waiting; // messages of new calls; 0: there is no overload
	// Of the loop's clock: until then what came before may still wait for the control thread.
	_Atomic uint64_t settled_us;
	_Atomic uint64_t
		stale_us; // who waited longer before the door is left to its repeat; 0: nobody
	_Atomic uint32_t peer_rate; // messages a second of one source
	_Atomic uint64_t callers[2][SIP_GUARD_APART_WORDS]; // of this turn and of the last
	struct sip_guard_taken taken; // calls that came in by UDP, of anybody
	const struct sip_guard_taken
		*at_door; // let in there; NULL: no door. Control thread's, as the next two
	unsigned turn;
	uint64_t turned_ms;
};

// Each turn of the loop's timer.
void sip_guard_apart_follow(struct sip_guard_apart *apart, unsigned most_waiting,
			    unsigned peer_rate, uint64_t now_ms);
// A call has come in; who sees that its caller is known sees what was written before, too.
void sip_guard_apart_note(struct sip_guard_apart *apart, const struct address *source,
			  struct text host);
void sip_guard_apart_give_up(struct sip_guard_apart *apart); // nobody comes by the door from now on
void sip_guard_apart_forget(struct sip_guard_apart *apart); // everybody, not the calls
bool sip_guard_apart_knows(const struct sip_guard_apart *apart, const struct address *source,
			   struct text host);
