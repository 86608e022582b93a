#pragma once

// The linear scan in front of everything: frames one message, bounds every part of it once, and
// finds what is needed to match, answer or drop it. One pass, no allocation, nothing of libosip2:
// that library is quadratic, leaks, and accepts what it must not.
// Runs on: any thread; pure.

#include "base/text.h"
#include "sip/message.h"

#define SIP_SCAN_HEAD_MAX 16384 // octets up to the empty line
#define SIP_SCAN_VALUE_MAX 2048 // octets of one header value
#define SIP_SCAN_VIA_MAX 70 // values, over all Via headers
#define SIP_SCAN_PIECES_MAX 64 // of ';', of '&', of ',' in one value

enum sip_scan_verdict {
	SIP_SCAN_OK,
	SIP_SCAN_KEEPALIVE, // nothing but CRLF
	SIP_SCAN_DROP, // malformed, and nothing may or can be answered: a response, an ACK, no Via …
	SIP_SCAN_REFUSE, // malformed request: answer with the refusal, built from the message's head
	SIP_SCAN_FOLDED, // has folded lines: scan the copy that sip_scan_unfold makes
};

struct sip_scan_refusal {
	unsigned status;
	const char *reason;
};

// Fills all of the message but its flow, and From, To and Contact, which
// sip_message_complete takes apart. Also for REFUSE, as far as it could be read.
enum sip_scan_verdict sip_scan_message(struct text octets, struct sip_message *out_message,
				       struct sip_scan_refusal *out_refusal);
// Copies the octets to room (as large) with each folding CRLF made two spaces.
struct text sip_scan_unfold(struct text octets, char *room);
