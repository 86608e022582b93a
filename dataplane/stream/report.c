// RTCP: compound packets are bounded whole before anything in them is believed; reports of our own are
// made of what the streams have counted.
// Runs on: worker. Never asks the kernel: NTP times are made of CLOCK_MONOTONIC, which RFC 3550 6.4.1
// allows ("system uptime"); what is random is mixed of the time and the stream.

#include "dataplane/stream/report.h"

#include <string.h>

#include "dataplane/stream/stream.h"

#define SENDER_REPORT 200
#define RECEIVER_REPORT 201
#define SOURCE_DESCRIPTION 202
#define HEADER_SIZE 8 // with the sender's SSRC
#define SENDER_SIZE 28 // and what an SR says of itself
#define BLOCK_SIZE 24
#define CNAME_SIZE 16
#define DESCRIPTION_SIZE 28 // header, SSRC, one item, and zeros up to a whole word
#define ROUND_TRIP_MAX (30 << 16) // in 1/65536 s; more is no measurement
#define ROUND_TRIP_SLACK 655 // 10 ms: by so much two clocks' rounding may come out below zero

struct part { // one packet of a compound
	const uint8_t *octets;
	size_t size; // without padding
	uint8_t type, count;
};

static uint32_t read32(const uint8_t *octets)
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
	       octets[3];
}

static uint8_t *write32(uint8_t *octets, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		octets[i] = (uint8_t)(value >> (24 - 8 * i));
	return octets + 4;
}

static uint32_t now_ms(const struct stream_table *table)
{
	return (uint32_t)(table->now_ns / 1000000);
}

// 32.32 bits of seconds, as NTP has them.
static uint64_t ntp_of(uint64_t ns)
{
	return ns / 1000000000 << 32 | (ns % 1000000000 << 32) / 1000000000;
}

static uint32_t middle_of(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

static uint64_t mix(uint64_t value) // the finalizer of splitmix64
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
	value = (value ^ value >> 27) * 0x94d049bb133111ebu;
	return value ^ value >> 31;
}

static struct stream_view *view_of(const struct stream_table *table, const struct stream *stream)
{
	return &table->views[stream - table->streams];
}

static bool is_rtcp(const struct stream *stream)
{
	return stream->flags & STREAM_IS_RTCP;
}

// The RTP stream of the other direction; NULL: none, or nothing came of it yet.
static struct stream *speaking_reverse(const struct stream_table *table, const struct stream *rtp)
{
	struct stream *reverse = stream_reverse(table, rtp);
	bool speaks = reverse && !is_rtcp(reverse) && reverse->figures.has_ssrc;
	return speaks ? reverse : NULL;
}

// The RTCP stream beside an RTP one: where RTCP of the same side arrives.
static struct stream *rtcp_beside(const struct stream_table *table, const struct stream *rtp)
{
	uint32_t place = (uint32_t)(rtp - table->streams) % MEDIA_PORT_COUNT;
	if (is_rtcp(rtp) || place == MEDIA_PORT_COUNT - 1)
		return NULL;
	struct stream *rtcp = &table->streams[rtp - table->streams + 1];
	return rtcp->is_open && is_rtcp(rtcp) ? rtcp : NULL;
}

// The RTCP stream that leaves to the side `rtp` comes from; NULL: it cannot.
static struct stream *leaving_to(const struct stream_table *table, const struct stream *rtp)
{
	const struct stream *arriving = rtcp_beside(table, rtp);
	struct stream *leaving = arriving ? stream_reverse(table, arriving) : NULL;
	bool has_way = leaving && is_rtcp(leaving) && leaving->destination_family != ADDRESS_NONE &&
		       !(leaving->flags & STREAM_NO_NEXT_HOP);
	return has_way ? leaving : NULL;
}

