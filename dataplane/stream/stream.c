// Streams: opened and closed by messages, checked and accounted by packets, telling control events.
// Runs on: worker. Never allocates, never believes an index it is given, knows nothing of SRTP's engine.

#include "dataplane/stream/stream.h"

#include <string.h>

#include "dataplane/dtmf/dtmf.h"
#include "dataplane/stream/learn.h"
#include "dataplane/shared.h"

static uint32_t index_of(const struct stream_table *table, const struct stream *stream)
{
	return (uint32_t)(stream - table->streams);
}

bool stream_is_mine(const struct stream_table *table, uint32_t index)
{
	return index < table->count &&
	       shared_worker_of(table->worker_count, index) == table->worker;
}

void stream_raise(struct stream_table *table, struct stream *stream, enum stream_event event)
{
	uint32_t index = index_of(table, stream);
	stream->events |= (uint8_t)event;
	if (stream->is_listed)
		return;
	stream->is_listed = true;
	if (table->listed_count++ == 0)
		table->listed_first = index;
	else
		table->streams[table->listed_last].next_listed = index;
	table->listed_last = index;
}

static bool is_family(uint8_t family)
{
	return family == ADDRESS_NONE || family == ADDRESS_IPV4 || family == ADDRESS_IPV6;
}

static bool is_payload_type(uint8_t type)
{
	return type < 128 || type == PAYLOAD_TYPE_NONE;
}

static bool is_open_valid(const struct stream_table *table, const struct message *message)
{
	const struct message_open *open = &message->open;
	const uint32_t index = message->stream.index;
	if (!stream_is_mine(table, index) || !stream_is_mine(table, open->out_index) ||
	    message->stream.generation == 0)
		return false;
	bool is_rtcp = message->flags & STREAM_IS_RTCP;
	bool is_odd = index % MEDIA_PORT_COUNT % 2;
	uint8_t out_family = table->rules->addresses[open->out_index / MEDIA_PORT_COUNT].family;
	bool has_way =
		message->flags & STREAM_NO_NEXT_HOP || open->destination.family == out_family;
	bool is_muxed_right = !(message->flags & STREAM_MUXED) ||
			      (is_rtcp && open->out_index % MEDIA_PORT_COUNT % 2);
	return is_family(open->source.family) && has_way && is_rtcp == is_odd && is_muxed_right &&
	       is_payload_type(open->payload_in) && is_payload_type(open->payload_out);
}

void stream_set_source(struct stream_table *table, struct stream *stream,
		       const struct address *source)
{
	stream->source_family = source->family;
	stream->source_port = source->port;
	memcpy(&stream->source_ipv4, source->octets, 4);
	memcpy(stream->source_ipv6, source->octets, 16);
	table->views[index_of(table, stream)].source = *source;
}

void stream_set_destination(struct stream *stream, const struct address *destination,
			    const uint8_t next_hop[static 6])
{
	stream->destination_family = destination->family;
	stream->destination_port = destination->port;
	memcpy(&stream->destination_ipv4, destination->octets, 4);
	memcpy(stream->destination_ipv6, destination->octets, 16);
	memcpy(stream->next_hop, next_hop, 6);
}

bool stream_is_destination(const struct stream *stream, const struct address *address)
{
	return stream->destination_family == address->family &&
	       stream->destination_port == address->port &&
	       memcmp(stream->destination_ipv6, address->octets, 16) == 0;
}

struct stream *stream_reverse(const struct stream_table *table, const struct stream *stream)
{
	struct stream *reverse = &table->streams[stream->out_index];
	bool is_pair = reverse->is_open && reverse->out_index == index_of(table, stream);
	return is_pair ? reverse : NULL;
}

