#pragma once

// A PBX that answers a call from the PSTN with 302: the call goes where its Contact says, once (REDIR-001
// to REDIR-015, D-24). The target of a transfer is not redirected.
// Runs on: control thread.

#include "call/state.h"

// The response is final. Like an attempt it may end the call: a redirect that is refused does.
void redirect_follow(struct leg *leg, const struct sip_message *response);
