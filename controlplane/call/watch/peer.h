#pragma once

// What a peer's messages tell of a call that will not last: an address nobody reaches, a Via somebody
// changed, a timer nobody refreshes, a call that comes back to where it came from.
// Runs on: control thread.

#include "call/state.h"

// A 2xx to the leg's INVITE: alerts about a Contact that cannot be reached (SIP-015), and about a session
// timer that will end the call (D-27).
void peer_check_answer(struct leg *leg, const struct sip_message *answer);
// A response that was dropped for its Via (SIP-011, SIP-013).
void peer_note_via(struct calls *calls, const struct sip_message *response);
// Is it an INVITE that we sent ourselves, for the same number (RFC 3261 16.3)?
bool peer_is_loop(const struct calls *calls, const struct sip_message *invite);
// A final answer as words: status, phrase, and what else it says of the cause.
void peer_write_refusal(const struct sip_message *response, struct writer *writer);