// What learning has found outlives a message that knows it not yet: a neighbour's change, say.
static void change(struct stream_table *table, struct stream *stream, const struct message *message)
{
	const struct message_open *open = &message->open;
	bool forgets = message->flags & STREAM_RELEARN;
	bool keeps_source =
		stream->learning == STREAM_LEARNED && message->flags & STREAM_SYMMETRIC && !forgets;
	bool keeps_destination =
		stream->is_destination_learned && !forgets && stream->out_index == open->out_index;
	if (!keeps_source) {
		stream->learning =
			message->flags & STREAM_SYMMETRIC ? STREAM_LISTENING : STREAM_GIVEN;
		stream->candidate_count = 0;
		stream_set_source(table, stream, &open->source);
	}
	bool is_late = keeps_destination && !stream_is_destination(stream, &open->destination);
	if (!is_late)
		stream_set_destination(stream, &open->destination, open->next_hop);
	stream->flags = message->flags;
	stream->is_destination_learned = keeps_destination;
	stream->payload_in = open->payload_in;
	stream->payload_out = open->payload_out;
	stream->out_index = open->out_index;
	stream->out_address = (uint8_t)(open->out_index / MEDIA_PORT_COUNT);
	stream->out_port = (uint16_t)(MEDIA_PORT_FIRST + open->out_index % MEDIA_PORT_COUNT -
				      (message->flags & STREAM_MUXED ? 1 : 0));
	struct stream_view *view = &table->views[index_of(table, stream)];
	view->out_index = open->out_index;
	view->source_is_learned = stream->learning == STREAM_LEARNED;
}

static void start(struct stream_table *table, struct stream *stream, uint32_t generation)
{
	stream->is_open = true;
	stream->generation = generation;
	stream->events &= STREAM_EVENT_CLOSED; // the slot's last stream may still have that to tell
	stream->learning = STREAM_GIVEN;
	stream->is_destination_learned = false;
	stream->refused_s = stream->unauthentic_s = 0;
	table->open_count++;
	struct stream_view *view = &table->views[index_of(table, stream)];
	*view = (struct stream_view){ .generation = generation,
				      .is_open = 1,
				      .ttl_lowest = UINT8_MAX,
				      .payload_last = PAYLOAD_TYPE_NONE };
	report_begin(table, stream);
	if (table->dtmf)
		dtmf_forget(table->dtmf, index_of(table, stream));
}

bool stream_open(struct stream_table *table, const struct message *message)
{
	if (!is_open_valid(table, message))
		return false;
	struct stream *stream = &table->streams[message->stream.index];
	bool is_same = stream->generation == message->stream.generation;
	if (stream->is_open != is_same) // taken by another, or closed already
		return false;
	if (!stream->is_open)
		start(table, stream, message->stream.generation);
	change(table, stream, message);
	struct stream *reverse = stream_reverse(table, stream);
	if (!is_same && reverse && reverse->learning == STREAM_LEARNED)
		learn_tell_reverse(table, reverse, NULL);
	return true;
}

bool stream_close(struct stream_table *table, const struct message *message)
{
	if (!stream_is_mine(table, message->stream.index))
		return false;
	struct stream *stream = &table->streams[message->stream.index];
	if (!stream->is_open || stream->generation != message->stream.generation)
		return false;
	stream->is_open = false;
	stream->closed_generation = stream->generation;
	table->views[message->stream.index].is_open = 0;
	table->open_count--;
	stream->events = 0; // its view says the rest
	stream_raise(table, stream, STREAM_EVENT_CLOSED);
	if (table->dtmf)
		dtmf_forget(table->dtmf, message->stream.index);
	return true;
}

bool stream_takes_key(const struct stream_table *table, const struct message *message)
{
	const struct stream_id *id = &message->stream;
	if (!stream_is_mine(table, id->index) || id->generation == 0)
		return false;
	const struct stream *stream = &table->streams[id->index];
	bool is_same = stream->generation == id->generation;
	return stream->is_open ? is_same : !is_same; // a closed one's last generation is over
}

struct stream *stream_find(const struct stream_table *table, const struct packet *packet)
{
	struct stream *stream = &table->streams[packet->index];
	bool is_rtp_port = packet->index % MEDIA_PORT_COUNT % 2 == 0;
	bool is_last = packet->index % MEDIA_PORT_COUNT == MEDIA_PORT_COUNT - 1;
	if (packet->kind == PACKET_RTCP && is_rtp_port && !is_last && stream->is_open)
		stream++;
	return stream->is_open ? stream : NULL;
}

void stream_count_drop(struct stream_table *table, const struct stream *stream,
		       enum stream_drop drop)
{
	table->views[index_of(table, stream)].drops[drop]++;
}

