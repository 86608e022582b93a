// Media on its way through an engine that takes its time: what waits, what leaves when, and that nothing
// of a stream that is gone gets out. The port and the engine are stand-ins, all between them is real.

#include "tests/check.h"

#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mbuf.h>

#include "dataplane/dataplane.h"
#include "dataplane/relay.h"
#include "dataplane/worker.h"
#include "tests/fake/crypto.h"

#define BUFFERS 1023
#define STREAMS MEDIA_PORT_COUNT
#define KEY_IN 0x11
#define KEY_OUT 0x22
#define HEADERS 42
#define PAYLOAD 20
#define SENT_MAX 1024

static const uint8_t port_mac[6] = { 2, 0, 0, 0, 0, 1 };

struct nic { // the stand-in: what was sent
	struct rte_mempool *pool;
	uint16_t sequences[SENT_MAX];
	uint16_t sizes[SENT_MAX];
	unsigned sent;
	bool is_empty; // of buffers
};

struct bench {
	struct nic nic;
	struct packet_rules rules;
	struct worker_view view;
	struct crypto *crypto;
	struct worker *worker;
};

unsigned nic_send(struct nic *nic, enum nic_side side, unsigned queue, struct rte_mbuf **buffers,
		  unsigned count)
{
	(void)side, (void)queue;
	for (unsigned i = 0; i < count && nic->sent < SENT_MAX; i++, nic->sent++) {
		const uint8_t *rtp = rte_pktmbuf_mtod(buffers[i], const uint8_t *) + HEADERS;
		nic->sequences[nic->sent] = (uint16_t)(rtp[2] << 8 | rtp[3]);
		nic->sizes[nic->sent] = (uint16_t)(buffers[i]->data_len - HEADERS);
	}
	rte_pktmbuf_free_bulk(buffers, count);
	return count;
}

unsigned nic_receive(struct nic *nic, enum nic_side side, unsigned queue,
		     struct rte_mbuf **out_buffers, unsigned max)
{
	(void)nic, (void)side, (void)queue, (void)out_buffers, (void)max;
	return 0;
}

bool nic_has_kernel(const struct nic *nic)
{
	(void)nic;
	return false;
}

struct rte_mbuf *nic_take_buffer(const struct nic *nic)
{
	return nic->is_empty ? NULL : rte_pktmbuf_alloc(nic->pool);
}

static int start_eal(void **state)
{
	char *arguments[] = { "relay_test", "--no-huge", "--no-shconf", "--no-pci",       "-m",
			      "32",         "-l",        "0",           "--log-level=*:3" };
	int is_up = rte_eal_init(sizeof(arguments) / sizeof(*arguments), arguments);
	*state = is_up < 0 ? NULL
			   : rte_pktmbuf_pool_create("relay_test", BUFFERS, 0, 0,
						     RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	return *state ? 0 : -1;
}

static int stop_eal(void **state)
{
	(void)state;
	return rte_eal_cleanup();
}

static struct bench *set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	bench->nic.pool = *state;
	bench->worker = aligned_alloc(64, (sizeof(struct worker) + 63) / 64 * 64);
	assert_non_null(bench->worker);
	bench->crypto = fake_crypto_create(STREAMS);
	memcpy(bench->rules.mac, port_mac, sizeof(port_mac));
	bench->rules.address_count = 1;
	CHECK_TRUE(address_parse(TEXT("198.51.100.1"), &bench->rules.addresses[0]));
	struct worker *worker = bench->worker;
	memset(worker, 0, sizeof(*worker));
	worker->count = 1;
	worker->nic = &bench->nic;
	worker->rules = &bench->rules;
	worker->view = &bench->view;
	worker->crypto = crypto_of_worker(bench->crypto, 0);
	worker->table = (struct stream_table){
		.streams = aligned_alloc(128, STREAMS * sizeof(struct stream)),
		.views = calloc(STREAMS, sizeof(struct stream_view)),
		.count = STREAMS,
		.worker_count = 1,
		.min_ttl = 11,
		.rules = &bench->rules,
		.now_ns = 1000000000,
	};
	assert_non_null(worker->table.streams);
	assert_non_null(worker->table.views);
	memset(worker->table.streams, 0, STREAMS * sizeof(struct stream));
	relay_init(&worker->relay);
	return bench;
}

// Whatever happened, every buffer is back and no task is lost.
static void tear_down(struct bench *bench)
{
	CHECK_NUMBER(rte_mempool_avail_count(bench->nic.pool), BUFFERS);
	CHECK_NUMBER(bench->worker->relay.free_count, CRYPTO_JOBS_MAX);
	free(bench->worker->table.streams);
	free(bench->worker->table.views);
	free(bench->worker);
	crypto_stop(bench->crypto);
	free(bench);
}

