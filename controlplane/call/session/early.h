#pragma once

// The early dialogs of who is called: each fork numbers its own reliable responses and makes its own
// answer (RFC 3261 13.2.2.4, RFC 3262 4).
// Runs on: control thread.

#include "call/state.h"

// A provisional response with a To tag, its dialog up to date. One that wants it is acknowledged. False:
// it is a repeat, or another one before it is missing, and must not be looked at.
bool early_take(struct leg *leg, const struct sip_message *response);
// What the fork that sent this describes holds from now on, also for a 2xx that describes nothing.
void early_keep(struct leg *leg, const struct sip_message *response);
// What the fork that sent this 2xx described before, NONE: nothing. It may have been changed since, then
// what is in force holds.
struct text early_description(const struct leg *leg, const struct sip_message *response,
			      bool *out_is_changed);
// Did it acknowledge our offer by an answer that we acknowledged? Then UPDATE may follow (RFC 3311 5.1).
bool early_is_settled(const struct leg *leg);
void early_note_change(struct leg *leg); // an UPDATE changed what was described
void early_clear(struct leg *leg);
