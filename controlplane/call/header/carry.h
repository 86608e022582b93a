#pragma once

// What one party's messages bring along for the other: header lines that wait in the other leg for the
// next message to it.
// Runs on: control thread. A leg owns its lines; they go with one message and are gone.

#include "call/header/table.h"
#include "call/state.h"

// Of the caller's INVITE, for every target that is asked.
void carry_start(struct call *call, const struct sip_message *invite);
// Of a response to that INVITE.
enum header_way carry_way_back(const struct call *call);
// The lines of the INVITE that a target is sent: who calls, and what the caller brought along.
void carry_write_invite(const struct leg *called, struct writer *writer);
// A message of that leg: what passes of its headers waits in the other one. What waited there is gone.
void carry_over(struct leg *from, enum header_way way, const struct sip_message *message);
void carry_write(struct leg *to, struct writer *writer); // and is gone
void carry_clear(struct leg *leg); // NULL is harmless
void carry_end(struct call *call); // no more targets are asked
// Our own word on why the leg ends, where the other party has none (RFC 3326).
void carry_reason(struct leg *to, unsigned status, const char *text);
