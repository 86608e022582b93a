#pragma once

// Call transfer by REFER (XFER-001 to -008, RFC 5589): consumed here and never relayed. Its target is a
// call of its own without a calling side, or with Replaces another call of who transfers; once it is
// answered the two become one (call/transfer/join.h), and who transferred goes. Until then the call
// that is transferred goes on as it is; a target that fails changes nothing in it.
// Runs on: control thread; never waits.

#include "call/end.h"
#include "call/state.h"

struct transfer { // one that is under way; owned by the call whose leg asked for it
	struct call *call; // whose `transfer` it is
	struct leg *referrer; // its leg that asked, and is to go
	struct call *target; // whose `serves` it is
	struct leg *
		companion; // the referrer's other leg, in the target; NULL: it has none there, any more
	bool is_answered; // by the target: joined as soon as nothing else is under way
};

// REFER of a customer's side.
void transfer_asked(struct leg *leg, struct sip_server *server, const struct sip_message *refer);
// The target is this call, which is answered already or may be one day; companion may be NULL. False:
// no memory.
bool transfer_start(struct leg *referrer, struct call *target, struct leg *companion);
// What the target's called party says: it rings, it has answered.
void transfer_progress(struct call *target, unsigned status);
void transfer_answered(struct call *target);
// Nothing else is under way in this call: the two are joined if the time has come. True: they are.
bool transfer_settle(struct call *call);
// One of the two calls ends in that way: the other one goes on if it can.
void transfer_end(struct call *call, const struct ending *ending);
// Who transfers has hung up, or is lost: the call waits for the target all the same (RFC 5589 6.1).
bool transfer_survives(struct leg *leg);
// The final NOTIFY has arrived, or cannot: nothing keeps that leg any more.
void transfer_told(struct leg *leg);
