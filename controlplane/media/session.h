#pragma once

// Our own session description towards one side of a call, and what it must remember from one writing
// to the next: RFC 3264 8 wants the same origin, a version that grows with each change, the same
// payload type numbers and never fewer m= lines.
// Runs on: control thread.

#include <stdint.h>

#include "base/address.h"
#include "base/text.h"
#include "media/offer.h"

struct media_session {
	uint64_t id;
	uint64_t version; // of what was written last
	uint64_t digest; // of that; meaningless while is_written is false
	bool is_written;
	uint8_t audio_type; // numbers we told that side last; it sends with them
	uint8_t event_type; // PAYLOAD_TYPE_NONE: none
	bool is_muxed; // what was written last said rtcp-mux
	enum media_direction direction; // so was this, and where it may send to
	struct address local;
	struct media_sdes own; // our crypto line; suite NONE: we say RTP
};

struct media_words { // what to say
	struct address local; // our host and RTP port; RTCP is the port above
	enum media_direction direction;
	uint8_t audio_type, event_type;
	uint16_t ptime_ms; // 0: not said
	const char *events; // "": the default
	bool is_muxed;
	const struct media_offer *layout; // that side's own m= lines; NULL: one audio line
};

void media_session_init(struct media_session *session);
// What is written from now on has this suite, or is RTP without one. Our key stays what it is as long
// as the suite does: a re-INVITE, hold or another port never changes it.
void media_session_secure(struct media_session *session, enum suite suite, uint32_t tag);
void media_session_write(struct media_session *session, const struct media_words *words,
			 struct writer *writer);
