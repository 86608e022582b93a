#pragma once

// A call from the PSTN: an INVITE of a carrier, for a number of ours. Judged by a table of checks, as those
// of customers are (call/admission/admission.h).
// Runs on: control thread.

#include "call/admission/admission.h"

void inbound_invite(struct calls *calls, struct sip_server *server,
		    const struct sip_message *invite);
// Who calls, as the carrier said it; the carrier is known.
void inbound_read_caller(const struct sip_message *invite, struct admitted *admitted);
// The nth check in the order in which they are asked; NULL past the last.
const struct admission_check *inbound_check(unsigned nth);
