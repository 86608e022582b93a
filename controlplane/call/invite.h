#pragma once

// A new call, from the caller's INVITE to the acknowledged 200: admitted, described, routed, answered.
// Runs on: control thread.

#include "call/state.h"

void call_invite(struct calls *calls, struct sip_server *server, const struct sip_message *invite);
// Asks the next carrier; when none is left the caller hears the last one's failure.
void call_try_next(struct call *call);
// A response to the called leg's first INVITE, and its end without one.
void call_answered(struct leg *leg, const struct sip_message *response);
void call_unanswered(struct leg *leg, enum sip_failure failure);
// 200 with that description to the leg's open INVITE; its ACK is awaited from here on.
void call_send_200(struct leg *leg, struct text sdp);
void call_acknowledged(struct leg *leg);
