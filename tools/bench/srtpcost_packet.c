// The worker's port: prepared packets in, checked packets out, and the clock that stands still while
// either is done.
// Runs on: the worker's core. Never allocates but from its own pool.

#include "srtpcost.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "dataplane/nic/nic.h"

#define UDP_PAYLOAD 42
#define RTP_SIZE 172
#define RTP_HEADER 12
#define CHECK_EVERY 16 // batches

// In place of dataplane/nic/nic.c's, by the linker (--wrap).
bool __wrap_nic_has_kernel(const struct nic *nic);
unsigned __wrap_nic_receive(struct nic *nic, enum nic_side side, unsigned queue,
			    struct rte_mbuf **out_buffers, unsigned max);
unsigned __wrap_nic_send(struct nic *nic, enum nic_side side, unsigned queue,
			 struct rte_mbuf **buffers, unsigned count);
struct rte_mbuf *__wrap_nic_take_buffer(const struct nic *nic);

void cost_clock_begin(struct cost_clock *clock)
{
	clock->is_running = true;
	clock->started = rte_rdtsc_precise();
}

void cost_clock_end(struct cost_clock *clock)
{
	if (clock->is_running)
		clock->cycles += rte_rdtsc() - clock->started;
	clock->is_running = false;
}

void cost_clock_sample(struct cost_clock *clock, unsigned packets)
{
	if (packets > 0 && clock->count < COST_SAMPLES_MAX) {
		clock->samples[clock->count++] = (float)clock->cycles / (float)packets;
		clock->sum_cycles += clock->cycles;
		clock->sum_packets += packets;
	}
	clock->cycles = 0;
}

static void put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, value >> 16);
	put_u16(at + 2, value & 0xffff);
}

static unsigned get_u16(const uint8_t *at)
{
	return (unsigned)(at[0] << 8 | at[1]);
}

// Each stream begins elsewhere among the sequence numbers, so that wraps are never all at once.
static uint32_t first_sequence(unsigned stream)
{
	return stream * 40503u & 0x7fff;
}

uint32_t cost_rollover(unsigned stream, uint32_t number)
{
	return (first_sequence(stream) + number) >> 16;
}

static void write_media(unsigned stream, uint32_t number, uint8_t *media)
{
	uint32_t noise = stream * 2654435761u + number;
	put_u16(media, 0x8000); // version 2, PCMU
	put_u16(media + 2, first_sequence(stream) + number);
	put_u32(media + 4, number * 160);
	put_u32(media + 8, 0x5eed0000 + stream);
	for (unsigned i = RTP_HEADER; i < RTP_SIZE; i += 4) {
		noise = noise * 1664525 + 1013904223;
		memcpy(media + i, &noise, 4);
	}
}

static void write_headers(const struct cost *cost, unsigned stream, unsigned size, uint8_t *frame)
{
	static const uint8_t ipv4[] = { 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17 };
	const uint32_t index = cost_index(stream);
	const uint8_t *address = cost->rules.addresses[index / MEDIA_PORT_COUNT].octets;
	memcpy(frame, cost->rules.mac, 6);
	memset(frame + 6, 2, 6);
	put_u16(frame + 12, 0x0800);
	memcpy(frame + 14, ipv4, sizeof(ipv4));
	put_u16(frame + 16, size - 14);
	put_u16(frame + 24, 0);
	put_u32(frame + 26, 0xc6120001); // 198.18.0.1
	memcpy(frame + 30, address, 4);
	uint16_t sum = packet_fold(packet_sum(frame + 14, 20, 0));
	memcpy(frame + 24, &sum, 2); // already in network order
	put_u16(frame + 34, 20000 + index % MEDIA_PORT_COUNT);
	put_u16(frame + 36, MEDIA_PORT_FIRST + index % MEDIA_PORT_COUNT);
	put_u16(frame + 38, size - 34);
	put_u16(frame + 40, 0);
}

uint8_t *cost_media(struct rte_mbuf *buffer)
{
	return rte_pktmbuf_mtod(buffer, uint8_t *) + UDP_PAYLOAD;
}

static void prepare_one(struct cost *cost, unsigned i)
{
	unsigned stream = cost->next_stream;
	cost->next_stream = (stream + 1) % cost->streams;
	cost->batch_streams[i] = stream;
	cost->batch_numbers[i] = cost->sent[stream]++;
	write_media(stream, cost->batch_numbers[i], cost_media(cost->batch[i]));
	cost->packets[i] = (struct protector_packet){
		.key = &cost->arrives[stream],
		.media = cost_media(cost->batch[i]),
		.size = RTP_SIZE,
		.rollover = cost_rollover(stream, cost->batch_numbers[i]),
	};
}

bool cost_prepare(struct cost *cost, const bool protects[static 2])
{
	struct protector_packet secured[PROTECTOR_BURST];
	unsigned places[PROTECTOR_BURST], count = 0;
	if (rte_pktmbuf_alloc_bulk(cost->pool, cost->batch, COST_BATCH) != 0)
		return false;
	for (unsigned i = 0; i < COST_BATCH; i++) {
		prepare_one(cost, i);
		if (protects[cost->batch_streams[i] % 2]) {
			secured[count] = cost->packets[i];
			places[count++] = i;
		}
		if (count == PROTECTOR_BURST || i + 1 == COST_BATCH) {
			protector_protect(cost->protector, secured, count);
			for (unsigned k = 0; k < count; k++)
				cost->packets[places[k]].size = secured[k].size;
			count = 0;
		}
	}
	for (unsigned i = 0; i < COST_BATCH; i++) {
		struct rte_mbuf *buffer = cost->batch[i];
		unsigned size = UDP_PAYLOAD + cost->packets[i].size;
		buffer->data_len = (uint16_t)size;
		buffer->pkt_len = size;
		write_headers(cost, cost->batch_streams[i], size,
			      rte_pktmbuf_mtod(buffer, uint8_t *));
	}
	return true;
}