void stream_tell_refusal(struct stream_table *table, struct stream *stream, enum message_kind kind,
			 const struct address *source)
{
	uint8_t now_s = (uint8_t)(table->now_ns / 1000000000);
	uint8_t *told_s =
		kind == MESSAGE_STREAM_UNAUTHENTIC ? &stream->unauthentic_s : &stream->refused_s;
	now_s = now_s ? now_s : 1; // 0: nothing was told yet
	if (*told_s == now_s || table->refusal_count == STREAM_REFUSALS_MAX)
		return;
	*told_s = now_s;
	uint32_t place = (table->refusal_first + table->refusal_count++) % STREAM_REFUSALS_MAX;
	table->refusals[place] = (struct stream_refusal){
		.stream = { index_of(table, stream), stream->generation },
		.kind = (uint8_t)kind,
		.source = *source,
	};
}

void stream_account(struct stream_table *table, struct stream *stream, const struct packet *packet,
		    const uint8_t *frame)
{
	struct stream_view *view = &table->views[index_of(table, stream)];
	if (view->packets == 0) {
		view->first_ns = table->now_ns;
		stream_raise(table, stream, STREAM_EVENT_STARTED);
	}
	view->packets++;
	view->octets += packet->arrived_size;
	view->last_ns = table->now_ns;
	if (packet->kind != PACKET_RTP)
		return;
	figures_add(&stream->figures, view, packet, frame + packet->media_offset,
		    (uint32_t)(table->now_ns / 125000));
	if (packet->payload_type != PACKET_PAYLOAD_PCMU)
		listener_hear(table, stream, packet, frame + packet->media_offset);
}

// A late packet says nothing of where its sender is now.
static bool is_ahead(uint32_t index, uint32_t former)
{
	return (int32_t)(index - former) > 0 || (int32_t)(index - former) < INT16_MIN;
}

void stream_note_index(struct stream_table *table, const struct stream *stream, enum key_way way,
		       uint32_t rollover, uint16_t sequence)
{
	struct stream_view *view = &table->views[index_of(table, stream)];
	if (stream->flags & STREAM_IS_RTCP) {
		*(way == KEY_ARRIVES ? &view->arrives_index : &view->leaves_index) = rollover;
	} else if (way == KEY_ARRIVES) {
		if (sequence == view->sequence) // the highest
			view->arrives_rollover = (uint16_t)rollover;
	} else if (is_ahead(rollover << 16 | sequence,
			    (uint32_t)view->leaves_rollover << 16 | view->leaves_sequence)) {
		view->leaves_rollover = (uint16_t)rollover;
		view->leaves_sequence = sequence;
	}
}

static uint8_t first_event(const struct stream *stream)
{
	return (uint8_t)(stream->events & -stream->events);
}

static struct message next_listed(const struct stream_table *table)
{
	uint32_t index = table->listed_first;
	const struct stream *stream = &table->streams[index];
	struct message message = { .stream = { index, stream->generation } };
	switch (first_event(stream)) {
	case STREAM_EVENT_CLOSED:
		message.kind = MESSAGE_STREAM_CLOSED;
		message.stream.generation = stream->closed_generation;
		break;
	case STREAM_EVENT_STARTED:
		message.kind = MESSAGE_STREAM_STARTED;
		break;
	case STREAM_EVENT_TTL:
		message.kind = MESSAGE_STREAM_TTL;
		break;
	default:
		message.kind = MESSAGE_STREAM_LEARNED;
		message.learned = table->views[index].source;
	}
	return message;
}

bool stream_next_event(const struct stream_table *table, struct message *out_message)
{
	if (table->listed_count > 0) {
		*out_message = next_listed(table);
		return true;
	}
	if (table->refusal_count == 0)
		return table->dtmf && dtmf_next_report(table->dtmf, out_message);
	const struct stream_refusal *refusal = &table->refusals[table->refusal_first];
	*out_message = (struct message){ .kind = refusal->kind,
					 .stream = refusal->stream,
					 .learned = refusal->source };
	return true;
}

void stream_event_told(struct stream_table *table)
{
	if (table->listed_count == 0 && table->refusal_count == 0) {
		dtmf_report_told(table->dtmf);
		return;
	}
	if (table->listed_count == 0) {
		table->refusal_first = (table->refusal_first + 1) % STREAM_REFUSALS_MAX;
		table->refusal_count--;
		return;
	}
	struct stream *stream = &table->streams[table->listed_first];
	stream->events &= (uint8_t)~first_event(stream);
	if (stream->events)
		return;
	stream->is_listed = false;
	table->listed_first = stream->next_listed;
	table->listed_count--;
}
