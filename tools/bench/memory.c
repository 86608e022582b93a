// memory: what a packet costs the real worker when no cable takes part. Packets go round and round
// through DPDK's in-memory port (what is sent is received again), each time into the next stream.
// Runs on: main, which starts one worker and reads its counters.

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "base/clock.h"
#include "base/text.h"
#include "dataplane/options.h"
#include "dataplane/shared.h"
#include "dataplane/worker.h"

#define PACKETS 512 // going round at once; the port's ring holds 1024
#define SEQUENCE_STEP 128 // 512 of them are one turn of the sequence number, so it never goes back
#define FRAME_SIZE 214
#define WARM_UP_S 1

struct bench {
	struct options options;
	struct packet_rules rules;
	struct nic *nic;
	struct shared_views *views;
	struct shared_mailboxes *mailboxes;
	struct worker **workers;
	atomic_bool stop;
	bool is_launched;
	unsigned streams;
};

static uint32_t index_of(unsigned stream)
{
	return stream * 2; // RTP ports are even
}

static bool launch(struct bench *bench)
{
	atomic_store(&bench->stop, false);
	bench->is_launched = nic_launch(bench->nic, 0, worker_run, bench->workers[0]);
	return bench->is_launched;
}

static void halt(struct bench *bench)
{
	atomic_store(&bench->stop, true);
	if (bench->is_launched)
		nic_join(bench->nic);
	bench->is_launched = false;
}

static bool create_worker(struct bench *bench)
{
	bench->views = aligned_alloc(128, (shared_views_size(MEDIA_PORT_COUNT) + 127) / 128 * 128);
	bench->mailboxes = aligned_alloc(64, shared_mailboxes_size(1));
	if (!bench->views || !bench->mailboxes)
		return false;
	memset(bench->views, 0, shared_views_size(MEDIA_PORT_COUNT));
	memset(bench->mailboxes, 0, shared_mailboxes_size(1));
	struct worker_plan plan = {
		.count = 1,
		.stream_count = MEDIA_PORT_COUNT,
		.polls_busy = true,
		.min_ttl = 11,
		.rules = &bench->rules,
		.nic = bench->nic,
		.views = bench->views,
		.mailboxes = bench->mailboxes,
		.stop = &bench->stop,
	};
	bench->workers = worker_create_all(&plan);
	return bench->workers;
}

// Each stream leaves from the port before its own and goes to the next stream's port, so a packet
// visits all of them in turn.
static bool open_streams(struct bench *bench)
{
	struct mailbox_end inbox = mailbox_producer(&bench->mailboxes->inbox);
	for (unsigned i = 0; i < bench->streams; i++) {
		unsigned next = (i + 1) % bench->streams;
		struct message message = {
			.kind = MESSAGE_STREAM_OPEN,
			.flags = STREAM_ANY_PORT,
			.stream = { .index = index_of(i), .generation = 1 },
			.open = { .source = bench->rules.addresses[0],
				  .destination = bench->rules.addresses[0],
				  .out_index = index_of((i + bench->streams - 1) % bench->streams),
				  .payload_in = PAYLOAD_TYPE_NONE,
				  .payload_out = PAYLOAD_TYPE_NONE },
		};
		message.open.destination.port = (uint16_t)(MEDIA_PORT_FIRST + index_of(next));
		memcpy(message.open.next_hop, bench->rules.mac, 6);
		if (!mailbox_put(&inbox, &message))
			return false;
	}
	for (unsigned i = 0;
	     i < 1000 && bench->views->workers[0].view.streams_open < bench->streams; i++)
		usleep(1000);
	return bench->views->workers[0].view.streams_open == bench->streams;
}

