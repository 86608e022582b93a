#pragma once

// RTCP of a stream pair: what the peers' reports say, and reports of our own for a leg whose other side
// sends none (RFC 3550 6). Works on plain RTCP; protection is put on and taken off around it.
// Runs on: the stream's worker.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;
struct stream_table;

// The private half of an RTCP stream; its view holds what is public. First what is about packets that
// leave as its own, then about what arrived on it. Middles are those of NTP times (RFC 3550 6.4.1); 0: none.
struct reports {
	uint32_t
		own_ssrc; // under which we report while nothing is relayed to that side; 0: not drawn
	uint32_t expected_before, received_before; // at our last report (RFC 3550 A.3)
	uint32_t own_middle; // of our own last SR
	uint32_t relayed_ms; // when a peer's RTCP left last, CLOCK_MONOTONIC, low half
	uint32_t sender_ssrc, sender_middle; // of the last SR that arrived
	uint32_t sender_time; // and when, CLOCK_MONOTONIC in 1/65536 s
};

_Static_assert(sizeof(struct reports) == 32, "as much as the figures of an RTP stream");

#define REPORT_ROOM 128 // octets of the largest report
#define REPORT_INTERVAL_MS 5000 // RFC 3550 6.2; the first one after half of it

// A stream is opened anew: sets its private half, and when the first report is due.
void report_begin(const struct stream_table *table, struct stream *stream);
// A peer's RTCP packet has been relayed as a packet of that RTCP stream: its receiver needs none of ours.
void report_note_relayed(const struct stream_table *table, struct stream *rtcp);

// Reads a compound packet that arrived on the RTCP stream into its view: what its sender says about the
// media we relay to it. false: no compound packet by RFC 3550 A.2 (or of reduced size by RFC 5506 4.1);
// it must not be relayed.
bool report_read(struct stream_table *table, struct stream *rtcp, const uint8_t *octets,
		 size_t size);
// After a packet of `rtp` was accepted: is a report towards the side it comes from due, and does no
// RTCP of the other side serve that side already? Cheap: one comparison in almost every case.
bool report_is_due(const struct stream_table *table, struct stream *rtp);
// SR or RR about `rtp`, with SDES CNAME, for the side it comes from; it leaves as a packet of *out_rtcp,
// the RTCP stream that leaves to that side. Returns its octets, 0: that stream cannot carry one.
size_t report_write(struct stream_table *table, struct stream *rtp, struct stream **out_rtcp,
		    uint8_t octets[static REPORT_ROOM]);
