#pragma once

// Provisional responses to the caller, those it must acknowledge among them (RFC 3262 3): one after the
// other, repeated until their PRACK, and with a description in one no 2xx before it.
// Runs on: control thread.

#include "call/state.h"

void reliable_init(struct call *call);
void reliable_start(struct call *call, const struct sip_message *invite); // what the caller can do
// What the caller shall hear before the answer, now or when its turn comes. `has_media`: the other side
// described its media; `is_reliable`: and wanted to be sure that it is heard.
void reliable_tell(struct call *call, unsigned status, bool has_media, bool is_reliable);
// May the 2xx go out? False: it is asked for again when it may, by call_connect.
bool reliable_allows_final(struct call *call);
void reliable_finish(struct call *call); // there is a final response, or no call any more
// PRACK of the caller.
void reliable_acknowledged(struct leg *leg, struct sip_server *server,
			   const struct sip_message *prack);
// The body of the caller's 2xx by what it was told before; may be empty.
struct text reliable_final_body(struct call *call, struct writer *writer);
// The caller's answer to our offer, in PRACK or ACK. False: none we can take, the call is over.
bool reliable_take_answer(struct leg *leg, const struct sip_message *message);
