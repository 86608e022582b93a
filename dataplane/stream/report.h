#pragma once

// RTCP of a stream pair: what the peers' reports say, and reports of our own for a leg whose other side
// sends none (RFC 3550 6). Works on plain RTCP; protection is put on and taken off around it.
// Runs on: the stream's worker.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;
struct stream_table;

struct reports { // the private half of an RTCP stream; its view holds what is public
	uint32_t
		own_ssrc; // under which we report while nothing is relayed to that side; 0: not drawn
	uint32_t expected_before, received_before; // at our last report (RFC 3550 A.3)
	uint32_t sender_middle; // of the last SR that arrived: middle 32 bits of its NTP time
	uint32_t sender_ms; // and when, CLOCK_MONOTONIC, low half
	uint32_t own_middle; // of our own last SR
	uint32_t relayed_ms; // when RTCP left last as a packet of this stream
	uint32_t rtp_time; // of the RTP packet relayed last that our SR is about
};

_Static_assert(sizeof(struct reports) == 32, "as much as the figures of an RTP stream");

#define REPORT_ROOM 128 // octets of the largest report
#define REPORT_INTERVAL_MS 5000 // RFC 3550 6.2; the first one after half of it

// Reads a compound packet that arrived on the RTCP stream into its view: what its sender says about the
// media we relay to it. false: no compound packet by RFC 3550 A.2 (or of reduced size by RFC 5506 4.1);
// it must not be relayed.
bool report_read(struct stream_table *table, struct stream *rtcp, const uint8_t *octets,
		 size_t size);
// After a packet of `rtp` was accepted: is a report towards the side it comes from due, and does no
// RTCP of the other side serve that side already? Cheap: one comparison in almost every case.
bool report_is_due(const struct stream_table *table, const struct stream *rtp);
// SR or RR about `rtp`, with SDES CNAME, for the side it comes from; it leaves as a packet of *out_rtcp,
// the RTCP stream that leaves to that side. Returns its octets, 0: that stream cannot carry one.
size_t report_write(struct stream_table *table, struct stream *rtp, struct stream **out_rtcp,
		    uint8_t octets[static REPORT_ROOM]);
