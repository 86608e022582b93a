#pragma once

// A change of a call's media by either party, by re-INVITE or UPDATE: passed through to the other one,
// with our addresses in the descriptions (hold, resume, a new address), one at a time. And changes of
// our own: what a party could not be told when it happened, and the way back after an answer nobody
// can use.
// Runs on: control thread.

#include "call/state.h"

void change_init(struct call *call);
void change_invite(struct leg *leg, struct sip_server *server, const struct sip_message *invite);
void change_update(struct leg *leg, struct sip_server *server, const struct sip_message *update);
// Of the party that was asked.
void change_response(struct leg *leg, const struct sip_message *response);
void change_failed(struct leg *leg);
void change_cancelled(struct leg *leg); // by its asker
// Its last offer holds although the other party cannot be asked now; that one is told later.
void change_accept(struct leg *leg);
// Nothing is being agreed on: who must be told something is told now, if that may be.
void change_settle(struct call *call);
// The ACK of a 2xx in which we made an offer. False: the call is over.
bool change_take_answer(struct leg *leg, const struct sip_message *ack);
// The other party, or the whole call, goes away in the middle of it: the asker hears that status.
void change_abandon(struct call *call, unsigned status);
