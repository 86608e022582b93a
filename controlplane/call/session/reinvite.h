#pragma once

// A change of an answered call by either party: its re-INVITE is passed through to the other one,
// with our addresses in the descriptions (hold, resume, a new address).
// Runs on: control thread.

#include "call/state.h"

void call_reinvite(struct leg *leg, struct sip_server *server, const struct sip_message *invite);
void call_reinvite_response(struct leg *leg, const struct sip_message *response);
void call_reinvite_failed(struct leg *leg);
