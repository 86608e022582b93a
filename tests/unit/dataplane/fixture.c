// A stream table of one worker, packets to feed it, and its events, without any DPDK.
// Runs on: the thread of a test.

#include "tests/unit/dataplane/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dataplane/stream/accept.h"

#define ADDRESSES 2
#define SLOTS (ADDRESSES * MEDIA_PORT_COUNT)

static const uint8_t port_mac[6] = { 2, 0, 0, 0, 0, 1 };

static struct address address_of(const char *string)
{
	struct address address = { 0 };
	(void)address_parse(text_of(string), &address);
	return address;
}

struct fixture *fixture_create(void)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	if (!fixture)
		return NULL;
	memcpy(fixture->rules.mac, port_mac, sizeof(port_mac));
	fixture->rules.address_count = ADDRESSES;
	fixture->rules.addresses[0] = address_of("198.51.100.1");
	fixture->rules.addresses[1] = address_of("2001:db8::1");
	fixture->table = (struct stream_table){
		.streams = aligned_alloc(128, SLOTS * sizeof(struct stream)),
		.views = aligned_alloc(128, SLOTS * sizeof(struct stream_view)),
		.count = SLOTS,
		.worker_count = 1,
		.min_ttl = 11,
		.rules = &fixture->rules,
		.dtmf = &fixture->dtmf,
		.now_ns = 1000000000,
	};
	struct dtmf_slot *slots = calloc(dtmf_slot_count(SLOTS), sizeof(*slots));
	dtmf_init(&fixture->dtmf, slots, &fixture->worker_view);
	if (!fixture->table.streams || !fixture->table.views || !slots) {
		fixture_destroy(fixture);
		return NULL;
	}
	memset(fixture->table.streams, 0, SLOTS * sizeof(struct stream));
	memset(fixture->table.views, 0, SLOTS * sizeof(struct stream_view));
	return fixture;
}

void fixture_destroy(struct fixture *fixture)
{
	if (!fixture)
		return;
	free(fixture->table.streams);
	free(fixture->table.views);
	free(fixture->dtmf.slots);
	free(fixture);
}

struct message fixture_message(const struct fixture_open *open)
{
	struct message message = {
		.kind = MESSAGE_STREAM_OPEN,
		.flags = open->flags,
		.stream = { open->index, open->generation },
		.open = { .source = address_of(open->source),
			  .destination = address_of(open->destination),
			  .out_index = open->out_index,
			  .next_hop = { 2, 0, 0, 0, 0, open->next_hop },
			  .payload_in = open->payload_in,
			  .payload_out = open->payload_out },
	};
	return message;
}

bool fixture_open(struct fixture *fixture, const struct fixture_open *open)
{
	struct message message = fixture_message(open);
	return stream_open(&fixture->table, &message);
}

bool fixture_close(struct fixture *fixture, uint32_t index, uint32_t generation)
{
	struct message message = { .kind = MESSAGE_STREAM_CLOSE, .stream = { index, generation } };
	return stream_close(&fixture->table, &message);
}

static void put16(uint8_t *octets, unsigned value)
{
	octets[0] = (uint8_t)(value >> 8);
	octets[1] = (uint8_t)value;
}

static size_t write_frame(struct fixture *fixture, uint32_t index, const struct address *source,
			  uint16_t sequence)
{
	static const uint8_t sender_mac[6] = { 2, 0, 0, 0, 0, 0x0d };
	uint8_t *frame = fixture->frame, *ip = frame + 14, *udp = ip + 20, *rtp = udp + 8;
	memset(frame, 0, sizeof(fixture->frame));
	memcpy(frame, port_mac, 6);
	memcpy(frame + 6, sender_mac, 6);
	put16(frame + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, 20 + 8 + 12);
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, source->octets, 4);
	memcpy(ip + 16, fixture->rules.addresses[0].octets, 4);
	uint16_t checksum = packet_fold(packet_sum(ip, 20, 0));
	memcpy(ip + 10, &checksum, 2);
	put16(udp, source->port);
	put16(udp + 2, MEDIA_PORT_FIRST + index);
	put16(udp + 4, 8 + 12);
	rtp[0] = 0x80;
	put16(rtp + 2, sequence);
	put16(rtp + 6, sequence * 160u);
	rtp[11] = 1; // SSRC
	return 14 + 20 + 8 + 12;
}

// The stream the frame just made is for, or its fate before that.
static enum verdict find(struct fixture *fixture, size_t size, struct packet *packet,
			 struct stream **out_stream)
{
	enum verdict verdict = packet_parse(fixture->frame, size, &fixture->rules, packet);
	if (verdict != VERDICT_FORWARDED)
		return verdict;
	*out_stream = stream_find(&fixture->table, packet);
	return *out_stream ? VERDICT_FORWARDED : VERDICT_DROP_NO_STREAM;
}

static enum verdict accept(struct fixture *fixture, struct stream *stream, struct packet *packet,
			   bool is_sealed)
{
	if (!is_sealed)
		return accept_plain(&fixture->table, stream, packet, fixture->frame);
	enum verdict verdict = accept_sealed(&fixture->table, stream, packet, fixture->frame);
	return verdict == VERDICT_FORWARDED
		       ? accept_opened(&fixture->table, stream, packet, fixture->frame)
		       : verdict;
}

static enum verdict pass(struct fixture *fixture, uint32_t index, const char *source,
			 uint16_t sequence, bool is_sealed)
{
	struct packet packet;
	struct stream *stream;
	struct address from = address_of(source);
	size_t size = write_frame(fixture, index, &from, sequence);
	enum verdict verdict = find(fixture, size, &packet, &stream);
	if (verdict == VERDICT_FORWARDED)
		verdict = accept(fixture, stream, &packet, is_sealed);
	if (verdict == VERDICT_FORWARDED)
		stream_account(&fixture->table, stream, &packet, fixture->frame);
	return verdict;
}

enum verdict fixture_rtp(struct fixture *fixture, uint32_t index, const char *source,
			 uint16_t sequence)
{
	return pass(fixture, index, source, sequence, false);
}

enum verdict fixture_sealed(struct fixture *fixture, uint32_t index, const char *source,
			    uint16_t sequence)
{
	return pass(fixture, index, source, sequence, true);
}

bool fixture_names(struct fixture *fixture, enum message_kind kind, const char *source)
{
	struct message message;
	struct address address = address_of(source);
	if (!stream_next_event(&fixture->table, &message))
		return false;
	stream_event_told(&fixture->table);
	return message.kind == kind && address_is_equal(&message.learned, &address);
}

bool fixture_tells(struct fixture *fixture, enum message_kind kind, uint32_t index,
		   uint32_t generation)
{
	struct message message;
	if (!stream_next_event(&fixture->table, &message))
		return false;
	stream_event_told(&fixture->table);
	return message.kind == kind && message.stream.index == index &&
	       message.stream.generation == generation;
}

bool fixture_is_silent(const struct fixture *fixture)
{
	struct message message;
	return !stream_next_event(&fixture->table, &message);
}
