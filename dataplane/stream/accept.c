// Who may send to a stream, and what: TTL, source, payload, in the order that MEDIA-016 and MEDIA-018
// ask for. A packet that came as SRTP is judged twice, before decryption and after it.
// Runs on: worker.

#include "dataplane/stream/accept.h"

#include <string.h>

#include "dataplane/stream/learn.h"
#include "dataplane/stream/stream.h"

static bool is_from_source(const struct stream *stream, const struct packet *packet,
			   const uint8_t *frame)
{
	if (stream->source_family != packet->family)
		return false;
	bool is_host =
		packet->family == ADDRESS_IPV4
			? stream->source_ipv4 == packet->source_ipv4
			: memcmp(stream->source_ipv6, frame + packet->source_offset, 16) == 0;
	return is_host && (stream->source_port == packet->source_port || stream->source_port == 0 ||
			   stream->flags & STREAM_ANY_PORT);
}

// While a stream listens, those it does not believe yet are no news.
static enum verdict refuse(struct stream_table *table, struct stream *stream,
			   const struct packet *packet, const uint8_t *frame)
{
	stream_count_drop(table, stream, STREAM_DROP_SOURCE);
	if (stream->learning != STREAM_LISTENING) {
		struct address source = packet_source(packet, frame);
		stream_tell_refusal(table, stream, MESSAGE_STREAM_REFUSED, &source);
	}
	return VERDICT_DROP_WRONG_SOURCE;
}

static bool is_kind(const struct stream *stream, const struct packet *packet)
{
	return packet->kind == (stream->flags & STREAM_IS_RTCP ? PACKET_RTCP : PACKET_RTP);
}

// RTP without padding, nearly all there is, hides nothing.
static bool is_whole(struct packet *packet, const uint8_t *media)
{
	bool is_plain = packet->kind == PACKET_RTP && !(media[0] & 0x20);
	return is_plain || packet_check_clear(media, packet);
}

static enum verdict check_content(const struct stream *stream, struct packet *packet,
				  const uint8_t *frame)
{
	if (!is_kind(stream, packet) || !is_whole(packet, frame + packet->offset))
		return VERDICT_DROP_NOT_RTP;
	if (packet->kind == PACKET_RTCP || packet->payload_type == PACKET_PAYLOAD_PCMU)
		return VERDICT_FORWARDED;
	bool is_event = packet->payload_type == stream->payload_in && packet->media_size >= 4;
	return is_event ? VERDICT_FORWARDED : VERDICT_DROP_PAYLOAD_TYPE;
}

// Of a packet whose source is right: RTCP is read, what cannot be relayed is counted.
static enum verdict judge_content(struct stream_table *table, struct stream *stream,
				  const struct packet *packet, const uint8_t *frame,
				  enum verdict content)
{
	if (content == VERDICT_FORWARDED && packet->kind == PACKET_RTCP &&
	    !report_read(table, stream, frame + packet->offset, packet->size))
		content = VERDICT_DROP_NOT_RTP;
	if (content == VERDICT_DROP_PAYLOAD_TYPE) {
		stream_count_drop(table, stream, STREAM_DROP_PAYLOAD_TYPE);
		if (packet->payload_type != stream->payload_in)
			figures_note_type(&stream->figures, &table->views[stream - table->streams],
					  packet->payload_type);
	} else if (content != VERDICT_FORWARDED) {
		stream_count_drop(table, stream, STREAM_DROP_MALFORMED);
	}
	return content;
}

static bool is_ttl_enough(struct stream_table *table, struct stream *stream, uint8_t ttl)
{
	struct stream_view *view = &table->views[stream - table->streams];
	if (ttl < view->ttl_lowest)
		view->ttl_lowest = ttl;
	if (ttl >= table->min_ttl)
		return true;
	if (view->drops[STREAM_DROP_TTL]++ == 0)
		stream_raise(table, stream, STREAM_EVENT_TTL);
	return false;
}

enum verdict accept_plain(struct stream_table *table, struct stream *stream, struct packet *packet,
			  const uint8_t *frame)
{
	if (!is_ttl_enough(table, stream, packet->ttl)) // before all else: MEDIA-016, MEDIA-018
		return VERDICT_DROP_TTL;
	enum verdict content = check_content(stream, packet, frame);
	bool is_from = is_from_source(stream, packet, frame);
	if (stream->learning == STREAM_LISTENING && content == VERDICT_FORWARDED)
		is_from = learn_from(table, stream, packet, frame, is_from);
	if (!is_from)
		return refuse(table, stream, packet, frame);
	return judge_content(table, stream, packet, frame, content);
}

enum verdict accept_sealed(struct stream_table *table, struct stream *stream,
			   const struct packet *packet, const uint8_t *frame)
{
	if (!is_ttl_enough(table, stream, packet->ttl)) // before decryption: MEDIA-018
		return VERDICT_DROP_TTL;
	if (stream->learning != STREAM_LISTENING && !is_from_source(stream, packet, frame))
		return refuse(table, stream, packet, frame);
	if (is_kind(stream, packet))
		return VERDICT_FORWARDED;
	stream_count_drop(table, stream, STREAM_DROP_MALFORMED);
	return VERDICT_DROP_NOT_RTP;
}

// The source may have been settled, or named anew, while this packet was in the engine.
enum verdict accept_opened(struct stream_table *table, struct stream *stream, struct packet *packet,
			   const uint8_t *frame)
{
	bool is_from = stream->learning == STREAM_LISTENING
			       ? learn_authentic(table, stream, packet, frame)
			       : is_from_source(stream, packet, frame);
	if (!is_from)
		return refuse(table, stream, packet, frame);
	enum verdict content = check_content(stream, packet, frame);
	return judge_content(table, stream, packet, frame, content);
}
