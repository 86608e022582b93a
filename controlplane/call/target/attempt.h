#pragma once

// How a call looks for a target that takes it: targets in their order, each resolved, its addresses
// one after another, 4 s without any response for each (TERM-032, ORIG-043, D-20). While a name is
// looked up the call is trying and has no called leg.
// Runs on: control thread; never waits.

#include "call/state.h"

struct target;
struct attempt; // of one call, from its admission to its answer

// Chooses the targets and asks the first. Like the other two it may end the call: the caller hears the
// last failure when nobody is left.
void attempt_start(struct call *call);
void attempt_start_at(struct call *call, const struct target *target); // asks that one alone
void attempt_next_address(struct call *call); // this one was silent, or had no room: 503
void attempt_next_target(struct call *call);
// Redirected: that one now, instead of the one that said so (REDIR-001). Once in a call.
void attempt_turn_to(struct call *call, const struct target *target);
bool attempt_is_redirected(const struct call *call);
// Why the one being tried did not take it: for who hears of it when none is left, and an alert.
void attempt_note_failed(struct call *call, enum refusal_cause cause, struct text seen,
			 const char *expected);
// The one being tried; while there is an attempt.
const struct target *attempt_target(const struct call *call);
void attempt_heard(struct call *call); // any response: the address is alive
void attempt_silent(struct call *call); // none: it is tried last for a while
void attempt_clear(struct call *call); // answered, or over; harmless when there is none