void report_begin(const struct stream_table *table, struct stream *stream)
{
	bool is_rtp_port = (uint32_t)(stream - table->streams) % MEDIA_PORT_COUNT % 2 == 0;
	stream->report_due_ms = now_ms(table);
	if (is_rtp_port)
		stream->figures = (struct figures){ 0 };
	else
		stream->reports =
			(struct reports){ .relayed_ms = now_ms(table) - 2 * REPORT_INTERVAL_MS };
}

void report_note_relayed(const struct stream_table *table, struct stream *rtcp)
{
	rtcp->reports.relayed_ms = now_ms(table);
}

// RFC 3550 A.2. Only the last one may be padded, and reports hold the blocks they say they do.
static bool take_part(const uint8_t *octets, size_t left, struct part *out_part, size_t *out_size)
{
	if (left < 4 || octets[0] >> 6 != 2)
		return false;
	size_t size = 4u + 4u * (size_t)(octets[2] << 8 | octets[3]);
	bool is_padded = octets[0] & 0x20;
	if (size > left || (is_padded && size != left))
		return false;
	size_t padding = is_padded ? octets[size - 1] : 0;
	if (padding > size - 4 || padding % 4 != 0 || (is_padded && padding == 0))
		return false;
	struct part part = { .octets = octets,
			     .size = size - padding,
			     .type = octets[1],
			     .count = octets[0] & 0x1f };
	size_t fixed = part.type == SENDER_REPORT ? SENDER_SIZE : HEADER_SIZE;
	bool is_report = part.type == SENDER_REPORT || part.type == RECEIVER_REPORT;
	if (is_report && part.size < fixed + (size_t)part.count * BLOCK_SIZE)
		return false;
	*out_part = part;
	*out_size = size;
	return part.type >= 192 && part.type <= 223; // RFC 5761 4
}

static bool is_compound(const uint8_t *octets, size_t size)
{
	struct part part;
	size_t taken = 0;
	for (size_t offset = 0; offset < size; offset += taken)
		if (!take_part(octets + offset, size - offset, &part, &taken))
			return false;
	return size > 0;
}

// RFC 3550 6.4.1: now less LSR less DLSR, by our clock alone. An SR of a peer went on in the burst in
// which it came, so the way measured begins here as well.
static void measure_round_trip(const struct stream_table *table, const struct stream *leaving,
			       const uint8_t *block, uint32_t *round_trip_us)
{
	const struct reports *reports = &leaving->reports;
	uint32_t last = read32(block + 16);
	bool is_own = last == reports->own_middle;
	bool is_relayed = last == reports->sender_middle && reports->sender_ssrc == read32(block);
	if (last == 0 || (!is_own && !is_relayed))
		return;
	uint32_t sent = is_own ? reports->own_middle : reports->sender_time;
	int32_t trip = (int32_t)(middle_of(ntp_of(table->now_ns)) - sent - read32(block + 20));
	if (trip < -ROUND_TRIP_SLACK || trip > ROUND_TRIP_MAX)
		return;
	uint64_t units = trip < 0 ? 0 : (uint64_t)trip;
	*round_trip_us = (uint32_t)(units * 1000000 >> 16);
	if (*round_trip_us == 0)
		*round_trip_us = 1; // known, and shorter than we can tell
}

static void read_block(const struct stream_table *table, const struct stream *rtcp,
		       const uint8_t *block)
{
	struct stream_view *view = view_of(table, rtcp);
	const struct stream *leaving = stream_reverse(table, rtcp);
	uint32_t lost = read32(block + 4) & 0xffffff; // 24 bits with their sign
	view->reports++;
	view->peer_fraction = block[4];
	view->peer_lost = (int32_t)(lost << 8) >> 8;
	view->peer_jitter = read32(block + 12);
	if (leaving && is_rtcp(leaving))
		measure_round_trip(table, leaving, block, &view->round_trip_us);
}

