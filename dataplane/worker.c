// The poll loop: messages first, then packets from the wire, from other workers, from the kernel.
// Runs on: a worker core. Never makes a system call but those inside a driver and, when adaptive, to
// rest while nothing comes; never allocates, logs, locks or waits.

#include "dataplane/worker.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include "base/clock.h"
#include "dataplane/rewrite.h"
#include "dataplane/shared.h"
#include "dataplane/transform.h"

#define PREFETCH_AHEAD 4
#define HAND_OVER_SIZE 1024
#define MESSAGES_PER_TURN 64
#define REST_AFTER_TURNS 1000
#define REST_STEP_NS 5000
#define REST_STEPS 30
#define REST_MAX_NS (REST_STEP_NS * REST_STEPS)

static void destroy(struct worker *worker)
{
	if (!worker)
		return;
	for (unsigned i = 0; worker->arrivals && i < worker->count; i++)
		rte_ring_free(worker->arrivals[i]);
	free(worker->arrivals);
	free(worker->others);
	stream_table_clear(&worker->table);
	rte_free(worker);
}

static struct worker *create(const struct worker_plan *plan, unsigned index, struct stream *streams)
{
	struct worker *worker = rte_zmalloc("worker", sizeof(*worker), RTE_CACHE_LINE_SIZE);
	if (!worker)
		return NULL;
	worker->index = index;
	worker->count = plan->count;
	worker->nic = plan->nic;
	worker->rules = plan->rules;
	worker->polls_busy = plan->polls_busy;
	worker->has_kernel = nic_has_kernel(plan->nic);
	worker->stop = plan->stop;
	worker->view = &plan->views->workers[index].view;
	worker->inbox = mailbox_consumer(&plan->mailboxes[index].inbox);
	worker->outbox = mailbox_producer(&plan->mailboxes[index].outbox);
	worker->table = (struct stream_table){
		.streams = streams,
		.views = plan->views->streams,
		.count = plan->stream_count,
		.worker = index,
		.worker_count = plan->count,
		.min_ttl = plan->min_ttl,
		.rules = plan->rules,
	};
	worker->arrivals = calloc(plan->count, sizeof(struct rte_ring *));
	worker->others = calloc(plan->count, sizeof(struct rte_ring *));
	if (stream_table_init(&worker->table) && worker->arrivals && worker->others)
		return worker;
	destroy(worker);
	return NULL;
}

