// A call of two sides, IPv4 and IPv6, and any RTP and RTCP to its four ports, as a worker without its
// engine has it: what is refused counts as a drop and nothing else, what is accepted comes from who
// may send, and the figures stay within what was sent.
// Input: an octet of how the streams are opened; then steps: what (see enum), how many 10 ms have
// passed, a size, and so many octets: the UDP payload, or a message of control.
// Runs on: the fuzzer's thread, or the replay's.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/packet.h"
#include "dataplane/rewrite.h"
#include "dataplane/stream/accept.h"
#include "dataplane/dataplane.h"
#include "dataplane/dtmf/dtmf.h"
#include "dataplane/stream/stream.h"
#include "dataplane/transform.h"

#define SLOTS (2 * MEDIA_PORT_COUNT)
#define SIDE_B MEDIA_PORT_COUNT // its slots: the second address
#define HEADERS_MAX (PACKET_ETHERNET_SIZE + PACKET_IPV6_SIZE + PACKET_UDP_SIZE)
#define EVENT_TYPE 101

enum what { // of a step; the rest of the octet is the TTL's high bits and the message
	FROM_B = 1 << 0,
	TO_RTCP = 1 << 1,
	OTHER_PORT = 1 << 2,
	OTHER_HOST = 1 << 3,
	LOW_TTL = 1 << 4,
	IS_MESSAGE = 1 << 5,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct stream streams[SLOTS];
	struct stream_view views[SLOTS];
	struct dtmf_slot dtmf_slots[SLOTS]; // more than enough
	struct worker_view worker_view;
	struct dtmf dtmf;
	struct stream_table table;
	struct packet_rules rules;
	struct address hosts[2];
};

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void put16(uint8_t *octets, size_t value)
{
	octets[0] = (uint8_t)(value >> 8);
	octets[1] = (uint8_t)value;
}

static struct address at_port(struct address address, uint16_t port)
{
	address.port = port;
	return address;
}

static struct message message_of(const struct world *world, unsigned side, bool is_rtcp,
				 uint8_t flags)
{
	const uint32_t own = (side ? SIDE_B : 0) + is_rtcp, other = (side ? 0 : SIDE_B) + is_rtcp;
	return (struct message){
		.kind = MESSAGE_STREAM_OPEN,
		.flags = flags,
		.stream = { own, 7 },
		.open = { .source = at_port(world->hosts[side], (uint16_t)(4000 + is_rtcp)),
			  .destination = at_port(world->hosts[!side], (uint16_t)(4000 + is_rtcp)),
			  .out_index = other,
			  .next_hop = { 2, 0, 0, 0, 0, 9 },
			  .payload_in = EVENT_TYPE,
			  .payload_out = side ? EVENT_TYPE : 96 },
	};
}

static void begin(struct world *world, uint8_t first)
{
	for (unsigned i = 0; i < 4; i++) {
		memset(&world->streams[i / 2 * SIDE_B + i % 2], 0, sizeof(struct stream));
		memset(&world->views[i / 2 * SIDE_B + i % 2], 0, sizeof(struct stream_view));
	}
	dtmf_init(&world->dtmf, world->dtmf_slots, &world->worker_view);
	for (unsigned side = 0; side < 2; side++)
		world->dtmf_slots[dtmf_slot_of(side ? SIDE_B : 0)] = (struct dtmf_slot){ 0 };
	world->rules = (struct packet_rules){ .mac = { 2 },
					      .verifies_udp_checksum = first & 1,
					      .address_count = 2 };
	(void)address_parse(TEXT("198.51.100.1"), &world->rules.addresses[0]);
	(void)address_parse(TEXT("2001:db8::1"), &world->rules.addresses[1]);
	(void)address_parse(TEXT("203.0.113.10"), &world->hosts[0]);
	(void)address_parse(TEXT("2001:db8:1::10"), &world->hosts[1]);
	world->table = (struct stream_table){ .streams = world->streams,
					      .views = world->views,
					      .count = SLOTS,
					      .worker_count = 1,
					      .min_ttl = 11,
					      .rules = &world->rules,
					      .dtmf = &world->dtmf,
					      .now_ns = 1ull << 40 };
	for (unsigned i = 0; i < 4; i++) {
		uint8_t flags = i % 2 ? STREAM_IS_RTCP : 0;
		flags |= first & (i / 2 ? 4 : 2) ? STREAM_SYMMETRIC : 0;
		flags |= first & (i / 2 ? 16 : 8) ? STREAM_SECURE_ARRIVES : 0;
		flags |= first & 32 ? STREAM_ANY_PORT : 0;
		flags |= first & 64 && i % 2 ? STREAM_MUXED : 0;
		struct message message = message_of(world, i / 2, i % 2, flags);
		require(stream_open(&world->table, &message));
	}
}

