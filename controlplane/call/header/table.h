#pragma once

// What becomes of a header between the legs of a call: ONE ROW PER HEADER. A header without a row goes
// nowhere. `trunkd --describe headers` prints the table.
// Runs on: any thread; the table is constant.

#include <stdio.h>

#include "base/text.h"
#include "config/config.h"
#include "sip/message.h"

enum header_way { // of a message from one leg to the other
	HEADER_TO_CARRIER, // the INVITE of a call from a PBX
	HEADER_FROM_CARRIER, // its responses
	HEADER_TO_PBX, // the INVITE of a call from a carrier
	HEADER_FROM_PBX, // its responses
	HEADER_INSIDE, // what comes in a dialog afterwards, and CANCEL, either way
	HEADER_WAYS,
};

enum header_action {
	HEADER_STRIP, // goes nowhere
	HEADER_PASS, // what its form makes of it goes on, unless it names the leg it comes from
	HEADER_SET, // trunkd writes its own, or none
};

enum header_form { // of a value that passes
	HEADER_RAW, // as it came: commas are data
	HEADER_URIS, // a list of name-addr: our domain stands for hosts that are the leg's own
	HEADER_DIVERSIONS, // the same, without those that claim a number of another customer (DIV-005)
	HEADER_RINGS, // a list of URIs of which only urn: goes on (RFC 7462)
	HEADER_REFERENCES, // a list of URIs of which cid: stays, since its body stays (RFC 6442)
	HEADER_REASONS, // protocol, cause and text (RFC 3326)
	HEADER_SECONDS, // a number, without comment and parameters
	HEADER_OPTIONS, // a list of option tags, without those that bind a leg (SIP-018)
	HEADER_TIMER, // a session timer's: raw, and only where sip.session_timers lets it
	HEADER_FORM_COUNT,
};

struct header_row {
	struct text name; // one that ends in '*' stands for all that begin so
	char compact; // 0: none
	enum header_action actions[HEADER_WAYS];
	enum header_form form;
	bool is_personal; // stays when the caller wants to be nobody (RFC 3323 4.1)
	const char *why;
};

extern const struct header_row header_rows[];
extern const unsigned header_row_count; // without the last, which is of headers without a row

// By name or compact form, ASCII case ignored; never NULL.
const struct header_row *header_row_of(struct text name);
const char *header_way_text(enum header_way way);
const char *header_action_text(enum header_action action);
void header_describe(FILE *out); // the reference page