static void open_stream(struct bench *bench, uint32_t generation, uint8_t flags)
{
	struct message message = {
		.kind = MESSAGE_STREAM_OPEN,
		.flags = flags,
		.stream = { 0, generation },
		.open = { .out_index = 2, .payload_in = 101, .payload_out = 101 },
	};
	CHECK_TRUE(address_parse(TEXT("203.0.113.10:4000"), &message.open.source));
	CHECK_TRUE(address_parse(TEXT("192.0.2.20:6000"), &message.open.destination));
	CHECK_TRUE(stream_open(&bench->worker->table, &message));
}

static void set_keys(struct bench *bench, uint32_t generation)
{
	for (uint8_t way = 0; way < KEY_WAYS; way++) {
		struct message message = {
			.kind = MESSAGE_STREAM_KEY,
			.stream = { 0, generation },
			.key = { .suite = SUITE_AES_CM_80, .way = way },
		};
		message.key.octets[0] = way == KEY_ARRIVES ? KEY_IN : KEY_OUT;
		CHECK_TRUE(crypto_set_key(bench->worker->crypto, &message, 0));
	}
}

static void close_stream(struct bench *bench, uint32_t generation)
{
	const struct message message = { .kind = MESSAGE_STREAM_CLOSE,
					 .stream = { 0, generation } };
	CHECK_TRUE(stream_close(&bench->worker->table, &message));
}

static void put16(uint8_t *octets, unsigned value)
{
	octets[0] = (uint8_t)(value >> 8);
	octets[1] = (uint8_t)value;
}

static struct rte_mbuf *make_packet(struct bench *bench, uint16_t sequence, bool is_sealed)
{
	static const uint8_t ends[8] = { 203, 0, 113, 10, 198, 51, 100, 1 };
	struct rte_mbuf *buffer = rte_pktmbuf_alloc(bench->nic.pool);
	assert_non_null(buffer);
	uint8_t *frame = rte_pktmbuf_mtod(buffer, uint8_t *), *rtp = frame + HEADERS;
	memset(frame, 0, HEADERS + PAYLOAD);
	rtp[0] = 0x80;
	put16(rtp + 2, sequence);
	size_t size = is_sealed ? fake_crypto_protect(rtp, PAYLOAD, 12, KEY_IN) : PAYLOAD;
	memcpy(frame, port_mac, 6);
	put16(frame + 12, 0x0800);
	frame[14] = 0x45;
	put16(frame + 16, (unsigned)(28 + size));
	frame[22] = 64;
	frame[23] = 17;
	memcpy(frame + 26, ends, sizeof(ends));
	uint16_t checksum = packet_fold(packet_sum(frame + 14, 20, 0));
	memcpy(frame + 24, &checksum, 2);
	put16(frame + 34, 4000);
	put16(frame + 36, MEDIA_PORT_FIRST);
	put16(frame + 38, (unsigned)(8 + size));
	buffer->data_len = (uint16_t)(HEADERS + size);
	buffer->pkt_len = buffer->data_len;
	return buffer;
}

// One turn of the worker with that many packets, numbered from `first`.
static void turn(struct bench *bench, uint16_t first, unsigned count, bool is_sealed)
{
	struct burst *burst = &bench->worker->burst;
	for (burst->count = 0; burst->count < count; burst->count++)
		burst->buffers[burst->count] =
			make_packet(bench, (uint16_t)(first + burst->count), is_sealed);
	burst_begin(bench->worker);
	relay_burst(bench->worker);
	burst_end(bench->worker);
}

static void rest(struct bench *bench, unsigned turns)
{
	while (turns-- > 0)
		turn(bench, 0, 0, false);
}

static uint64_t verdicts(const struct bench *bench, enum verdict verdict)
{
	return bench->view.verdicts[verdict];
}

static void what_a_quick_engine_takes_leaves_in_the_same_turn(void **state)
{
	struct bench *bench = set_up(state);
	open_stream(bench, 1, STREAM_SECURE_ARRIVES | STREAM_SECURE_LEAVES);
	set_keys(bench, 1);
	turn(bench, 100, 3, true);
	CHECK_NUMBER(bench->nic.sent, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_NUMBER(bench->nic.sequences[i], 100 + i);
		CHECK_NUMBER(bench->nic.sizes[i], PAYLOAD + FAKE_CRYPTO_TAG_SIZE);
	}
	CHECK_FALSE(relay_has_work(bench->worker));
	CHECK_NUMBER(bench->worker->table.views[0].packets, 3);
	CHECK_NUMBER(bench->worker->table.views[0].octets, 3 * (PAYLOAD + FAKE_CRYPTO_TAG_SIZE));
	CHECK_NUMBER(bench->worker->table.views[0].leaves_sequence, 102);
	tear_down(bench);
}

