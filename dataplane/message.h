#pragma once

// What crosses between the control thread and a worker: values of 64 octets, in rings in shared
// memory. A message names a stream by its index and generation, so one that arrives late is harmless.
// Runs on: written by one side, read by the other; both treat what they read as untrusted.

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "dataplane/view.h"

// Media ports (MEDIA-005). Every media address owns one stream slot for each of them.
#define MEDIA_PORT_FIRST 10000
#define MEDIA_PORT_LAST 20000
#define MEDIA_PORT_COUNT (MEDIA_PORT_LAST - MEDIA_PORT_FIRST + 1)
#define MEDIA_ADDRESSES_MAX 16

// A stream is one direction of one leg's media: it enters on one local port and leaves from another.
// Its index is its local address and port: address_index * MEDIA_PORT_COUNT + port - MEDIA_PORT_FIRST.
// RTP uses even ports, its RTCP the odd one above, a stream of its own.
struct stream_id {
	uint32_t index;
	uint32_t generation; // chosen by control, never 0, never the slot's last one
};

#define MESSAGE_KIND_LIST(ROW)                                                                     \
	/* control to worker */                                                                    \
	ROW(MESSAGE_STREAM_OPEN, "stream_open") /* new generation: starts; same one: changes it */ \
	ROW(MESSAGE_STREAM_CLOSE, "stream_close")                                                  \
	/* before the open of its generation, or later: a new key of a live stream */              \
	ROW(MESSAGE_STREAM_KEY, "stream_key")                                                      \
	/* after its keys, before its open: where a stream of a lost dataplane goes on */          \
	ROW(MESSAGE_STREAM_ROLLOVER, "stream_rollover")                                            \
	/* digits to send, as events that leave from the stream (DTMF-001) */                      \
	ROW(MESSAGE_STREAM_DIGITS, "stream_digits")                                                \
	/* worker to control */                                                                    \
	ROW(MESSAGE_STREAM_CLOSED, "stream_closed") /* its figures are final now */                \
	ROW(MESSAGE_STREAM_STARTED, "stream_started") /* first packet accepted */                  \
	ROW(MESSAGE_STREAM_LEARNED, "stream_learned") /* symmetric RTP: `learned` is the source */ \
	ROW(MESSAGE_STREAM_TTL, "stream_ttl") /* first packet dropped for its TTL */               \
	/* `learned` is who sent what was refused: the first one, then at most one a second */     \
	ROW(MESSAGE_STREAM_REFUSED, "stream_refused") /* not the source the stream accepts */      \
	ROW(MESSAGE_STREAM_UNAUTHENTIC, "stream_unauthentic") /* its SRTP tag is wrong */          \
	ROW(MESSAGE_STREAM_DIGIT, "stream_digit") /* who sends it has pressed a key (DTMF-002) */

#define MESSAGE_ENUMERATOR(name, text) name,
enum message_kind { MESSAGE_NONE, MESSAGE_KIND_LIST(MESSAGE_ENUMERATOR) MESSAGE_KIND_COUNT };
#undef MESSAGE_ENUMERATOR

enum message_flag {
	STREAM_IS_RTCP = 1 << 0,
	// Learn the source of the first plausible flow (MEDIA-008, MEDIA-011).
	STREAM_SYMMETRIC = 1 << 1,
	// With a change: forget what was learned, source and destination (a re-INVITE). Without it what
	// was learned outlives a change that does not name it.
	STREAM_RELEARN = 1 << 2,
	// Destination not resolved yet, or on hold: count and drop what would leave.
	STREAM_NO_NEXT_HOP = 1 << 3,
	// Accept any source port of the source address (RTCP of odd peers), as source port 0 does.
	STREAM_ANY_PORT = 1 << 4,
	// SRTP arrives, leaves: nothing passes before the key of this generation is there (SRTP-001).
	STREAM_SECURE_ARRIVES = 1 << 5,
	STREAM_SECURE_LEAVES = 1 << 6,
	// RTCP only: it leaves from the RTP port below out_index (RFC 5761). What arrives needs no flag.
	STREAM_MUXED = 1 << 7,
};

enum key_way { KEY_ARRIVES, KEY_LEAVES, KEY_WAYS };

// How the engine wants its keys; the dataplane's facts say which. Control derives (RFC 3711 4.3).
enum key_form {
	KEY_SESSION, // cipher key, salt, and for AES-CM the authentication key, of RTP or of RTCP
	KEY_MASTER, // master key, master salt: the engine derives itself
};

#define PAYLOAD_TYPE_NONE 255

// MESSAGE_STREAM_OPEN. All address fields of both families in one form; 64 octets exactly.
struct message_open {
	struct address source; // who may send; family NONE: anybody until learned
	struct address destination; // where it leaves to
	uint32_t out_index; // local address and port it leaves from; also the stream coming back
	uint8_t next_hop[6]; // Ethernet address of the destination's next hop
	// The number of telephone-event as it arrives and as it leaves, also where both are the same;
	// PAYLOAD_TYPE_NONE: not negotiated. What is neither PCMU nor payload_in is dropped, and what is
	// payload_in is heard and does not leave where there is no payload_out.
	uint8_t payload_in, payload_out;
};

// MESSAGE_STREAM_KEY. Either form one behind the other, without gaps; the rest is zero. A new key of
// a live stream takes effect at once; packets of the key before it are taken for two more seconds.
struct message_key {
	uint8_t suite; // enum suite
	uint8_t way; // enum key_way
	uint8_t octets[50];
};

// MESSAGE_STREAM_ROLLOVER. What the view of the lost stream said (RFC 3711 3.2.1); RTCP has indexes.
struct message_rollover {
	uint32_t ssrc;
	uint32_t arrives, leaves; // ROC; of RTCP the last index of SRTCP
	uint16_t arrives_sequence, leaves_sequence;
};

#define MESSAGE_DIGITS_MAX 32

// MESSAGE_STREAM_DIGITS: some. MESSAGE_STREAM_DIGIT: one. What people press are card numbers and
// passwords: it stands in no log, and is wiped where it has been read.
struct message_digits {
	uint8_t count;
	uint8_t reserved;
	uint16_t duration_ms, gap_ms; // of each; between its end and the next one's beginning
	char text[MESSAGE_DIGITS_MAX]; // '0' to '9', '*', '#', 'A' to 'D'; ends with its count
};

struct message {
	uint8_t kind; // enum message_kind
	uint8_t flags; // enum message_flag
	uint16_t reserved;
	struct stream_id stream;
	union {
		struct message_open open;
		struct message_key key;
		struct message_rollover rollover;
		struct message_digits digits;
		struct address learned;
		uint8_t octets[52];
	};
};

static inline bool message_is_secret(const struct message *message)
{
	return message->kind == MESSAGE_STREAM_KEY || message->kind == MESSAGE_STREAM_DIGIT ||
	       message->kind == MESSAGE_STREAM_DIGITS;
}

_Static_assert(sizeof(struct message) == 64, "a message is one cache line");
_Static_assert(sizeof(struct message_key) == 52, "fits beside the stream's name");
