#pragma once

// A new call, from the caller's INVITE to the one we send a target: admitted, described.
// Runs on: control thread.

#include "call/state.h"

// Makes a call of what was admitted, and asks the first target.
struct admitted;
void call_begin(struct calls *calls, struct sip_server *server, const struct sip_message *invite,
		const struct admitted *admitted);
void call_invite(struct calls *calls, struct sip_server *server, const struct sip_message *invite);
// A limit_fn: a call goes on, or is refused. At once, or when Redis has answered.
void call_limits_decided(void *owner, enum limit_cause cause, const struct limit_rules *rules);
