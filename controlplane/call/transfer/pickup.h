#pragma once

// A call that rings at a customer's is answered elsewhere, because Replaces names that early dialog: it is
// one that we began, so it may be replaced (RFC 3891 3). Who rang hears CANCEL, as of a call that was
// completed elsewhere (RFC 3326).
// Runs on: control thread; never waits.

#include "call/admission/admission.h"
#include "call/state.h"

// Does it ring there, by an INVITE of ours that has no final answer yet?
bool pickup_is_ringing(const struct leg *leg);
// And is nothing being agreed on?
bool pickup_is_possible(const struct leg *leg);
// Another host takes the call by its INVITE, and both have their 200.
void pickup_by_invite(struct leg *ringing, struct sip_server *server,
		      const struct sip_message *invite, const struct admitted *admitted);
// The target of a transfer that has started is the caller: it has its 200, and is joined when that is
// acknowledged.
void pickup_by_transfer(struct leg *ringing);
