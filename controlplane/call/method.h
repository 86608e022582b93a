#pragma once

// What each SIP method does outside and inside a dialog: one row per method.
// Runs on: control thread.

#include "call/state.h"

// The methods with a row, as an Allow header line with its CRLF. REFER is among them for a customer's
// side whose trunk has transfer switched on (XFER-003).
struct text call_method_allow(bool has_transfer);
struct text call_allow(const struct leg *leg);
// "Supported: replaces\r\n" for who may be told of it (RFC 3891 6.2), or nothing.
struct text call_supported(const struct leg *leg);
void call_request(void *context, struct sip_server *server, const struct sip_message *request);
// Answers without a body; the transaction is released.
void call_reply(struct sip_server *server, unsigned status, const char *phrase,
		struct text headers);
// So too for somebody unknown, whose address may be forged: once, with no more octets than came.
void call_refuse_stranger(struct sip_server *server, unsigned status, const char *phrase,
			  struct text headers);
// The same, and the connection it came on is closed behind the answer.
void call_dismiss_stranger(struct sip_server *server, unsigned status, const char *phrase);