static bool connect_workers(struct worker *from, struct worker *to)
{
	char name[32];
	snprintf(name, sizeof(name), "from%u_to%u", from->index, to->index);
	struct rte_ring *ring =
		rte_ring_create(name, HAND_OVER_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	from->others[to->index] = ring;
	to->arrivals[from->index] = ring;
	return ring;
}

static bool connect_all(struct worker **workers, unsigned count)
{
	for (unsigned from = 0; from < count; from++)
		for (unsigned to = 0; to < count; to++)
			if (from != to && !connect_workers(workers[from], workers[to]))
				return false;
	return true;
}

struct worker **worker_create_all(const struct worker_plan *plan)
{
	struct worker **workers = calloc(plan->count, sizeof(*workers));
	struct stream *streams = rte_zmalloc("streams", plan->stream_count * sizeof(*streams),
					     2 * RTE_CACHE_LINE_SIZE);
	if (!workers || !streams)
		goto fail;
	for (unsigned i = 0; i < plan->count; i++)
		if (!(workers[i] = create(plan, i, streams)))
			goto fail;
	if (connect_all(workers, plan->count))
		return workers;
fail:
	if (!workers || !workers[0])
		rte_free(streams);
	worker_destroy_all(workers, plan->count);
	return NULL;
}

void worker_destroy_all(struct worker **workers, unsigned count)
{
	if (!workers)
		return;
	if (workers[0])
		rte_free(workers[0]->table.streams); // one array for all
	for (unsigned i = 0; i < count; i++)
		destroy(workers[i]);
	free(workers);
}

static void count_verdict(struct worker *worker, enum verdict verdict, uint64_t amount)
{
	worker->view->verdicts[verdict] += amount;
}

static void drop(struct worker *worker, struct rte_mbuf *buffer, enum verdict verdict)
{
	count_verdict(worker, verdict, 1);
	worker->burst.dropped[worker->burst.dropped_count++] = buffer;
}

static void hand_over(struct worker *worker, struct rte_mbuf *buffer, unsigned owner)
{
	if (rte_ring_sp_enqueue(worker->others[owner], buffer) == 0)
		count_verdict(worker, VERDICT_HANDED_OVER, 1);
	else
		drop(worker, buffer, VERDICT_DROP_HAND_OVER_FULL);
}

static void punt(struct worker *worker, struct rte_mbuf *buffer)
{
	struct worker_burst *burst = &worker->burst;
	if (!worker->has_kernel)
		drop(worker, buffer, VERDICT_DROP_NO_KERNEL);
	else
		burst->kernel[burst->kernel_count++] = buffer;
}

// A driver that took the VLAN tag out of the frame has hidden that it is not for us.
static enum verdict parse(struct worker *worker, unsigned i)
{
	struct worker_burst *burst = &worker->burst;
	struct rte_mbuf *buffer = burst->buffers[i];
	if (buffer->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		return rte_vlan_insert(&burst->buffers[i]) == 0 ? VERDICT_PUNT
								: VERDICT_DROP_TRUNCATED;
	enum verdict verdict = packet_parse(rte_pktmbuf_mtod(buffer, const uint8_t *),
					    buffer->data_len, worker->rules, &burst->packets[i]);
	bool is_chained = buffer->nb_segs > 1 && verdict != VERDICT_PUNT;
	return is_chained ? VERDICT_DROP_CHAINED : verdict;
}

static void classify(struct worker *worker, unsigned i)
{
	struct worker_burst *burst = &worker->burst;
	enum verdict verdict = parse(worker, i);
	burst->is_media[i] = false;
	if (verdict == VERDICT_PUNT) {
		punt(worker, burst->buffers[i]);
		return;
	}
	if (verdict != VERDICT_FORWARDED) {
		drop(worker, burst->buffers[i], verdict);
		return;
	}
	uint32_t index = burst->packets[i].index;
	unsigned owner = worker->count == 1 ? 0 : shared_worker_of(worker->count, index);
	if (owner != worker->index) {
		hand_over(worker, burst->buffers[i], owner);
		return;
	}
	burst->is_media[i] = true;
	rte_prefetch0(&worker->table.streams[index]);
	rte_prefetch0(&worker->table.views[index]);
	rte_prefetch0((const char *)&worker->table.views[index] + 64);
}

// The payload stays where it is; new headers go in front of it, over the old ones.
static void readdress(struct worker *worker, struct rte_mbuf *buffer, const struct stream *stream,
		      const struct packet *packet)
{
	uint8_t *payload = rte_pktmbuf_mtod(buffer, uint8_t *) + packet->offset;
	size_t headers = rewrite_size(stream);
	transform_packet(stream, packet, payload);
	buffer->data_off = (uint16_t)(buffer->data_off + packet->offset - headers);
	buffer->data_len = (uint16_t)(headers + packet->size);
	buffer->pkt_len = buffer->data_len;
	buffer->ol_flags = 0;
	rewrite_headers(stream, worker->rules, payload, packet->size);
}

static void relay(struct worker *worker, unsigned i)
{
	struct worker_burst *burst = &worker->burst;
	struct rte_mbuf *buffer = burst->buffers[i];
	const struct packet *packet = &burst->packets[i];
	const uint8_t *frame = rte_pktmbuf_mtod(buffer, const uint8_t *);
	struct stream *stream = stream_find(&worker->table, packet);
	if (!stream) {
		drop(worker, buffer, VERDICT_DROP_NO_STREAM);
		return;
	}
	enum verdict verdict = stream_accept(&worker->table, stream, packet, frame);
	if (verdict != VERDICT_FORWARDED) {
		drop(worker, buffer, verdict);
		return;
	}
	stream_account(&worker->table, stream, packet, frame);
	if (stream->flags & STREAM_NO_NEXT_HOP) {
		stream_count_drop(&worker->table, stream, STREAM_DROP_NO_NEXT_HOP);
		drop(worker, buffer, VERDICT_DROP_NO_NEXT_HOP);
		return;
	}
	readdress(worker, buffer, stream, packet);
	burst->wire[burst->wire_count] = buffer;
	burst->wire_streams[burst->wire_count++] = stream;
}

// What a driver did not take is dropped at once: late media is worth less than none.
static void send_all(struct worker *worker)
{
	struct worker_burst *burst = &worker->burst;
	unsigned sent = 0;
	if (burst->wire_count > 0)
		sent = nic_send(worker->nic, NIC_WIRE, worker->index, burst->wire,
				burst->wire_count);
	count_verdict(worker, VERDICT_FORWARDED, sent);
	for (unsigned i = sent; i < burst->wire_count; i++) {
		stream_count_drop(&worker->table, burst->wire_streams[i], STREAM_DROP_TX);
		drop(worker, burst->wire[i], VERDICT_DROP_TX_FULL);
	}
	sent = 0;
	if (burst->kernel_count > 0)
		sent = nic_send(worker->nic, NIC_KERNEL, worker->index, burst->kernel,
				burst->kernel_count);
	count_verdict(worker, VERDICT_PUNT, sent);
	for (unsigned i = sent; i < burst->kernel_count; i++)
		drop(worker, burst->kernel[i], VERDICT_DROP_TX_FULL);
	if (burst->dropped_count > 0)
		rte_pktmbuf_free_bulk(burst->dropped, burst->dropped_count);
}

static void run_burst(struct worker *worker)
{
	struct worker_burst *burst = &worker->burst;
	burst->wire_count = burst->kernel_count = burst->dropped_count = 0;
	for (unsigned i = 0; i < PREFETCH_AHEAD && i < burst->count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(burst->buffers[i], const void *));
	for (unsigned i = 0; i < burst->count; i++) {
		if (i + PREFETCH_AHEAD < burst->count)
			rte_prefetch0(
				rte_pktmbuf_mtod(burst->buffers[i + PREFETCH_AHEAD], const void *));
		classify(worker, i);
	}
	for (unsigned i = 0; i < burst->count; i++)
		if (burst->is_media[i])
			relay(worker, i);
	send_all(worker);
}

static bool take_wire(struct worker *worker)
{
	worker->burst.count = nic_receive(worker->nic, NIC_WIRE, worker->index,
					  worker->burst.buffers, WORKER_BURST);
	if (worker->burst.count > 0)
		run_burst(worker);
	return worker->burst.count > 0;
}

static bool take_arrivals(struct worker *worker)
{
	bool is_any = false;
	for (unsigned from = 0; from < worker->count; from++) {
		if (from == worker->index)
			continue;
		worker->burst.count = rte_ring_sc_dequeue_burst(
			worker->arrivals[from], (void **)worker->burst.buffers, WORKER_BURST, NULL);
		if (worker->burst.count == 0)
			continue;
		worker->view->handed_over += worker->burst.count;
		run_burst(worker);
		is_any = true;
	}
	return is_any;
}

static bool take_kernel(struct worker *worker)
{
	struct worker_burst *burst = &worker->burst;
	if (!worker->has_kernel)
		return false;
	unsigned taken =
		nic_receive(worker->nic, NIC_KERNEL, worker->index, burst->buffers, WORKER_BURST);
	if (taken == 0)
		return false;
	unsigned sent = nic_send(worker->nic, NIC_WIRE, worker->index, burst->buffers, taken);
	count_verdict(worker, VERDICT_FROM_KERNEL, sent);
	if (sent < taken) {
		count_verdict(worker, VERDICT_DROP_TX_FULL, taken - sent);
		rte_pktmbuf_free_bulk(burst->buffers + sent, taken - sent);
	}
	return true;
}

static bool apply(struct worker *worker, const struct message *message)
{
	switch (message->kind) {
	case MESSAGE_STREAM_OPEN:
		return stream_open(&worker->table, message);
	case MESSAGE_STREAM_CLOSE:
		return stream_close(&worker->table, message);
	default:
		return false;
	}
}

static bool take_messages(struct worker *worker)
{
	struct message message;
	unsigned taken = 0;
	while (taken < MESSAGES_PER_TURN && mailbox_take(&worker->inbox, &message)) {
		taken++;
		if (!apply(worker, &message))
			worker->view->messages_stale++;
	}
	if (taken == 0)
		return false;
	worker->view->messages += taken;
	worker->view->streams_open = worker->table.open_count;
	return true;
}

// An event that finds the outbox full waits in its stream until there is room.
static void tell_events(struct worker *worker)
{
	struct message message;
	while (stream_next_event(&worker->table, &message)) {
		if (!mailbox_put(&worker->outbox, &message)) {
			worker->view->outbox_full += !worker->is_outbox_full;
			worker->is_outbox_full = true;
			return;
		}
		worker->is_outbox_full = false;
		stream_event_told(&worker->table);
	}
}

// The TSC drifts against CLOCK_MONOTONIC, so the two are set side by side again every second.
static void set_anchor(struct worker *worker, uint64_t tsc)
{
	worker->anchor_tsc = tsc;
	worker->anchor_ns = clock_monotonic_ns();
}

static uint64_t update_clock(struct worker *worker)
{
	uint64_t tsc = rte_rdtsc();
	if (tsc - worker->anchor_tsc > worker->tsc_hz)
		set_anchor(worker, tsc);
	worker->table.now_ns = worker->anchor_ns +
			       (uint64_t)((double)(tsc - worker->anchor_tsc) * worker->ns_per_tsc);
	return tsc;
}

static bool run_turn(struct worker *worker)
{
	bool has_messages = take_messages(worker);
	bool has_wire = take_wire(worker);
	bool has_arrivals = take_arrivals(worker);
	bool has_kernel = take_kernel(worker);
	tell_events(worker);
	worker->view->polls++;
	worker->view->idle_polls += !has_wire;
	return has_messages || has_wire || has_arrivals || has_kernel;
}

// Adaptive polling: the longer nothing came, the longer the pause, up to a fifth of a millisecond,
// which a packet every 20 ms does not notice and the port's ring bridges at any rate.
static void rest(unsigned idle_turns)
{
	if (idle_turns < REST_AFTER_TURNS) {
		rte_pause();
		return;
	}
	unsigned turns = idle_turns - REST_AFTER_TURNS;
	long pause_ns = turns < REST_STEPS ? REST_STEP_NS * (long)(turns + 1) : REST_MAX_NS;
	struct timespec pause = { 0, pause_ns };
	nanosleep(&pause, NULL);
}

int worker_run(void *argument)
{
	struct worker *worker = argument;
	(void)prctl(PR_SET_TIMERSLACK, 1000); // or every pause is 50 microseconds longer
	worker->view->lcore = (uint32_t)sched_getcpu();
	worker->tsc_hz = rte_get_tsc_hz();
	worker->ns_per_tsc = 1e9 / (double)worker->tsc_hz;
	set_anchor(worker, rte_rdtsc());
	uint64_t began = update_clock(worker);
	while (!atomic_load_explicit(worker->stop, memory_order_relaxed)) {
		bool is_busy = run_turn(worker);
		worker->idle_turns = is_busy ? 0 : worker->idle_turns + 1;
		uint64_t ended = update_clock(worker);
		worker->view->cycles += ended - began;
		if (is_busy)
			worker->view->busy_cycles += ended - began;
		began = ended;
		if (is_busy || worker->polls_busy)
			continue;
		rest(worker->idle_turns);
		(void)update_clock(worker); // the next burst has come by now
	}
	return 0;
}
