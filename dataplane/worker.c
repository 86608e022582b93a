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
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include "base/clock.h"
#include "base/secret.h"
#include "dataplane/shared.h"

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
	rte_free(worker);
}

static struct worker *create(const struct worker_plan *plan, unsigned index, struct stream *streams,
			     struct dtmf_slot *slots)
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
		.dtmf = &worker->dtmf,
	};
	dtmf_init(&worker->dtmf, slots, worker->view);
	worker->crypto = plan->crypto ? crypto_of_worker(plan->crypto, index) : NULL;
	relay_init(&worker->relay);
	worker->arrivals = calloc(plan->count, sizeof(struct rte_ring *));
	worker->others = calloc(plan->count, sizeof(struct rte_ring *));
	if (worker->arrivals && worker->others)
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
	struct dtmf_slot *slots = rte_zmalloc(
		"dtmf", dtmf_slot_count(plan->stream_count) * sizeof(*slots), RTE_CACHE_LINE_SIZE);
	if (!workers || !streams || !slots)
		goto fail;
	for (unsigned i = 0; i < plan->count; i++)
		if (!(workers[i] = create(plan, i, streams, slots)))
			goto fail;
	if (connect_all(workers, plan->count))
		return workers;
fail:
	if (!workers || !workers[0]) {
		rte_free(streams);
		rte_free(slots);
	}
	worker_destroy_all(workers, plan->count);
	return NULL;
}

void worker_destroy_all(struct worker **workers, unsigned count)
{
	if (!workers)
		return;
	if (workers[0]) { // one array of each for all
		rte_free(workers[0]->table.streams);
		rte_free(workers[0]->dtmf.slots);
	}
	for (unsigned i = 0; i < count; i++)
		destroy(workers[i]);
	free(workers);
}

static void run_burst(struct worker *worker)
{
	burst_begin(worker);
	relay_burst(worker);
	burst_end(worker);
}

static bool take_wire(struct worker *worker)
{
	worker->burst.count = nic_receive(worker->nic, NIC_WIRE, worker->index,
					  worker->burst.buffers, BURST_SIZE);
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
			worker->arrivals[from], (void **)worker->burst.buffers, BURST_SIZE, NULL);
		if (worker->burst.count == 0)
			continue;
		worker->view->handed_over += worker->burst.count;
		run_burst(worker);
		is_any = true;
	}
	return is_any;
}

// What the engine could not do in the turn it was given it, and digits of ours; before new packets of
// the same streams.
static bool take_engine(struct worker *worker)
{
	if (!relay_has_work(worker))
		return false;
	worker->burst.count = 0;
	run_burst(worker);
	return true;
}

static bool take_kernel(struct worker *worker)
{
	struct burst *burst = &worker->burst;
	if (!worker->has_kernel)
		return false;
	unsigned taken =
		nic_receive(worker->nic, NIC_KERNEL, worker->index, burst->buffers, BURST_SIZE);
	if (taken == 0)
		return false;
	unsigned sent = nic_send(worker->nic, NIC_WIRE, worker->index, burst->buffers, taken);
	worker->view->verdicts[VERDICT_FROM_KERNEL] += sent;
	if (sent < taken) {
		worker->view->verdicts[VERDICT_DROP_TX_FULL] += taken - sent;
		rte_pktmbuf_free_bulk(burst->buffers + sent, taken - sent);
	}
	return true;
}

// Its keys go with it, also those of a stream that was never opened.
static bool close_stream(struct worker *worker, const struct message *message)
{
	const struct stream_id id = message->stream;
	bool is_closed = stream_close(&worker->table, message);
	bool is_forgotten = worker->crypto &&
			    (is_closed || stream_takes_key(&worker->table, message)) &&
			    (crypto_has_key(worker->crypto, id, KEY_ARRIVES) ||
			     crypto_has_key(worker->crypto, id, KEY_LEAVES));
	if (is_forgotten)
		crypto_forget(worker->crypto, id.index);
	return is_closed || is_forgotten;
}

static bool apply(struct worker *worker, const struct message *message)
{
	bool takes_key = worker->crypto && stream_takes_key(&worker->table, message);
	switch (message->kind) {
	case MESSAGE_STREAM_OPEN:
		return stream_open(&worker->table, message);
	case MESSAGE_STREAM_CLOSE:
		return close_stream(worker, message);
	case MESSAGE_STREAM_KEY:
		return takes_key && crypto_set_key(worker->crypto, message, worker->table.now_ns);
	case MESSAGE_STREAM_ROLLOVER:
		return takes_key && crypto_set_rollover(worker->crypto, message);
	case MESSAGE_STREAM_DIGITS:
		return speaker_take(&worker->table, message);
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
	secret_wipe(&message, sizeof(message)); // it may have been a key
	worker->view->messages += taken;
	worker->view->streams_open = worker->table.open_count;
	return true;
}

// An event that finds the outbox full waits in its stream until there is room.
static void tell_events(struct worker *worker)
{
	struct message message;
	while (stream_next_event(&worker->table, &message)) {
		bool is_put = mailbox_put(&worker->outbox, &message);
		if (message_is_secret(&message))
			secret_wipe(&message, sizeof(message));
		if (!is_put) {
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
	bool has_engine = take_engine(worker);
	bool has_wire = take_wire(worker);
	bool has_arrivals = take_arrivals(worker);
	bool has_kernel = take_kernel(worker);
	listener_tick(&worker->table);
	tell_events(worker);
	worker->view->polls++;
	worker->view->idle_polls += !has_wire;
	return has_messages || has_engine || has_wire || has_arrivals || has_kernel;
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