static void read_part(const struct stream_table *table, struct stream *rtcp,
		      const struct stream *relayed, const struct part *part)
{
	if (part->type != SENDER_REPORT && part->type != RECEIVER_REPORT)
		return;
	size_t offset = HEADER_SIZE;
	if (part->type == SENDER_REPORT) {
		offset = SENDER_SIZE;
		rtcp->reports.sender_ssrc = read32(part->octets + 4);
		rtcp->reports.sender_middle = read32(part->octets + 10);
		rtcp->reports.sender_time = middle_of(ntp_of(table->now_ns));
	}
	for (unsigned i = 0; relayed && i < part->count; i++, offset += BLOCK_SIZE)
		if (read32(part->octets + offset) == view_of(table, relayed)->ssrc)
			read_block(table, rtcp, part->octets + offset);
}

bool report_read(struct stream_table *table, struct stream *rtcp, const uint8_t *octets,
		 size_t size)
{
	const struct stream *rtp = rtcp - 1; // RTCP's ports are odd, so there is one
	const struct stream *relayed =
		rtp->is_open && !is_rtcp(rtp) ? speaking_reverse(table, rtp) : NULL;
	struct part part;
	size_t taken = 0;
	if (!is_compound(octets, size))
		return false;
	for (size_t offset = 0; offset < size; offset += taken) {
		if (!take_part(octets + offset, size - offset, &part, &taken))
			return false;
		read_part(table, rtcp, relayed, &part);
	}
	return true;
}

// RFC 3550 6.3.1: half to one and a half. Without its division by e - 3/2, which makes up for timers
// that many members reconsider; here there are two.
static uint32_t draw_wait(const struct stream_table *table, const struct stream *rtp,
			  uint32_t mean_ms)
{
	uint64_t drawn = mix(table->now_ns ^ (uint64_t)(rtp - table->streams) << 40);
	return mean_ms / 2 + (uint32_t)(drawn % mean_ms);
}

bool report_is_due(const struct stream_table *table, struct stream *rtp)
{
	uint32_t now = now_ms(table);
	if ((int32_t)(now - rtp->report_due_ms) < 0)
		return false;
	// It may have been open for long before anything came.
	bool begins =
		table->now_ns - view_of(table, rtp)->first_ns < REPORT_INTERVAL_MS / 4 * 1000000ull;
	const struct stream *leaving = leaving_to(table, rtp);
	bool is_served = leaving && now - leaving->reports.relayed_ms < 2 * REPORT_INTERVAL_MS;
	if (leaving && !is_served && !begins)
		return true;
	rtp->report_due_ms =
		now + draw_wait(table, rtp, begins ? REPORT_INTERVAL_MS / 2 : REPORT_INTERVAL_MS);
	return false;
}

// Nobody's SSRC: neither of the two we see (RFC 3550 8.1).
static uint32_t draw_ssrc(const struct stream_table *table, const struct stream *rtp,
			  struct reports *reports)
{
	const struct stream *reverse = stream_reverse(table, rtp);
	const uint32_t peer = view_of(table, rtp)->ssrc;
	const uint32_t other = reverse ? view_of(table, reverse)->ssrc : peer;
	uint64_t drawn = table->now_ns ^ (uint64_t)(rtp - table->streams) << 40;
	while (reports->own_ssrc == 0 || reports->own_ssrc == peer || reports->own_ssrc == other)
		reports->own_ssrc = (uint32_t)mix(++drawn);
	return reports->own_ssrc;
}

// RFC 3550 A.3: since the report before; with copies it may be less than nothing.
static uint32_t take_fraction(struct reports *reports, const struct stream_view *view)
{
	uint32_t expected = view->expected - reports->expected_before;
	int32_t lost = (int32_t)(expected - ((uint32_t)view->packets - reports->received_before));
	reports->expected_before = view->expected;
	reports->received_before = (uint32_t)view->packets;
	if (lost <= 0 || expected == 0)
		return 0;
	uint64_t fraction = ((uint64_t)lost << 8) / expected;
	return fraction > 255 ? 255 : (uint32_t)fraction;
}

