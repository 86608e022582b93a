#pragma once

// An INVITE with Replaces (RFC 3891): another host of the customer's takes the place of its leg in a call,
// because it was asked to by who had it.
// Runs on: control thread; never waits.

#include "call/admission/admission.h"

// Is it one? Any that names a dialog of a customer's; and others to a trunk with transfer switched on, or
// that demand it (RFC 3891 3). Else the header is passed over.
bool takeover_is_asked(const struct calls *calls, const struct sip_message *invite);
// Judged as an INVITE to the trunk of that call, up to the numbers, of which there are none.
enum admission takeover_admit(struct calls *calls, const struct sip_message *invite,
			      struct admitted *out_admitted, struct refusal *out_refusal);
const struct admission_check *takeover_check(unsigned nth); // NULL past the last
// What was admitted: joined at once, and answered.
void takeover_begin(struct calls *calls, struct sip_server *server,
		    const struct sip_message *invite, const struct admitted *admitted);
