#pragma once

// Bodies of several parts (RFC 2046 5.1, RFC 5621): the one session description among them. libosip2,
// which leaks and overflows there, never sees one.
// Runs on: any thread; pure.

#include "base/text.h"

#define SIP_MULTIPART_PARTS_MAX 16
#define SIP_MULTIPART_HEADERS_MAX 16 // of one part

enum sip_multipart_verdict {
	SIP_MULTIPART_OTHER, // not of several parts
	SIP_MULTIPART_NONE, // no part is a description; nested ones are not opened
	SIP_MULTIPART_FOUND,
	SIP_MULTIPART_MALFORMED, // bad or no boundary, no end, beyond the bounds, or two descriptions
};

// `type` is the whole value of Content-Type. What is found borrows from the body.
enum sip_multipart_verdict sip_multipart_description(struct text type, struct text body,
						     struct text *out_description);
