#pragma once

// What one party's side of a call can do by itself: its dialog's requests, its end.
// Runs on: control thread.

#include "call/state.h"

void leg_note_way(struct leg *leg, const struct sip_flow *flow); // of a message from its party
struct leg *leg_create(struct call *call, enum media_side side);
void leg_destroy(struct leg *leg); // closes the dialog, releases what is open; NULL is harmless
void leg_detach(struct leg *leg); // lets go of its transactions; NULL is harmless
struct leg *leg_of_customer(const struct call *call); // NULL: it is gone
struct leg *leg_other(const struct leg *leg);

// "Contact: <sip:trunkd@198.51.100.1:5060>\r\n", and the header lines that wait for this leg.
void leg_write_contact(struct leg *leg, struct writer *writer);
void leg_note_allow(struct leg *leg, const struct sip_message *message); // what it says it knows
void leg_send_ack(struct leg *leg); // with the answer in it, if there is one
// A 2xx to an INVITE before the last one to it came again (RFC 3261 13.2.2.4).
void leg_repeat_ack(struct leg *leg, const struct sip_message *response);
// The answer that goes with the ACK of its last 2xx, and with each repeat. NONE: none.
void leg_keep_ack_body(struct leg *leg, struct text description);
// Its 2xx made an offer, which the other side has answered, or never will: what holds goes into the ACK.
void leg_send_owed_ack(struct leg *leg);
// A 2xx of another branch than the one that made the dialog (RFC 3261 13.2.2.4): acknowledged and hung
// up. False: it is of the dialog.
bool leg_end_fork(struct leg *leg, const struct sip_message *response);
// Acknowledges and hangs up a 2xx of which no dialog can be made, where it came from.
void leg_hang_up(struct leg *leg, const struct sip_message *response);
// Ends the leg in the way its state asks for: CANCEL, BYE, or nothing. It has no call afterwards;
// it frees itself once no answer to its INVITE can come any more.
void leg_give_up(struct leg *leg);
void leg_late_response(struct leg *leg, const struct sip_message *response);
