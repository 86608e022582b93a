#pragma once

// The INVITE to one address of one target.
// Runs on: control thread.

#include "call/state.h"
#include "call/target/target.h"

// Makes the called leg and sends our INVITE there. On failure the leg may be there: give it up.
enum status offer_send(struct call *call, const struct target *target, const struct sip_hop *hop);
// From where we speak to that hop of the target; `arrival` as in call/target/edge.h. False: we have no
// address of its family.
bool offer_flow(const struct calls *calls, const struct target *target, const struct sip_hop *hop,
		const struct address *arrival, struct sip_flow *out_flow);
