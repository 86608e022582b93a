#pragma once

// What the admission has to know of a message before anything is spent on it: a look at the first
// letters of its lines. It judges nothing: whatever it makes of a message, the scan decides later.
// Runs on: any thread; pure.

#include <stdbool.h>

#include "base/text.h"

enum sip_guard_kind {
	SIP_GUARD_OTHER, // any other request, or no SIP at all
	SIP_GUARD_RESPONSE,
	SIP_GUARD_INVITE,
	SIP_GUARD_ACK,
	SIP_GUARD_OPTIONS,
};

struct sip_guard_peek { // borrows from the octets
	enum sip_guard_kind kind;
	bool has_to_tag; // of a request: it claims to be in a dialog
	bool has_credentials; // Proxy-Authorization
	struct text host; // of the Request-URI, of OPTIONS alone
	struct text via; // the first Via line's value
	struct text user_agent;
};

void sip_guard_peek(struct text octets, struct sip_guard_peek *out_peek);
// Is this User-Agent one of the scanners that say who they are (docs/operations.md lists them)?
bool sip_guard_is_scanner(struct text user_agent);
