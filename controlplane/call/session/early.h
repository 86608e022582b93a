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
// What the fork that sent this 2xx described before, NONE: nothing. After a change this holds, whatever the
// 2xx repeats.
struct text early_description(const struct leg *leg, const struct sip_message *response,
			      bool *out_is_changed);
// Did it acknowledge our offer by an answer that we acknowledged? Then UPDATE may follow (RFC 3311 5.1).
bool early_is_settled(const struct leg *leg);
// A fork asked for something: it is now the one our requests go to.
void early_turn_to(struct leg *leg, struct text tag);
// What the fork our requests go to wants to change its description into, by UPDATE; and that it was agreed.
void early_propose(struct leg *leg, struct text description);
void early_note_change(struct leg *leg);
void early_clear(struct leg *leg);