// In memory of exactly its size, so that the sanitizer sees the first octet behind it.
static uint8_t *make_frame(const struct world *world, uint8_t what, const uint8_t *payload,
			   size_t size, size_t *out_size)
{
	bool is_b = what & FROM_B;
	size_t ip_size = is_b ? PACKET_IPV6_SIZE : PACKET_IPV4_SIZE, udp_size = 8 + size;
	uint8_t *frame = calloc(1, 14 + ip_size + udp_size);
	if (!frame)
		return NULL;
	uint8_t *ip = frame + 14, *udp = ip + ip_size;
	uint8_t *source = is_b ? ip + 8 : ip + 12;
	size_t address_size = is_b ? 16 : 4;
	memcpy(frame, world->rules.mac, 6);
	put16(frame + 12, is_b ? 0x86dd : 0x0800);
	ip[0] = is_b ? 0x60 : 0x45;
	put16(ip + (is_b ? 4 : 2), is_b ? udp_size : ip_size + udp_size);
	ip[is_b ? 7 : 8] = what & LOW_TTL ? 10 : 64;
	ip[is_b ? 6 : 9] = 17;
	memcpy(source, world->hosts[is_b].octets, address_size);
	source[address_size - 1] ^= what & OTHER_HOST ? 1 : 0;
	memcpy(source + address_size, world->rules.addresses[is_b].octets, address_size);
	uint16_t checksum = packet_fold(packet_sum(ip, ip_size, 0));
	if (!is_b)
		memcpy(ip + 10, &checksum, 2);
	put16(udp, 4000 + (what & TO_RTCP ? 1 : 0) + (what & OTHER_PORT ? 6 : 0));
	put16(udp + 2, MEDIA_PORT_FIRST + (what & TO_RTCP ? 1 : 0));
	put16(udp + 4, udp_size);
	memcpy(udp + 8, payload, size);
	const uint8_t pseudo[4] = { 0, 17, udp[4], udp[5] };
	uint64_t sum = packet_sum(source, 2 * address_size, packet_sum(pseudo, 4, 0));
	checksum = packet_fold(packet_sum(udp, udp_size, sum));
	checksum = checksum ? checksum : 0xffff;
	memcpy(udp + 6, &checksum, 2);
	*out_size = 14 + ip_size + udp_size;
	return frame;
}

static void send_report(struct world *world, struct stream *rtp)
{
	uint8_t octets[REPORT_ROOM];
	struct stream *leaving = NULL;
	if (!report_is_due(&world->table, rtp))
		return;
	size_t size = report_write(&world->table, rtp, &leaving, octets);
	require(size > 0 && size <= sizeof(octets));
	require(leaving->is_open && leaving->flags & STREAM_IS_RTCP);
}

static void send_on(struct world *world, const struct stream *stream, const struct packet *packet,
		    const uint8_t *frame)
{
	static uint8_t room[HEADERS_MAX + PACKET_PAYLOAD_MAX];
	uint8_t *media = room + HEADERS_MAX;
	if (stream->flags & STREAM_NO_NEXT_HOP)
		return;
	memcpy(media, frame + packet->offset, packet->size);
	if (!transform_renumber(stream, packet, media))
		return;
	rewrite_headers(stream, &world->rules, media, packet->size);
	if (packet->kind == PACKET_RTP)
		require((media[1] & 0x7f) == PACKET_PAYLOAD_PCMU ||
			(media[1] & 0x7f) == stream->payload_out);
}

// Within what packets of any content can make of them.
static void check_view(const struct stream_view *view, const struct stream *stream)
{
	if (stream->flags & STREAM_IS_RTCP)
		return;
	require(view->silent <= view->packets && view->events <= view->packets);
	require(view->expected >= 1 && view->expected <= 3000 * view->packets);
	require(view->jitter <= 16 * 8000 + 8);
	require((uint64_t)view->reordered + view->duplicates + view->ssrc_changes < view->packets);
	require(view->sequence == stream->figures.sequence_max);
	int64_t all = (int64_t)view->expected - (int64_t)view->packets;
	// Without another SSRC or a restart, its loss is that of the whole stream.
	require(stream->figures.expected_from != stream->figures.received_from ||
		figures_lost(&stream->figures, view) == all);
}