static void put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void write_frame(const struct bench *bench, unsigned number, uint8_t *frame)
{
	static const uint8_t ipv4[] = { 0x45, 0, 0, FRAME_SIZE - 14, 0, 0, 0x40, 0, 64, 17 };
	const uint8_t *address = bench->rules.addresses[0].octets;
	memset(frame, 0x55, FRAME_SIZE);
	memcpy(frame, bench->rules.mac, 6);
	put_u16(frame + 12, 0x0800);
	memcpy(frame + 14, ipv4, sizeof(ipv4));
	put_u16(frame + 24, 0);
	memcpy(frame + 26, address, 4);
	memcpy(frame + 30, address, 4);
	uint16_t sum = packet_fold(packet_sum(frame + 14, 20, 0));
	memcpy(frame + 24, &sum, 2); // already in network order
	put_u16(frame + 34, MEDIA_PORT_FIRST);
	put_u16(frame + 36, MEDIA_PORT_FIRST + index_of(number % bench->streams));
	put_u16(frame + 38, FRAME_SIZE - 34);
	put_u16(frame + 40, 0);
	put_u16(frame + 42, 0x8000); // RTP version 2, PCMU
	put_u16(frame + 44, number * SEQUENCE_STEP & 0xffff);
	put_u16(frame + 46, number * SEQUENCE_STEP * 160 >> 16 & 0xffff);
	put_u16(frame + 48, number * SEQUENCE_STEP * 160 & 0xffff);
	memcpy(frame + 50, "SSRC", 4);
}

// While the worker halts: the ring takes one producer at a time.
static bool seed(const struct bench *bench, struct rte_mempool *pool)
{
	struct rte_ring *ring = rte_ring_lookup("ETH_RXTX0_net_ring0");
	for (unsigned i = 0; i < PACKETS; i++) {
		struct rte_mbuf *buffer = ring ? rte_pktmbuf_alloc(pool) : NULL;
		char *data = buffer ? rte_pktmbuf_append(buffer, FRAME_SIZE) : NULL;
		if (!data)
			return false;
		write_frame(bench, i, (uint8_t *)data);
		if (rte_ring_enqueue(ring, buffer) != 0)
			return false;
	}
	return true;
}

static void measure(const struct bench *bench, double seconds)
{
	const struct worker_view *view = &bench->views->workers[0].view;
	usleep((useconds_t)(WARM_UP_S * 1000000));
	uint64_t packets = view->verdicts[VERDICT_FORWARDED], start = clock_monotonic_ns();
	uint64_t polls = view->polls, idle = view->idle_polls;
	usleep((useconds_t)(seconds * 1e6));
	packets = view->verdicts[VERDICT_FORWARDED] - packets;
	uint64_t took = clock_monotonic_ns() - start, dropped = 0;
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		dropped += i == VERDICT_FORWARDED ? 0 : view->verdicts[i];
	uint64_t busy = view->polls - polls - (view->idle_polls - idle);
	printf("{\"ns_per_packet\":%.1f,\"pps\":%.0f,\"packets\":%lu,\"dropped\":%lu,\"streams\":%"
	       "u,"
	       "\"packets_per_poll\":%.1f}\n",
	       packets ? (double)took / (double)packets : 0, (double)packets * 1e9 / (double)took,
	       packets, dropped, bench->streams, busy ? (double)packets / (double)busy : 0);
}

int main(int count, char **arguments)
{
	static char *const defaults[] = { "memory",  "--port",      "ring:",
					  "--media", "198.18.0.2",  "--cores",
					  "1",       "--memory-mb", "256" };
	struct bench bench = { 0 };
	uint64_t streams = 0, seconds = 0;
	if (count != 3 ||
	    !text_to_unsigned(text_of(arguments[1]), MEDIA_PORT_COUNT / 2, &streams) ||
	    !text_to_unsigned(text_of(arguments[2]), 600, &seconds) || streams < 3 ||
	    seconds == 0) {
		fprintf(stderr, "memory STREAMS SECONDS\n");
		return 2;
	}
	bench.streams = (unsigned)streams;
	if (options_parse(sizeof(defaults) / sizeof(*defaults), defaults, &bench.options) !=
	    OPTIONS_RUN)
		return 1;
	bench.nic = nic_start(&bench.options);
	if (!bench.nic)
		return 1;
	nic_rules(bench.nic, &bench.options, &bench.rules);
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"seeds", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	bool is_good = pool && create_worker(&bench) && launch(&bench) && open_streams(&bench);
	halt(&bench);
	is_good = is_good && seed(&bench, pool) && launch(&bench);
	if (is_good)
		measure(&bench, (double)seconds);
	else
		fprintf(stderr, "memory: could not start\n");
	halt(&bench);
	worker_destroy_all(bench.workers, 1);
	nic_stop(bench.nic);
	free(bench.views);
	free(bench.mailboxes);
	return is_good ? 0 : 1;
}
