// Telephone events of strangers: whatever they say, control hears keys, none but those that packets
// spoke of, no more of them than the bounds allow, and each at most once while nothing else comes.
// Input: packets of 8 octets: how many 20 ms have passed (bit 7: marker), SSRC, timestamp in steps of 80 (two
// octets), payload.
// Runs on: the fuzzer's thread, or the replay's.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dataplane.h"
#include "dataplane/dtmf/digit.h"
#include "dataplane/dtmf/dtmf.h"
#include "dataplane/stream/stream.h"

#define STEP_NS 20000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct stream streams[1];
	struct stream_view views[1];
	struct dtmf_slot slots[1];
	struct worker_view view;
	struct dtmf dtmf;
	struct stream_table table;
	unsigned packets, told, told_in_second;
	uint64_t second;
	bool is_spoken[256]; // by character
};

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void begin(struct world *world)
{
	memset(world, 0, sizeof(*world));
	world->streams[0] = (struct stream){ .is_open = true, .generation = 7 };
	dtmf_init(&world->dtmf, world->slots, &world->view);
	world->table = (struct stream_table){ .streams = world->streams,
					      .views = world->views,
					      .count = 1,
					      .worker_count = 1,
					      .dtmf = &world->dtmf,
					      .now_ns = 1ull << 40 };
}

static void take(struct world *world)
{
	struct message message;
	uint64_t second = world->table.now_ns / 1000000000;
	if (second != world->second)
		world->told_in_second = 0;
	world->second = second;
	while (stream_next_event(&world->table, &message)) {
		require(message.kind == MESSAGE_STREAM_DIGIT && message.digits.count == 1);
		require(message.stream.index == 0 && message.stream.generation == 7);
		require(world->is_spoken[(uint8_t)message.digits.text[0]]);
		stream_event_told(&world->table);
		world->told++;
		require(++world->told_in_second <= LISTENER_DIGITS_PER_SECOND);
	}
	require(world->views[0].events == world->told);
	require(world->view.digits_heard == world->told);
	require(world->told + world->view.digits_dropped <= world->packets);
	require(world->view.digits_ignored <= world->packets);
}

static void hear(struct world *world, const uint8_t *data)
{
	// A copy of its own size, so that the sanitizer sees the first octet behind it.
	uint8_t *payload = malloc(DIGIT_SIZE);
	if (!payload)
		return;
	memcpy(payload, data + 4, DIGIT_SIZE);
	const struct packet packet = { .kind = PACKET_RTP,
				       .payload_type = 101,
				       .has_marker = data[0] & 0x80,
				       .ssrc = data[1],
				       .timestamp = (uint32_t)(data[2] << 8 | data[3]) * 80,
				       .media_size = DIGIT_SIZE };
	const struct digit digit = digit_read(payload);
	uint8_t written[DIGIT_SIZE];
	require(digit_write(&digit, written) == (payload[0] < DIGIT_COUNT));
	world->is_spoken[(uint8_t)digit.key] |= digit.key != 0;
	world->packets++;
	listener_hear(&world->table, &world->streams[0], &packet, payload);
	take(world);
	uint16_t told = world->views[0].events;
	uint64_t dropped = world->view.digits_dropped;
	if (!digit.is_end || told == 0)
		goto done;
	listener_hear(&world->table, &world->streams[0], &packet, payload); // an end comes again
	world->packets++;
	take(world);
	require(world->views[0].events == told && world->view.digits_dropped == dropped);
done:
	free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	begin(&world);
	for (; size >= 8; data += 8, size -= 8) {
		for (unsigned i = 0; i < (data[0] & 0x7f); i++) {
			world.table.now_ns += STEP_NS;
			listener_tick(&world.table);
			take(&world);
		}
		hear(&world, data);
	}
	world.table.now_ns += 2000 * STEP_NS;
	listener_tick(&world.table);
	take(&world);
	require(world.dtmf.first_open == DTMF_NONE); // nothing is at hand for ever
	return 0;
}
