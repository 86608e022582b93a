#pragma once

// Two calls become one. The one that was transferred goes on, with the other party of the second in
// the place of who transferred; the second keeps whoever leaves, says goodbye to them and is gone. Its
// record goes along with the party it is about: each is metered to its own end.
// Runs on: control thread; never waits.

#include "call/end.h"
#include "call/state.h"

// Is it answered, and nothing being agreed on?
bool join_is_possible(const struct call *call);
// `coming` takes the place of `leaving` in the call; its own call then has `leaving` instead, and ends as
// soon as that one was told. False: no media could be joined; nothing has changed.
bool join_calls(struct call *call, struct leg *leaving, struct leg *coming);

// Of the party on that side: the record it came with tells, else the call's own. "": nothing does.
const char *join_number(const struct call *call, enum media_side side);
// The call ends, and with it what its parties brought along: their records end, and are handed over.
void join_end(struct call *call, const struct ending *ending);
void join_close(struct call *call);
