#pragma once

// The table of calls: making one, taking one out.
// Runs on: control thread.

#include "call/state.h"

struct admitted;
struct trunk;

// A call without a calling side: the target of that one's transfer, by the same trunk. NULL: none, for
// that cause.
struct call *call_create_target(const struct call *call, enum call_direction direction,
				enum refusal_cause *out_cause);
// A leg whose party has called us; it has the server transaction, and the call has not got it yet. NULL:
// no dialog can be made of that, or there is no memory.
struct leg *call_open_leg(struct call *call, enum media_side side, struct sip_server *server,
			  const struct sip_message *invite);
// Gives the call a calling side, from an INVITE. False: no dialog can be made of that.
bool call_open_caller(struct call *call, struct sip_server *server,
		      const struct sip_message *invite);
// A call in its first state, with its row and the caller's leg; NULL and the cause when there is no
// room for one more. On success the server transaction belongs to the caller's leg.
struct call *call_create(struct calls *calls, struct sip_server *server,
			 const struct sip_message *invite, const struct admitted *admitted,
			 enum refusal_cause *out_cause);
// What media the caller may have, and the suites of its SRTP.
enum media_security call_media_policy(const struct trunk *trunk, unsigned *out_suites);
