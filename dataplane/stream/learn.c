// Symmetric RTP: the first plausible flow is believed after a few consecutive packets, with SRTP after
// its first authentic one, then fixed. Nobody else is relayed before that, and nobody else after it: a
// spray of single packets opens no window. Only a message with STREAM_RELEARN starts it again.
// Runs on: worker.

#include "dataplane/stream/learn.h"

#include <string.h>

#include "dataplane/stream/stream.h"

// Sending there must make sense, and never to ourselves.
static bool is_plausible(const struct stream_table *table, const struct address *source)
{
	bool is_group = source->family == ADDRESS_IPV4
				? source->octets[0] == 0 || source->octets[0] == 127 ||
					  source->octets[0] >= 224
				: source->octets[0] == 0xff || address_is_unspecified(source);
	if (is_group || source->port == 0)
		return false;
	for (unsigned i = 0; i < table->rules->address_count; i++)
		if (address_is_same_host(source, &table->rules->addresses[i]))
			return false;
	return true;
}

void learn_tell_reverse(struct stream_table *table, struct stream *stream, const uint8_t *frame)
{
	const struct address *learned = &table->views[stream - table->streams].source;
	struct stream *reverse = stream_reverse(table, stream);
	if (!reverse)
		return;
	reverse->is_destination_learned = true;
	bool has_next_hop = !(reverse->flags & STREAM_NO_NEXT_HOP);
	if (has_next_hop && stream_is_destination(reverse, learned))
		return;
	uint8_t next_hop[6];
	memcpy(next_hop, frame ? frame + 6 : reverse->next_hop, sizeof(next_hop));
	stream_set_destination(reverse, learned, next_hop);
	if (frame)
		reverse->flags &= (uint8_t)~STREAM_NO_NEXT_HOP;
}

static void settle(struct stream_table *table, struct stream *stream, const struct address *source,
		   const uint8_t *frame)
{
	stream->learning = STREAM_LEARNED;
	stream_set_source(table, stream, source);
	table->views[stream - table->streams].source_is_learned = 1;
	learn_tell_reverse(table, stream, frame);
	stream_raise(table, stream, STREAM_EVENT_LEARNED);
}

// RTCP of a learned leg comes from the host its RTP was learned from.
static bool follows_rtp(const struct stream *stream, const struct packet *packet,
			const uint8_t *frame)
{
	const struct stream *rtp = stream - 1;
	if (!rtp->is_open || rtp->learning != STREAM_LEARNED ||
	    rtp->source_family != packet->family)
		return false;
	size_t size = packet->family == ADDRESS_IPV4 ? 4 : 16;
	return memcmp(rtp->source_ipv6, frame + packet->source_offset, size) == 0;
}

// true: this packet completes a run of consecutive ones of one source and SSRC.
static bool add_candidate(struct stream_table *table, struct stream *stream,
			  const struct packet *packet, const struct address *source)
{
	uint32_t hash = (uint32_t)address_hash(source) ^ packet->ssrc * 0x9e3779b1u;
	uint32_t now_ms = (uint32_t)(table->now_ns / 1000000);
	bool is_same = stream->candidate_count > 0 && stream->candidate_hash == hash;
	bool is_held = stream->candidate_count > 0 &&
		       now_ms - stream->candidate_ms < STREAM_CANDIDATE_HOLD_MS;
	if (!is_same && is_held)
		return false;
	bool is_next = is_same && (uint16_t)(stream->candidate_sequence + 1) == packet->sequence;
	stream->candidate_count = is_next ? (uint8_t)(stream->candidate_count + 1) : 1;
	stream->candidate_hash = hash;
	stream->candidate_sequence = packet->sequence;
	stream->candidate_ms = now_ms;
	return stream->candidate_count >= STREAM_LEARN_PACKETS;
}

bool learn_from(struct stream_table *table, struct stream *stream, const struct packet *packet,
		const uint8_t *frame, bool is_given)
{
	struct address source = packet_source(packet, frame);
	if (!is_plausible(table, &source))
		return false;
	bool is_rtcp = stream->flags & STREAM_IS_RTCP;
	bool is_settled = is_rtcp ? follows_rtp(stream, packet, frame)
				  : add_candidate(table, stream, packet, &source);
	if (is_settled)
		settle(table, stream, &source, frame);
	return is_settled || is_given;
}

bool learn_authentic(struct stream_table *table, struct stream *stream, const struct packet *packet,
		     const uint8_t *frame)
{
	struct address source = packet_source(packet, frame);
	if (!is_plausible(table, &source))
		return false;
	settle(table, stream, &source, frame);
	return true;
}
