#pragma once

// Values of headers, taken apart by a cursor: tokens, comma lists, parameters, Via.
// Runs on: any thread; pure.

#include "base/text.h"
#include "sip/message.h"

enum sip_octet { // what an octet of a header value may be
	SIP_OCTET_PLAIN,
	SIP_OCTET_TOKEN, // RFC 3261 25.1 token
	SIP_OCTET_SEMICOLON, // the scan counts it and the next two
	SIP_OCTET_AMPERSAND,
	SIP_OCTET_COMMA,
	SIP_OCTET_FORBIDDEN, // control characters
	SIP_OCTET_COUNT,
};
extern const uint8_t sip_value_octets[256];

bool sip_value_is_token(struct text text);
bool sip_value_is_token_list(struct text value); // "a, b"; an empty list is none
struct text sip_value_token(struct cursor *cursor); // may be empty
// A quoted string with its quotes; false (nothing taken) when it has no end.
bool sip_value_quoted(struct cursor *cursor, struct text *out_value);
// The first value of a Via header; false when it is none.
bool sip_value_via(struct text value, struct sip_via *out_via);
// The first value of a comma list, comma outside quotes and angle brackets; leaves the others in
// *rest (data NULL when it was the last).
struct text sip_value_list(struct text *rest);
// The next ";name=value" of a parameter list, taken from *rest; false at the end or when malformed
// (*rest then is not empty). A quoted value keeps its quotes.
struct sip_parameter {
	struct text name, value;
	bool has_value;
};
bool sip_value_parameter(struct text *rest, struct sip_parameter *out_parameter);
