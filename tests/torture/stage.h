#pragma once

// The node of the scenario tests between a caller, a carrier and a stranger: what is thrown at it, what it
// sends to whom, what it counts.
// Runs on: the thread of the test.

#include "scenario/node.h"
#include "torture/table.h"

struct stage {
	struct node *node;
	struct sip_flow caller, carrier, stranger;
	unsigned seen; // packets of the wire looked at already
};

void stage_open(struct stage *stage, enum sip_protocol protocol);
void stage_close(struct stage *stage); // when all lifetimes are over, nothing may be left
void stage_throw(struct stage *stage, const struct sip_flow *from, struct text octets);
// The next message sent there, passing over 100 and retransmissions; NULL: there is none.
const struct wire_packet *stage_take(struct stage *stage, const struct sip_flow *to);
bool stage_is_silent(struct stage *stage); // nothing was sent to anybody since
// The carrier's answer to that request; a tag and a Contact, and SDP with a 2xx.
void stage_answer(struct stage *stage, const struct wire_packet *request, unsigned status);
// A call of the caller to the carrier; true with the tag we gave when it is up.
bool stage_call(struct stage *stage, char tag[static 64]);
// A request of the caller in that call, empty body; its final status, 0 without one.
unsigned stage_ask(struct stage *stage, const char *method, unsigned cseq, const char *tag);