static void what_a_slow_engine_has_done_leaves_in_order_without_new_packets(void **state)
{
	struct bench *bench = set_up(state);
	open_stream(bench, 1, STREAM_SECURE_ARRIVES | STREAM_SECURE_LEAVES);
	set_keys(bench, 1);
	fake_crypto_set_delay(bench->crypto, 2);
	turn(bench, 100, 3, true);
	turn(bench, 103, 2, true);
	CHECK_NUMBER(bench->nic.sent, 0);
	CHECK_TRUE(relay_has_work(bench->worker));
	rest(bench, 6);
	CHECK_NUMBER(bench->nic.sent, 5);
	for (unsigned i = 0; i < 5; i++)
		CHECK_NUMBER(bench->nic.sequences[i], 100 + i);
	CHECK_FALSE(relay_has_work(bench->worker));
	tear_down(bench);
}

static void plain_media_does_not_wait_for_the_engine(void **state)
{
	struct bench *bench = set_up(state);
	open_stream(bench, 1, STREAM_SECURE_ARRIVES);
	set_keys(bench, 1);
	fake_crypto_set_delay(bench->crypto, 3);
	turn(bench, 100, 2, true);
	open_stream(bench, 1, 0); // the same one, by a re-offer
	turn(bench, 200, 1, false);
	CHECK_NUMBER(bench->nic.sent, 1);
	CHECK_NUMBER(bench->nic.sequences[0], 200);
	rest(bench, 3);
	CHECK_NUMBER(bench->nic.sent, 3);
	tear_down(bench);
}

static void a_stream_closed_meanwhile_sends_nothing_more(void **state)
{
	struct bench *bench = set_up(state);
	open_stream(bench, 1, STREAM_SECURE_ARRIVES);
	set_keys(bench, 1);
	fake_crypto_set_delay(bench->crypto, 2);
	turn(bench, 100, 4, true);
	close_stream(bench, 1);
	rest(bench, 3);
	CHECK_NUMBER(bench->nic.sent, 0);
	CHECK_NUMBER(verdicts(bench, VERDICT_DROP_NO_STREAM), 4);
	tear_down(bench);
}

static void a_slot_opened_again_meanwhile_gets_nothing_of_the_stream_before(void **state)
{
	struct bench *bench = set_up(state);
	open_stream(bench, 1, STREAM_SECURE_ARRIVES);
	set_keys(bench, 1);
	fake_crypto_set_delay(bench->crypto, 2);
	turn(bench, 100, 4, true);
	close_stream(bench, 1);
	open_stream(bench, 2, 0);
	rest(bench, 3);
	CHECK_NUMBER(bench->nic.sent, 0);
	CHECK_NUMBER(verdicts(bench, VERDICT_DROP_NO_STREAM), 4);
	CHECK_NUMBER(bench->worker->table.views[0].packets, 0);
	CHECK_NUMBER(bench->worker->table.views[0].drops[STREAM_DROP_AUTHENTICATION], 0);
	tear_down(bench);
}

static void a_hold_that_came_meanwhile_holds(void **state)
{
	struct bench *bench = set_up(state);
	open_stream(bench, 1, STREAM_SECURE_ARRIVES);
	set_keys(bench, 1);
	fake_crypto_set_delay(bench->crypto, 2);
	turn(bench, 100, 2, true);
	open_stream(bench, 1, STREAM_SECURE_ARRIVES | STREAM_NO_NEXT_HOP);
	rest(bench, 3);
	CHECK_NUMBER(bench->nic.sent, 0);
	CHECK_NUMBER(verdicts(bench, VERDICT_DROP_NO_NEXT_HOP), 2);
	tear_down(bench);
}

static void without_a_free_job_packets_are_dropped_and_later_ones_pass(void **state)
{
	struct bench *bench = set_up(state);
	open_stream(bench, 1, STREAM_SECURE_ARRIVES | STREAM_SECURE_LEAVES);
	set_keys(bench, 1);
	fake_crypto_set_delay(bench->crypto, 10);
	for (uint16_t i = 0; i < 6; i++)
		turn(bench, (uint16_t)(i * BURST_SIZE), BURST_SIZE, true);
	CHECK_NUMBER(verdicts(bench, VERDICT_DROP_CRYPTO_FULL), 6 * BURST_SIZE - CRYPTO_JOBS_MAX);
	rest(bench, 30);
	CHECK_NUMBER(bench->nic.sent, CRYPTO_JOBS_MAX);
	turn(bench, 1000, 1, true);
	rest(bench, 22);
	CHECK_NUMBER(bench->nic.sent, CRYPTO_JOBS_MAX + 1);
	tear_down(bench);
}

