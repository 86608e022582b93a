#pragma once

// A stream: one direction of one leg's media. Who may send it, where it leaves to, what it did.
// The slots lie in one array indexed by local address and port; a slot belongs to one worker.
// Runs on: that worker alone. The views are its public half, read by control.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/stream/figures.h"
#include "dataplane/stream/report.h"
#include "dataplane/message.h"
#include "dataplane/packet.h"
#include "dataplane/verdict.h"

#define STREAM_LEARN_PACKETS 3 // consecutive ones of one source before it is believed (MEDIA-011)
#define STREAM_CANDIDATE_HOLD_MS 60 // a silent candidate makes room for another after this
#define STREAM_REFUSALS_MAX 64 // waiting to be told, of all streams of a worker

struct dtmf;

enum stream_learning { STREAM_GIVEN, STREAM_LISTENING, STREAM_LEARNED };

enum stream_event { // bits, in the order they are told
	STREAM_EVENT_CLOSED = 1 << 0,
	STREAM_EVENT_STARTED = 1 << 1,
	STREAM_EVENT_TTL = 1 << 2,
	STREAM_EVENT_LEARNED = 1 << 3,
};

struct stream {
	// First line: all that an IPv4 packet touches.
	bool is_open;
	uint8_t flags; // enum message_flag
	uint8_t learning; // enum stream_learning
	uint8_t source_family, destination_family;
	uint8_t payload_in, payload_out;
	uint8_t out_address; // index of the local address it leaves from
	uint16_t out_port, source_port, destination_port; // host order; source_port 0: any
	uint8_t next_hop[6];
	uint32_t source_ipv4, destination_ipv4; // network order
	uint32_t report_due_ms; // CLOCK_MONOTONIC, low half: when RTCP of ours is due to the sender
	union {
		struct figures figures; // of RTP
		struct reports reports; // of RTCP
	};
	// Second line: IPv6, messages, learning.
	_Alignas(64) uint32_t generation;
	uint32_t out_index;
	uint32_t closed_generation; // of the close not told yet
	uint8_t events; // enum stream_event not told yet
	bool is_listed; // among those that have events to tell
	bool is_destination_learned; // from what came in on out_index
	uint8_t candidate_count;
	uint8_t source_ipv6[16], destination_ipv6[16];
	uint32_t candidate_hash; // of its address and SSRC
	uint32_t candidate_ms;
	uint32_t next_listed; // the slot behind it in the list of those with events
	uint16_t candidate_sequence;
	uint8_t refused_s, unauthentic_s; // when such a source was told last, low octet; 0: never
};

_Static_assert(sizeof(struct stream) == 128, "two cache lines");

struct stream_refusal { // an event that names a source, waiting to be told
	struct stream_id stream;
	uint8_t kind; // enum message_kind
	struct address source;
};

struct stream_table { // one worker's way to the slots; what is not set at start is zero
	struct stream *streams; // all workers' slots; only its own are touched
	struct stream_view *views; // shared with control
	uint32_t count;
	unsigned worker, worker_count;
	uint8_t min_ttl; // MEDIA-016: lower ones are dropped
	const struct packet_rules *rules;
	struct dtmf *dtmf; // of its telephone events; NULL: they are relayed and not read
	uint64_t now_ns; // CLOCK_MONOTONIC of this burst
	uint32_t listed_first, listed_last, listed_count; // slots with events, each at most once
	uint32_t open_count;
	struct stream_refusal
		refusals[STREAM_REFUSALS_MAX]; // a ring; what finds it full is not told
	uint32_t refusal_first, refusal_count;
};

// false: an index out of range or another worker's, an old generation, or fields that cannot be.
bool stream_open(struct stream_table *table, const struct message *message);
bool stream_close(struct stream_table *table, const struct message *message);
bool stream_is_mine(const struct stream_table *table, uint32_t index); // of this worker
// Whether keys and rollover counters may be set by this message: of the open stream, or before the open
// of a closed slot's next one.
bool stream_takes_key(const struct stream_table *table, const struct message *message);

// The open stream a packet is for; RTCP that came to an RTP port belongs to the port above
// (RFC 5761). NULL: none.
struct stream *stream_find(const struct stream_table *table, const struct packet *packet);
void stream_account(struct stream_table *table, struct stream *stream, const struct packet *packet,
		    const uint8_t *frame);
void stream_count_drop(struct stream_table *table, const struct stream *stream,
		       enum stream_drop drop);
// What SRTP made of a packet, accounted already if it arrived: its ROC and sequence, of RTCP its index.
void stream_note_index(struct stream_table *table, const struct stream *stream, enum key_way way,
		       uint32_t rollover, uint16_t sequence);
// The event, if none of this stream was told in this second. `kind`: MESSAGE_STREAM_REFUSED, _UNAUTHENTIC.
void stream_tell_refusal(struct stream_table *table, struct stream *stream, enum message_kind kind,
			 const struct address *source);

// The next event to tell, left in place until stream_event_told. false: none.
bool stream_next_event(const struct stream_table *table, struct message *out_message);
void stream_event_told(struct stream_table *table);

// For learning.
void stream_raise(struct stream_table *table, struct stream *stream, enum stream_event event);
void stream_set_source(struct stream_table *table, struct stream *stream,
		       const struct address *source);
void stream_set_destination(struct stream *stream, const struct address *destination,
			    const uint8_t next_hop[static 6]);
bool stream_is_destination(const struct stream *stream, const struct address *address);
// The stream that comes back on the port this one leaves from. NULL: not open, or another's.
struct stream *stream_reverse(const struct stream_table *table, const struct stream *stream);
