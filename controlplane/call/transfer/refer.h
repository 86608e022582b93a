#pragma once

// A REFER as a checked value: where to, in whose name, and whether progress is to be told (RFC 3515,
// RFC 3892, RFC 4488).
// Runs on: control thread; pure.

#include "call/refusal.h"
#include "call/transfer/replaces.h"
#include "sip/message.h"

struct refer { // borrows from the message
	struct sip_uri target; // sip, sips or tel
	struct text bare; // of it, what precedes its header part
	bool has_replaces; // the target is the other party of that dialog
	struct replaces replaces;
	struct text referred_by; // the header's value; NONE: none
	bool is_quiet; // Refer-Sub: false: nothing is to be told
};

// REFUSED_NOT, or the row by which it is refused: there is no Refer-To, more than one URI, or one that
// cannot be called (XFER-007).
enum refusal_cause refer_parse(const struct sip_message *request, struct refer *out_refer,
			       struct refusal *out_refusal);
