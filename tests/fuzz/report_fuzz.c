// RTCP of strangers between two sides: what is refused changes nothing, what is taken fills its datagram
// exactly, and what we then say ourselves is RTCP that we would take.
// Input: an octet that tells which sides send RTP; then packets: an octet (bit 0: the side it comes from,
// bits 1-7: how many 50 ms have passed), two octets of size, the packet.
// Runs on: the fuzzer's thread, or the replay's.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/stream/report.h"
#include "dataplane/stream/stream.h"

#define SLOTS 4 // RTP and RTCP of side A, then of side B; each leaves where the other side listens
#define SSRC 0x41414141u // of side A; B has it plus one

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct stream streams[SLOTS];
	struct stream_view views[SLOTS];
	struct stream_table table;
};

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void speak(struct world *world, unsigned side)
{
	struct stream_view *view = &world->views[side * 2];
	struct packet packet = { .kind = PACKET_RTP,
				 .ssrc = SSRC + side,
				 .sequence = (uint16_t)(view->packets * 3) };
	if (view->packets++ == 0)
		view->first_ns = world->table.now_ns;
	view->octets += 172;
	view->last_ns = world->table.now_ns;
	figures_add(&world->streams[side * 2].figures, view, &packet, NULL,
		    (uint32_t)(world->table.now_ns / 125000));
}

static void begin(struct world *world, uint8_t speakers)
{
	memset(world, 0, sizeof(*world));
	world->table = (struct stream_table){ .streams = world->streams,
					      .views = world->views,
					      .count = SLOTS,
					      .worker_count = 1,
					      .now_ns = 1ull << 40 };
	for (uint32_t i = 0; i < SLOTS; i++) {
		world->streams[i].is_open = true;
		world->streams[i].out_index = i ^ 2;
		world->streams[i].flags = i % 2 ? STREAM_IS_RTCP : 0;
		world->streams[i].destination_family = ADDRESS_IPV4;
		report_begin(&world->table, &world->streams[i]);
	}
	for (unsigned side = 0; side < 2; side++)
		if (speakers >> side & 1)
			speak(world, side);
}

// The lengths alone, without our parser's help. The number of packets; 0: they do not fill `size`.
static unsigned count_parts(const uint8_t *octets, size_t size)
{
	unsigned count = 0;
	while (size >= 4 && octets[0] >> 6 == 2) {
		size_t part = 4u * (1u + (unsigned)(octets[2] << 8 | octets[3]));
		if (part > size)
			return 0;
		octets += part;
		size -= part;
		count++;
	}
	return size == 0 ? count : 0;
}

static void read_one(struct world *world, unsigned side, const uint8_t *octets, size_t size)
{
	struct stream *rtcp = &world->streams[side * 2 + 1];
	struct stream_view *view = &world->views[side * 2 + 1];
	struct stream_view before = *view;
	struct reports private_before = rtcp->reports;
	if (report_read(&world->table, rtcp, octets, size)) {
		unsigned parts = count_parts(octets, size);
		require(parts > 0);
		require(view->reports - before.reports <= parts * 31);
		require(view->reports == before.reports ||
			world->streams[2 - side * 2].figures.has_ssrc);
		require(view->peer_lost >= -0x800000 && view->peer_lost <= 0x7fffff);
		require(view->round_trip_us <= 30000000);
		report_note_relayed(&world->table, rtcp);
	} else {
		require(memcmp(&before, view, sizeof(before)) == 0);
		require(memcmp(&private_before, &rtcp->reports, sizeof(private_before)) == 0);
	}
}

static void write_one(struct world *world, unsigned side)
{
	uint8_t octets[REPORT_ROOM];
	struct stream *rtp = &world->streams[side * 2], *leaving = NULL;
	if (world->views[side * 2].packets == 0 || !report_is_due(&world->table, rtp))
		return;
	uint32_t generated = world->views[side * 2 + 1].generated;
	size_t written = report_write(&world->table, rtp, &leaving, octets);
	require(written > 0 && written <= sizeof(octets) && count_parts(octets, written) == 2);
	require(leaving == &world->streams[3 - side * 2]);
	require(world->views[side * 2 + 1].generated == generated + 1);
	require(!report_is_due(&world->table, rtp));
	// The side that it is about would take it, and find itself in it.
	struct world other;
	begin(&other, 3);
	other.views[side * 2].ssrc = world->views[side * 2].ssrc;
	require(report_read(&other.table, &other.streams[3 - side * 2], octets, written));
	require(other.views[3 - side * 2].reports == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world; // as large as a stack should not be
	if (size < 1)
		return 0;
	uint8_t speakers = data[0];
	begin(&world, speakers);
	for (data++, size--; size >= 3;) {
		unsigned side = data[0] & 1;
		size_t length = (size_t)(data[1] << 8 | data[2]);
		length = length < size - 3 ? length : size - 3;
		// A copy of its own size, so that the sanitizer sees the first octet behind it.
		uint8_t *octets = malloc(length ? length : 1);
		if (!octets)
			return 0;
		memcpy(octets, data + 3, length);
		world.table.now_ns += (uint64_t)(data[0] >> 1) * 50000000;
		if (speakers >> side & 1)
			speak(&world, side);
		read_one(&world, side, octets, length);
		write_one(&world, side);
		write_one(&world, !side);
		free(octets);
		data += 3 + length;
		size -= 3 + length;
	}
	return 0;
}