static void what_the_engine_does_not_take_is_dropped(void **state)
{
	struct bench *bench = set_up(state);
	open_stream(bench, 1, STREAM_SECURE_LEAVES);
	set_keys(bench, 1);
	fake_crypto_set_room(bench->crypto, 5);
	turn(bench, 1, 8, false);
	CHECK_NUMBER(bench->nic.sent, 5);
	CHECK_NUMBER(bench->nic.sequences[4], 5);
	CHECK_NUMBER(verdicts(bench, VERDICT_DROP_CRYPTO_FULL), 3);
	tear_down(bench);
}

static void a_buffer_without_room_for_a_tag_is_dropped(void **state)
{
	struct bench *bench = set_up(state);
	struct burst *burst = &bench->worker->burst;
	open_stream(bench, 1, STREAM_SECURE_LEAVES);
	set_keys(bench, 1);
	burst->buffers[0] = make_packet(bench, 1, false);
	const uint16_t whole = burst->buffers[0]->buf_len;
	struct rte_mbuf *buffer = burst->buffers[0];
	buffer->buf_len = (uint16_t)(buffer->data_off + buffer->data_len + CRYPTO_ROOM - 1);
	burst->count = 1;
	burst_begin(bench->worker);
	relay_burst(bench->worker);
	CHECK_NUMBER(burst->dropped_count, 1);
	buffer->buf_len = whole;
	burst_end(bench->worker);
	CHECK_NUMBER(bench->nic.sent, 0);
	tear_down(bench);
}

static void without_an_engine_nothing_secure_passes(void **state)
{
	struct bench *bench = set_up(state);
	bench->worker->crypto = NULL;
	open_stream(bench, 1, STREAM_SECURE_ARRIVES);
	turn(bench, 1, 2, true);
	open_stream(bench, 1, STREAM_SECURE_LEAVES);
	turn(bench, 3, 2, false);
	CHECK_NUMBER(bench->nic.sent, 0);
	CHECK_NUMBER(verdicts(bench, VERDICT_DROP_AUTHENTICATION), 4);
	CHECK_NUMBER(bench->worker->table.views[0].drops[STREAM_DROP_AUTHENTICATION], 4);
	tear_down(bench);
}

static void open_rtcp(struct bench *bench, uint32_t index, uint32_t out_index)
{
	struct message message = {
		.kind = MESSAGE_STREAM_OPEN,
		.flags = STREAM_IS_RTCP,
		.stream = { index, 1 },
		.open = { .out_index = out_index, .payload_in = 101, .payload_out = 101 },
	};
	CHECK_TRUE(address_parse(TEXT("203.0.113.10:4001"), &message.open.source));
	message.open.destination = message.open.source;
	CHECK_TRUE(stream_open(&bench->worker->table, &message));
}

static void a_report_waits_for_a_buffer(void **state)
{
	struct bench *bench = set_up(state);
	open_stream(bench, 1, 0);
	open_rtcp(bench, 1, 3);
	open_rtcp(bench, 3, 1);
	turn(bench, 1, 1, false);
	bench->worker->table.now_ns += 20000000000ull;
	bench->nic.is_empty = true;
	turn(bench, 2, 1, false);
	CHECK_NUMBER(verdicts(bench, VERDICT_REPORT), 0);
	bench->nic.is_empty = false;
	turn(bench, 3, 3, false);
	CHECK_NUMBER(verdicts(bench, VERDICT_REPORT), 1);
	CHECK_NUMBER(verdicts(bench, VERDICT_FORWARDED), 5);
	CHECK_NUMBER(bench->nic.sent, 6);
	tear_down(bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_quick_engine_takes_leaves_in_the_same_turn),
		TEST(what_a_slow_engine_has_done_leaves_in_order_without_new_packets),
		TEST(plain_media_does_not_wait_for_the_engine),
		TEST(a_stream_closed_meanwhile_sends_nothing_more),
		TEST(a_slot_opened_again_meanwhile_gets_nothing_of_the_stream_before),
		TEST(a_hold_that_came_meanwhile_holds),
		TEST(without_a_free_job_packets_are_dropped_and_later_ones_pass),
		TEST(what_the_engine_does_not_take_is_dropped),
		TEST(a_buffer_without_room_for_a_tag_is_dropped),
		TEST(without_an_engine_nothing_secure_passes),
		TEST(a_report_waits_for_a_buffer),
	};
	return cmocka_run_group_tests(tests, start_eal, stop_eal);
}
