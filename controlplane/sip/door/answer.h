#pragma once

// What becomes of a message at the door: let in, refused, or left without an answer. Of who is refused there
// is a mark alone: every copy has the same answer, whose ACK is known by it.
// Runs on: the door's thread.

#include "sip/door/queue.h"
#include "sip/flow.h"
#include "sip/guard/apart.h"
#include "sip/guard/taken.h"
#include "sip/guard/rate.h"

#define SIP_DOOR_SHARES 1024 // of sources, by a hash

enum sip_door_fate { SIP_DOOR_LET_IN, SIP_DOOR_REFUSED, SIP_DOOR_DROPPED };

struct sip_door_keeper {
	struct sip_guard_apart *apart;
	struct sip_guard_taken taken; // let in here, or refused
	struct sip_guard_rate shares[SIP_DOOR_SHARES]; // of answers
	struct sip_guard_rate newcomers[SIP_DOOR_SHARES];
	_Atomic uint32_t
		waiting[SIP_DOOR_SHARES]; // messages in the queue; the control thread takes off
	unsigned ahead; // calls with credentials that went before new ones, less those that came in
	uint64_t now_us;
};

// Of all that waits, that source's.
_Atomic uint32_t *sip_door_waiting_of(struct sip_door_keeper *keeper, const struct address *source);

// waiting: messages in the queue. out_answer, of who is refused: borrows from `writer`, and is smaller than
// the message.
enum sip_door_fate sip_door_judge(struct sip_door_keeper *keeper, struct text octets,
				  const struct sip_flow *flow, unsigned waiting,
				  struct writer *writer, struct text *out_answer);
