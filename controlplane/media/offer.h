#pragma once

// One side's session description (SDP, RFC 8866), read into the few facts a relay of one audio stream
// needs. Text from strangers: every size is bounded here, once.
// Runs on: any thread; pure.

#include <stdint.h>

#include "base/address.h"
#include "base/status.h"
#include "base/text.h"
#include "media/media.h"
#include "media/sdes.h"

#define MEDIA_OFFER_SIZE_MAX 8192
#define MEDIA_LINES_MAX 16 // m= lines
#define MEDIA_ATTRIBUTES_MAX 64 // looked at per m= line

enum media_direction { // bits: the one who speaks sends, receives
	MEDIA_INACTIVE = 0,
	MEDIA_SENDONLY = 1,
	MEDIA_RECVONLY = 2,
	MEDIA_SENDRECV = 3
};

struct media_line { // an m= line as it must come back in our answer (RFC 3264 6); strings
	char kind[12];
	char profile[24];
	char format[16]; // the first one
};

struct media_offer {
	struct address rtp; // unspecified host: hold in the old form (RFC 3264 8.4)
	struct address rtcp; // port + 1, or what a=rtcp says (RFC 3605)
	uint64_t digest; // of its text, o= line included
	uint8_t line_count; // 0: nothing was said yet
	uint8_t audio_line; // the one we take
	uint8_t direction; // enum media_direction
	uint8_t audio_type; // payload type of PCMU: 0, or a dynamic one
	uint8_t event_type; // of telephone-event/8000, or PAYLOAD_TYPE_NONE
	uint16_t ptime_ms; // 0: not said
	char events[24]; // its fmtp, "0-16"; empty: not said
	bool is_muxed; // a=rtcp-mux (RFC 5761)
	struct media_sdes crypto; // that it sends with; suite NONE: RTP
	struct media_line lines[MEDIA_LINES_MAX];
};

struct media_rules { // what a side may say
	enum media_security security;
	unsigned suites; // bits of enum suite
};

// ERR_MALFORMED, ERR_UNSUPPORTED and ERR_NOT_ACCEPTABLE as media_receive_offer promises them. Of
// several audio lines the first one that the rules allow is taken; of its crypto lines, too (SRTP-005).
enum status media_offer_parse(struct text sdp, const struct media_rules *rules,
			      struct media_offer *out_offer, struct media_problem *out_problem);