void cost_give_back(struct cost *cost)
{
	rte_pktmbuf_free_bulk(cost->batch, COST_BATCH);
}

// The stream whose packet leaves from this address and port: the one of the call's other side.
static unsigned stream_of(const struct cost *cost, const uint8_t *frame)
{
	unsigned address = memcmp(frame + 26, cost->rules.addresses[0].octets, 4) == 0 ? 0 : 1;
	unsigned port = get_u16(frame + 34) - MEDIA_PORT_FIRST;
	unsigned stream = 2 * (address * COST_CALLS_PER_ADDRESS + port / COST_CALL_PORTS) +
			  (port % COST_CALL_PORTS == 0);
	bool is_rtp = port < MEDIA_PORT_COUNT && port % 2 == 0 && stream < cost->streams;
	return is_rtp ? stream : cost->streams;
}

static void check_one(struct cost *cost, struct rte_mbuf *buffer)
{
	uint8_t expected[RTP_SIZE];
	const uint8_t *frame = rte_pktmbuf_mtod(buffer, const uint8_t *);
	unsigned stream = stream_of(cost, frame);
	if (stream == cost->streams)
		return; // RTCP of the worker's own
	// The number nearest to the one sent last that has this sequence number.
	uint8_t *media = cost_media(buffer);
	uint32_t last = cost->sent[stream];
	uint32_t sequence = get_u16(media + 2);
	uint32_t number = last + (uint32_t)(int16_t)(sequence - first_sequence(stream) - last);
	struct protector_packet packet = {
		.key = &cost->leaves[stream],
		.media = media,
		.size = (uint16_t)(buffer->data_len - UDP_PAYLOAD),
		.rollover = cost_rollover(stream, number),
		.is_authentic = true,
	};
	if (cost->mix->leaves[stream % 2])
		protector_unprotect(cost->protector, &packet, 1);
	write_media(stream, number, expected);
	cost->verified++;
	cost->wrong += !packet.is_authentic || packet.size != RTP_SIZE ||
		       memcmp(media, expected, RTP_SIZE) != 0;
}

void cost_check(struct cost *cost, struct rte_mbuf **buffers, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		check_one(cost, buffers[i]);
}

bool __wrap_nic_has_kernel(const struct nic *nic)
{
	(void)nic;
	return false;
}

struct rte_mbuf *__wrap_nic_take_buffer(const struct nic *nic)
{
	return rte_pktmbuf_alloc(((const struct cost *)nic)->pool);
}

static bool next_batch(struct cost *cost)
{
	if (cost->batch_count > 0 && cost->taken > cost->warm_up_packets)
		cost_clock_sample(&cost->clock, cost->batch_count);
	cost->clock.cycles = 0;
	cost->batch_at = cost->batch_count = 0;
	bool is_over = rte_rdtsc() > cost->end_tsc && cost->clock.count > 0;
	if (is_over || !cost_prepare(cost, cost->mix->arrives)) {
		atomic_store(&cost->phase, COST_IDLE);
		return false;
	}
	cost->batch_count = COST_BATCH;
	cost->batches++;
	return true;
}

unsigned __wrap_nic_receive(struct nic *nic, enum nic_side side, unsigned queue,
			    struct rte_mbuf **out_buffers, unsigned max)
{
	struct cost *cost = (struct cost *)nic;
	cost_clock_end(&cost->clock);
	(void)side, (void)queue;
	int phase = atomic_load_explicit(&cost->phase, memory_order_acquire);
	if (phase == COST_TASK) {
		cost->kind->task(cost, cost->kind->which);
		atomic_store(&cost->phase, COST_IDLE);
	}
	if (phase != COST_PACKETS || (cost->batch_at == cost->batch_count && !next_batch(cost)))
		return 0;
	unsigned count = cost->batch_count - cost->batch_at;
	count = count < max ? count : max;
	count = count < COST_BURST ? count : COST_BURST;
	memcpy(out_buffers, cost->batch + cost->batch_at, count * sizeof(*out_buffers));
	cost->batch_at += count;
	cost->taken += count;
	cost_clock_begin(&cost->clock);
	return count;
}

unsigned __wrap_nic_send(struct nic *nic, enum nic_side side, unsigned queue,
			 struct rte_mbuf **buffers, unsigned count)
{
	struct cost *cost = (struct cost *)nic;
	bool was_running = cost->clock.is_running;
	cost_clock_end(&cost->clock);
	(void)side, (void)queue;
	cost->returned += count;
	if (cost->batches % CHECK_EVERY == 0)
		cost_check(cost, buffers, count);
	rte_pktmbuf_free_bulk(buffers, count);
	if (was_running)
		cost_clock_begin(&cost->clock);
	return count;
}
