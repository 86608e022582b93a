#pragma once

// One stream as control sees it: what the worker was told last, and what it should know. The
// difference is sent when its worker has room; nothing else remembers what is still to be sent.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "dataplane/message.h"
#include "media/sdes.h"

struct dataplane;
struct neighbours;

// Where SRTP was under a key the worker has no more: index by ROC and sequence, of RTCP its own.
struct media_past {
	struct media_key key; // SUITE_NONE: nothing is known
	uint32_t ssrc;
	uint32_t rollover; // of RTCP: index
	uint16_t sequence;
	bool is_used; // packets went by under it
};

struct media_flow {
	uint32_t index; // of the stream
	uint32_t generation; // told last; 0: none of this dataplane's
	uint8_t flags_sent, flags_wanted;
	bool is_open; // OPEN sent, CLOSE not
	bool is_wanted;
	bool is_awaited; // CLOSE sent, CLOSED not seen
	bool has_relearn; // the next OPEN forgets what was learned
	struct message_open sent, wanted;
	struct media_key keys_sent[KEY_WAYS], keys_wanted[KEY_WAYS]; // SUITE_NONE: RTP
	struct media_past past[KEY_WAYS];
	struct address hop; // destination whose next hop we hold a reference on; family NONE: none
	struct stream_view carried; // counted by former generations of this call
};

void media_flow_init(struct media_flow *flow); // its index is set when there are ports
// It should be open like this, or closed. The next hop is filled in here, and the flags of SRTP: a key
// of each way, SUITE_NONE for RTP.
void media_flow_want(struct media_flow *flow, struct neighbours *neighbours,
		     const struct message_open *open, uint8_t flags,
		     const struct media_key *const keys[static KEY_WAYS]);
void media_flow_want_closed(struct media_flow *flow, struct neighbours *neighbours);
// Gives back the reference on its next hop, which is asked for again with the next want.
void media_flow_give_hop(struct media_flow *flow, struct neighbours *neighbours);
// Asks the neighbours again: the next hop may have changed.
void media_flow_refresh(struct media_flow *flow, const struct neighbours *neighbours);
bool media_flow_is_dirty(const struct media_flow *flow);
unsigned media_flow_room(const struct media_flow *flow); // messages of one media_flow_send, at most
// Sends the difference. `generation` is the last one known to have been used in this slot. False: no
// room after all, nothing was sent.
bool media_flow_send(struct media_flow *flow, struct dataplane *dataplane, uint32_t *generation);
// All that was counted for this call, of every generation.
void media_flow_read(const struct media_flow *flow, const struct dataplane *dataplane,
		     struct stream_view *out_view);
// The stream is closed, and opened as another one that counts from `counted` on. False: no room.
bool media_flow_restart(struct media_flow *flow, struct dataplane *dataplane,
			const struct stream_view *counted);
// Keeps what was counted and forgets the stream: another dataplane, or one that is gone.
void media_flow_detach(struct media_flow *flow, const struct dataplane *dataplane);