static uint8_t *write_block(const struct stream_table *table, const struct stream *rtp,
			    struct reports *reports, uint8_t *out)
{
	const struct stream_view *view = view_of(table, rtp);
	const struct reports *heard = &rtcp_beside(table, rtp)->reports;
	int32_t lost = figures_lost(&rtp->figures, view);
	lost = lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : lost;
	bool has_sender = heard->sender_middle && heard->sender_ssrc == view->ssrc;
	uint32_t since = middle_of(ntp_of(table->now_ns)) - heard->sender_time;
	out = write32(out, view->ssrc);
	out = write32(out, take_fraction(reports, view) << 24 | ((uint32_t)lost & 0xffffff));
	out = write32(out, figures_extended_max(&rtp->figures));
	out = write32(out, view->jitter >> 4);
	out = write32(out, has_sender ? heard->sender_middle : 0);
	return write32(out, has_sender ? since : 0);
}

// What the other side sent is sent on by us: its RTP clock goes on from its last packet of sound. Its
// octets are those that arrived, with the tags of SRTP.
static uint8_t *write_sender(const struct stream_table *table, const struct stream *sender,
			     struct reports *reports, uint8_t *out)
{
	const struct stream_view *view = view_of(table, sender);
	uint64_t ntp = ntp_of(table->now_ns);
	reports->own_middle = middle_of(ntp);
	out = write32(out, (uint32_t)(ntp >> 32));
	out = write32(out, (uint32_t)ntp);
	out = write32(out, (uint32_t)(table->now_ns / 125000) - sender->figures.transit);
	out = write32(out, (uint32_t)view->packets);
	return write32(out, (uint32_t)(view->octets - view->packets * PACKET_RTP_SIZE));
}

// RFC 7022 4.2: a name that tells nothing, the same for as long as the stream lives.
static uint8_t *write_description(const struct stream_table *table, const struct stream *rtp,
				  uint32_t ssrc, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t name = mix(view_of(table, rtp)->first_ns ^ (uint64_t)rtp->generation << 32 ^
			    (uint64_t)(rtp - table->streams));
	memset(out, 0, DESCRIPTION_SIZE);
	(void)write32(out, 0x81000000u | SOURCE_DESCRIPTION << 16 | (DESCRIPTION_SIZE / 4 - 1));
	(void)write32(out + 4, ssrc);
	out[8] = 1; // CNAME
	out[9] = CNAME_SIZE;
	for (unsigned i = 0; i < CNAME_SIZE; i++)
		out[10 + i] = (uint8_t)digits[name >> 4 * i & 15];
	return out + DESCRIPTION_SIZE;
}

size_t report_write(struct stream_table *table, struct stream *rtp, struct stream **out_rtcp,
		    uint8_t octets[static REPORT_ROOM])
{
	rtp->report_due_ms = now_ms(table) + draw_wait(table, rtp, REPORT_INTERVAL_MS);
	struct stream *leaving = leaving_to(table, rtp);
	if (!leaving || !rtp->figures.has_ssrc)
		return 0;
	const struct stream *sender = speaking_reverse(table, rtp);
	if (sender && table->now_ns - view_of(table, sender)->last_ns >
			      2 * REPORT_INTERVAL_MS * 1000000ull) // RFC 3550 6.4
		sender = NULL;
	const size_t size = (sender ? SENDER_SIZE : HEADER_SIZE) + BLOCK_SIZE;
	const uint32_t type = sender ? SENDER_REPORT : RECEIVER_REPORT;
	struct reports *reports = &leaving->reports;
	uint32_t ssrc = sender ? view_of(table, sender)->ssrc : draw_ssrc(table, rtp, reports);
	uint8_t *out = write32(octets, 0x81000000u | type << 16 | (uint32_t)(size / 4 - 1));
	out = write32(out, ssrc);
	if (sender)
		out = write_sender(table, sender, reports, out);
	out = write_block(table, rtp, reports, out);
	out = write_description(table, rtp, ssrc, out);
	view_of(table, rtcp_beside(table, rtp))->generated++;
	*out_rtcp = leaving;
	return (size_t)(out - octets);
}
