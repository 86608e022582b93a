#pragma once

// A SIP message as the rest of trunkd sees it: checked fields that borrow from the received octets.
// The linear scan (sip/scan.h) has bounded and framed it before libosip2 sees any part of it.
// Runs on: control thread. Everything borrowed is valid until the receive callback returns.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/status.h"
#include "base/text.h"
#include "sip/flow.h"

#define SIP_HEADERS_MAX 128
#define SIP_MESSAGE_MAX 65535

// enumerator suffix, token on the wire
#define SIP_METHOD_LIST(ROW)                                                                       \
	ROW(INVITE)                                                                                \
	ROW(ACK)                                                                                   \
	ROW(BYE)                                                                                   \
	ROW(CANCEL)                                                                                \
	ROW(OPTIONS)                                                                               \
	ROW(REGISTER)                                                                              \
	ROW(PRACK)                                                                                 \
	ROW(UPDATE)                                                                                \
	ROW(INFO)                                                                                  \
	ROW(REFER)                                                                                 \
	ROW(NOTIFY)                                                                                \
	ROW(SUBSCRIBE)                                                                             \
	ROW(MESSAGE)                                                                               \
	ROW(PUBLISH)

#define SIP_METHOD_ENUMERATOR(name) SIP_##name,
enum sip_method { SIP_METHOD_LIST(SIP_METHOD_ENUMERATOR) SIP_UNKNOWN, SIP_METHOD_COUNT };
#undef SIP_METHOD_ENUMERATOR

struct sip_uri {
	struct text whole; // as it stood, without the angle brackets
	struct text scheme; // "sip", "sips", "tel"
	struct text user; // still escaped; no password; for tel: the number
	struct text host; // no brackets around IPv6
	uint16_t port; // 0 when there is none
	struct text parameters; // ";transport=udp;lr", may be empty
};

struct sip_party { // From, To, Contact, P-Asserted-Identity … : a name-addr or addr-spec
	struct text display; // as it stood, with its quotes
	struct sip_uri uri;
	struct text tag; // empty when there is none
	bool is_present;
};

struct sip_via { // the topmost
	struct text transport; // "UDP", as it stood
	struct text branch;
	struct text host; // sent-by
	uint16_t port; // sent-by; 0 when there is none
	bool has_rport; // RFC 3581
	struct text whole; // the topmost value alone
};

struct sip_header {
	struct text name; // as received; compare with sip_message_header, which knows compact forms
	struct text value; // unfolded, trimmed
};

struct sip_message {
	bool is_request;
	enum sip_method method; // of a response: the method of its CSeq
	struct text method_text;
	struct sip_uri target; // Request-URI
	unsigned status; // of a response
	struct text reason;
	struct sip_via via;
	unsigned via_count; // values, over all Via headers
	struct sip_party from, to, contact; // contact: the first
	struct text from_value, to_value, cseq_value; // the whole header values, tags included
	struct text call_id;
	uint32_t cseq;
	unsigned max_forwards; // 70 when absent
	bool is_shed; // there is no time for it, should it be a new INVITE (sip/guard/guard.h)
	struct text content_type; // media type without parameters
	struct text body; // of several parts in an offer or answer: the session description alone
	struct sip_header headers[SIP_HEADERS_MAX]; // in order, all of them
	unsigned header_count;
	struct sip_flow flow; // where it came from (layer 3), and to which address of ours
	struct text raw; // the whole of it
};

// Once, before anything else here, on the control thread: sets libosip2 up (allocator, silence).
void sip_message_start(void);
// Whole messages as tests and tools hold them: scan and pieces in one step, no folded lines.
bool sip_message_parse(struct text octets, struct sip_message *out_message);

enum sip_method sip_method_of(struct text token);
struct text sip_method_text(enum sip_method method);
const char *sip_reason(unsigned status); // RFC 3261 21 phrases; "" when unknown

// The nth (from 0) header of that full name, compact form included; data NULL when there is none.
struct text sip_message_header(const struct sip_message *message, const char *name, unsigned nth);
bool sip_message_has_option(const struct sip_message *message, const char *header,
			    const char *option);
// Parse pieces by libosip2 behind our own bounds. false: malformed.
bool sip_uri_parse(struct text text, struct sip_uri *out_uri);
bool sip_party_parse(struct text value, struct sip_party *out_party);
// As a Request-URI: without the headers that a Contact may name (RFC 3261 19.1.1).
struct text sip_uri_target(const struct sip_uri *uri);
struct text sip_uri_parameter(const struct sip_uri *uri, const char *name, bool *out_is_present);
