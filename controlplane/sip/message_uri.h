#pragma once

// URIs and the name-addr around them: taken apart by a cursor into text that borrows from the raw
// line, and, where a stranger opens something new, put before libosip2 as a second judge.
// Runs on: control thread (libosip2's allocator is one per process).

#include "base/text.h"
#include "sip/message.h"

enum sip_uri_verdict {
	SIP_URI_OK,
	SIP_URI_MALFORMED,
	SIP_URI_UNKNOWN_SCHEME, // well-formed, neither sip, sips nor tel; only whole and scheme are set
};

enum sip_uri_verdict sip_uri_split(struct text text, struct sip_uri *out_uri);
// From, To, Contact … by the cursor alone. An unknown scheme is no error here.
bool sip_party_split(struct text value, struct sip_party *out_party);
// An escaped NUL, which ends the string of whoever unescapes it.
bool sip_uri_hides_nul(const struct sip_uri *uri);
// What libosip2 thinks of a URI already bounded by the scan and split by us.
bool sip_uri_is_valid(const struct sip_uri *uri);
