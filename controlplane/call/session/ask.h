#pragma once

// The steps of a change (call/session/change.h): a party is asked, the asker is told.
// Runs on: control thread. Inside call/session/ only.

#include "call/state.h"

bool ask_is_early(const struct call *call); // there is no answer yet
// Can that party be asked by UPDATE now? After the answer there is re-INVITE, before it nothing else.
bool ask_may_update(const struct leg *leg);
// Without a description (`is_late`) it makes the offer, in its 2xx. False: it could not be sent.
bool ask_party(struct leg *asked, bool is_update, bool is_late);
void ask_finish(struct call *call); // nothing is being asked any more
// Ends the request of a party; with 500 it may come again after a while.
void ask_refuse(struct sip_server *server, struct leg *leg, unsigned status);
void ask_refuse_asker(struct call *call, unsigned status);
void ask_reply_update(struct leg *leg, struct sip_server *server, struct text description);
// The answer for who asked: in the 200 to its UPDATE, or NULL, to its INVITE.
void ask_give_answer(struct call *call, struct leg *asker, struct sip_server *update);
void ask_connect(struct call *call); // media as they are agreed on now
