#pragma once

// A new call, from the caller's INVITE to the one we send a carrier: admitted, described.
// Runs on: control thread.

#include "call/state.h"

void call_invite(struct calls *calls, struct sip_server *server, const struct sip_message *invite);
// A limit_fn: a call goes on, or is refused. At once, or when Redis has answered.
void call_limits_decided(void *owner, enum limit_cause cause, const struct limit_rules *rules);
