// A burst's beginning and end: what a packet is and whose, and sending what is to leave.
// Runs on: worker. Never waits for a port that takes no more.

#include "dataplane/burst.h"

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_ring.h>

#include "dataplane/nic/nic.h"
#include "dataplane/shared.h"
#include "dataplane/worker.h"

#define PREFETCH_AHEAD 4

static void count_verdict(struct worker *worker, enum verdict verdict, uint64_t amount)
{
	worker->view->verdicts[verdict] += amount;
}

void burst_drop(struct worker *worker, struct rte_mbuf *buffer, enum verdict verdict)
{
	count_verdict(worker, verdict, 1);
	worker->burst.dropped[worker->burst.dropped_count++] = buffer;
}

static void hand_over(struct worker *worker, struct rte_mbuf *buffer, unsigned owner)
{
	if (rte_ring_sp_enqueue(worker->others[owner], buffer) == 0)
		count_verdict(worker, VERDICT_HANDED_OVER, 1);
	else
		burst_drop(worker, buffer, VERDICT_DROP_HAND_OVER_FULL);
}

static void punt(struct worker *worker, struct rte_mbuf *buffer)
{
	struct burst *burst = &worker->burst;
	if (!worker->has_kernel)
		burst_drop(worker, buffer, VERDICT_DROP_NO_KERNEL);
	else
		burst->kernel[burst->kernel_count++] = buffer;
}

// A driver that took the VLAN tag out of the frame has hidden that it is not for us.
static enum verdict parse(struct worker *worker, unsigned i)
{
	struct burst *burst = &worker->burst;
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
	struct burst *burst = &worker->burst;
	enum verdict verdict = parse(worker, i);
	burst->is_media[i] = false;
	if (verdict == VERDICT_PUNT) {
		punt(worker, burst->buffers[i]);
		return;
	}
	if (verdict != VERDICT_FORWARDED) {
		burst_drop(worker, burst->buffers[i], verdict);
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

void burst_begin(struct worker *worker)
{
	struct burst *burst = &worker->burst;
	burst->wire_count = burst->kernel_count = burst->own_count = burst->begun_count =
		burst->dropped_count = 0;
	for (unsigned i = 0; i < PREFETCH_AHEAD && i < burst->count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(burst->buffers[i], const void *));
	for (unsigned i = 0; i < burst->count; i++) {
		if (i + PREFETCH_AHEAD < burst->count)
			rte_prefetch0(
				rte_pktmbuf_mtod(burst->buffers[i + PREFETCH_AHEAD], const void *));
		classify(worker, i);
	}
}

static unsigned send_some(struct worker *worker, enum nic_side side, struct rte_mbuf **buffers,
			  unsigned count)
{
	return count > 0 ? nic_send(worker->nic, side, worker->index, buffers, count) : 0;
}

// What a driver did not take is dropped at once: late media is worth less than none.
void burst_end(struct worker *worker)
{
	struct burst *burst = &worker->burst;
	unsigned sent = send_some(worker, NIC_WIRE, burst->wire, burst->wire_count);
	count_verdict(worker, VERDICT_FORWARDED, sent);
	for (unsigned i = sent; i < burst->wire_count; i++) {
		stream_count_drop(&worker->table, burst->wire_streams[i], STREAM_DROP_TX);
		burst_drop(worker, burst->wire[i], VERDICT_DROP_TX_FULL);
	}
	sent = send_some(worker, NIC_WIRE, burst->own, burst->own_count);
	for (unsigned i = 0; i < burst->own_count; i++)
		if (i < sent)
			count_verdict(worker, burst->own_verdicts[i], 1);
		else
			burst_drop(worker, burst->own[i], VERDICT_DROP_TX_FULL);
	sent = send_some(worker, NIC_KERNEL, burst->kernel, burst->kernel_count);
	count_verdict(worker, VERDICT_PUNT, sent);
	for (unsigned i = sent; i < burst->kernel_count; i++)
		burst_drop(worker, burst->kernel[i], VERDICT_DROP_TX_FULL);
	if (burst->dropped_count > 0)
		rte_pktmbuf_free_bulk(burst->dropped, burst->dropped_count);
}