static enum verdict accept(struct world *world, struct stream *stream, struct packet *packet,
			   const uint8_t *frame)
{
	if (!(stream->flags & STREAM_SECURE_ARRIVES))
		return accept_plain(&world->table, stream, packet, frame);
	enum verdict verdict = accept_sealed(&world->table, stream, packet, frame);
	if (verdict != VERDICT_FORWARDED)
		return verdict;
	return accept_opened(&world->table, stream, packet, frame); // as if all tags were right
}

static uint64_t drops_of(const struct stream_view *view)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < STREAM_DROP_COUNT; i++)
		sum += view->drops[i];
	return sum;
}

static void receive(struct world *world, const uint8_t *frame, size_t size)
{
	struct packet packet;
	if (packet_parse(frame, size, &world->rules, &packet) != VERDICT_FORWARDED)
		return;
	struct stream *stream = stream_find(&world->table, &packet);
	if (!stream)
		return;
	struct stream_view *view = &world->views[stream - world->streams];
	struct figures figures = stream->figures;
	uint64_t packets = view->packets, drops = drops_of(view);
	if (accept(world, stream, &packet, frame) == VERDICT_FORWARDED) {
		const uint8_t *source = frame + packet.source_offset;
		bool is_listening = stream->learning == STREAM_LISTENING;
		size_t address_size = packet.family == ADDRESS_IPV4 ? 4 : 16;
		require(view->source.family == packet.family);
		require(memcmp(view->source.octets, source, address_size) == 0);
		require(view->source_is_learned == (stream->learning == STREAM_LEARNED));
		require(!is_listening || !(stream->flags & STREAM_SECURE_ARRIVES));
		require(drops_of(view) == drops && packet.ttl >= world->table.min_ttl);
		stream_account(&world->table, stream, &packet, frame);
		require(view->packets == packets + 1 && view->last_ns == world->table.now_ns);
		check_view(view, stream);
		if (packet.kind == PACKET_RTP)
			send_report(world, stream);
		send_on(world, stream, &packet, frame);
	} else {
		require(view->packets == packets && drops_of(view) == drops + 1);
		if (!(stream->flags & STREAM_IS_RTCP)) {
			figures.audio_type = stream->figures.audio_type; // of what was refused
			require(memcmp(&figures, &stream->figures, sizeof(figures)) == 0);
		}
	}
}

// What control says is as untrusted; what it opens here are changes of the streams there are.
static void apply(struct world *world, uint8_t what, const uint8_t *octets, size_t size)
{
	bool is_rtcp = what & TO_RTCP;
	uint8_t flags = (uint8_t)((is_rtcp ? STREAM_IS_RTCP : 0) | (size > 0 ? octets[0] : 0));
	struct message message = message_of(world, what & FROM_B, is_rtcp, flags);
	if (what & LOW_TTL && size <= sizeof(message))
		memcpy(&message, octets, size); // anything at all
	if (message.stream.index % MEDIA_PORT_COUNT > 1 ||
	    message.open.out_index % MEDIA_PORT_COUNT > 1) // slots that begin() does not clear
		return;
	message.stream.generation = size > 1 ? octets[1] : message.stream.generation;
	(void)stream_takes_key(&world->table, &message);
	if (what & OTHER_HOST)
		(void)stream_close(&world->table, &message);
	else
		(void)stream_open(&world->table, &message);
}

static void tell_all(struct world *world)
{
	struct message message;
	for (unsigned told = 0; stream_next_event(&world->table, &message); told++) {
		require(told < 4 * 5 + STREAM_REFUSALS_MAX + DTMF_REPORTS_MAX);
		require(message.kind < MESSAGE_KIND_COUNT && message.stream.index < SLOTS);
		stream_event_told(&world->table);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	if (size < 1)
		return 0;
	begin(&world, data[0]);
	for (data++, size--; size >= 3;) {
		uint8_t what = data[0];
		size_t length = data[2] < size - 3 ? data[2] : size - 3;
		size_t frame_size = 0;
		world.table.now_ns += data[1] * 10000000ull;
		listener_tick(&world.table);
		uint8_t *frame = what & IS_MESSAGE
					 ? NULL
					 : make_frame(&world, what, data + 3, length, &frame_size);
		if (frame)
			receive(&world, frame, frame_size);
		else
			apply(&world, what, data + 3, length);
		free(frame);
		if (what & 0x80)
			tell_all(&world);
		data += 3 + length;
		size -= 3 + length;
	}
	tell_all(&world);
	return 0;
}
