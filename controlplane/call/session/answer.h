#pragma once

// The answer to a new call: from the carrier's first response to the caller's ACK.
// Runs on: control thread.

#include "call/state.h"

// A response to the called leg's first INVITE, and its end without one.
void call_answered(struct leg *leg, const struct sip_message *response);
void call_unanswered(struct leg *leg, enum sip_failure failure);
// 200 with that description to the leg's open INVITE; its ACK is awaited from here on.
void call_send_200(struct leg *leg, struct text sdp);
void call_acknowledged(struct leg *leg, const struct sip_message *ack);
// A re-INVITE was sent behind an ACK which has not come: who asks anew has heard our 2xx, so the ACK is done
// without, unless it has an answer to bring (RFC 5407 3.1.4, 3.1.5).
void call_overtaken(struct leg *leg);
// The called party has answered: so hears the caller, as soon as it may.
void call_connect(struct call *call);
