#pragma once

// Why one side does not hear the other: a verdict per direction with its cause, from what both sides'
// streams counted, what the peers report and what came back (MEDIA-012 to -017, -024, -025; DEBUG-027 to
// -030). One row per cause gives its name, what it means and what to do.
// Runs on: any thread; pure.

#include <stdbool.h>
#include <stdint.h>

#include "media/media.h"

// clang-format off
// In the order they are looked for: the first that fits is the cause. "It" is the side that should be
// heard, "the listener" the other one.
// enumerator, name, alert code, what happens, what to do
#define DIAGNOSIS_LIST(ROW)                                                                        \
	ROW(TTL, "ttl", 32913, "its packets arrive with a TTL of 10 or less and are dropped",       \
	    "send RTP with TTL 64: packets that arrive with 10 or less are lost")                  \
	ROW(AUTHENTICATION, "authentication", 32917, "its packets fail SRTP authentication",        \
	    "look for a peer that uses another key than it put into its SDP, or a device that rewrites media") \
	ROW(PRIVATE_SOURCE, "private_sdp", 32914,                                                  \
	    "its SDP names a private address while its packets come from another one",             \
	    "put the public address into the SDP, or enable symmetric RTP on the trunk")           \
	ROW(WRONG_SOURCE, "wrong_source", 32918, "its packets come from another address than its SDP names", \
	    "send media from the address in the SDP, or enable symmetric RTP on the trunk")        \
	ROW(PAYLOAD_TYPE, "payload_type", 32919, "its packets have a payload type that was not negotiated", \
	    "send PCMU as payload type 0 and telephone events with the negotiated number")        \
	ROW(NOTHING_ARRIVES, "nothing_arrives", 32920, "no packet of it arrives",                  \
	    "open UDP towards our media addresses, ports 10000-20000, in its firewall")            \
	ROW(STOPPED, "stopped", 32921, "its packets came and stopped",                              \
	    "look at its network and at what it did when they stopped")                            \
	ROW(SILENT, "silent", 32922, "its packets arrive and hold nothing but silence",            \
	    "look at its microphone, mute switch and codec: it sends silence")                     \
	ROW(PRIVATE_DESTINATION, "private_destination", 32923,                                     \
	    "the listener's SDP names a private address: what we send there is lost",              \
	    "put the public address into the SDP, or enable symmetric RTP on the trunk")           \
	ROW(UNREACHABLE, "unreachable", 32924, "what we send to the listener comes back: port or host unreachable", \
	    "open UDP from our media addresses in the listener's firewall; look whether its phone still listens") \
	ROW(NOT_RECEIVED, "not_received", 32925, "the listener reports that it receives nothing of it", \
	    "open UDP from our media addresses in the listener's firewall")
// clang-format on

#define DIAGNOSIS_ENUMERATOR(name, text, code, what, fix) DIAGNOSIS_##name,
enum diagnosis { DIAGNOSIS_NONE, DIAGNOSIS_LIST(DIAGNOSIS_ENUMERATOR) DIAGNOSIS_COUNT };
#undef DIAGNOSIS_ENUMERATOR

struct diagnosis_facts {
	const char *name; // "none" for DIAGNOSIS_NONE
	uint16_t code; // of its alert
	const char *text, *fix;
};

const struct diagnosis_facts *diagnosis_facts(enum diagnosis diagnosis);

// What both sides had counted when the time looked at began; all zero: nothing.
struct diagnosis_mark {
	uint64_t packets; // of the speaker
	uint32_t drops[STREAM_DROP_COUNT]; // of the speaker
	uint32_t unreachable; // of the listener
};

struct diagnosis_case { // one direction: `speaker` should be heard by `listener`
	const struct media_figures *speaker, *listener;
	uint64_t now_ns; // CLOCK_MONOTONIC
	uint64_t answered_ns; // the call, or no longer held; see DIAGNOSIS_EARLY_NS
	bool is_symmetric_listener; // symmetric RTP on the listener's leg
	bool is_listener_near; // its signalling comes from a private address too: we reach such
	bool is_final; // the call ends: seconds that are fewer count too
	const struct diagnosis_mark *mark; // NULL: since the beginning
};

// Nothing is said in a direction's first seconds, nor at the end of one that was shorter than this.
#define DIAGNOSIS_EARLY_NS 5000000000ull
#define DIAGNOSIS_EARLY_FINAL_NS 2000000000ull

// DIAGNOSIS_NONE: heard, on hold, or too early to say.
enum diagnosis diagnosis_find(const struct diagnosis_case *one);
// Neither side says that this direction is on hold.
bool diagnosis_is_due(const struct media_figures *speaker, const struct media_figures *listener);
struct diagnosis_mark diagnosis_mark(const struct media_figures *speaker,
				     const struct media_figures *listener);
