// The way of media between two legs, as transform.h's table has it: unprotect, judge, account, number
// anew, protect, readdress. Packets of one stream keep their order.
// Runs on: worker. Never waits for the engine, never believes a packet before its tag was right.

#include "dataplane/relay.h"

#include <rte_mbuf.h>

#include "dataplane/dtmf/digit.h"
#include "dataplane/rewrite.h"
#include "dataplane/stream/accept.h"
#include "dataplane/transform.h"
#include "dataplane/worker.h"

void relay_init(struct relay *relay)
{
	for (uint16_t i = 0; i < CRYPTO_JOBS_MAX; i++)
		relay->free[i] = (uint16_t)(CRYPTO_JOBS_MAX - 1 - i);
	relay->free_count = CRYPTO_JOBS_MAX;
}

static bool is_engine_busy(const struct worker *worker)
{
	return worker->relay.free_count < CRYPTO_JOBS_MAX;
}

bool relay_has_work(const struct worker *worker)
{
	return is_engine_busy(worker) || speaker_is_due(&worker->table);
}

static void give_task(struct relay *relay, const struct relay_task *task)
{
	relay->free[relay->free_count++] = (uint16_t)(task - relay->tasks);
}

static uint32_t index_of(const struct worker *worker, const struct stream *stream)
{
	return (uint32_t)(stream - worker->table.streams);
}

// The payload stays where it is; new headers go in front of it, over the old ones.
static void leave(struct worker *worker, struct stream *stream, struct rte_mbuf *buffer,
		  const struct packet *packet)
{
	struct burst *burst = &worker->burst;
	uint8_t *payload = rte_pktmbuf_mtod(buffer, uint8_t *) + packet->offset;
	size_t headers = rewrite_size(stream);
	buffer->data_off = (uint16_t)(buffer->data_off + packet->offset - headers);
	buffer->data_len = (uint16_t)(headers + packet->size);
	buffer->pkt_len = buffer->data_len;
	buffer->ol_flags = 0;
	rewrite_headers(stream, worker->rules, payload, packet->size);
	if (packet->kind == PACKET_RTCP)
		report_note_relayed(&worker->table, stream);
	if (packet->kind != PACKET_REPORT && packet->kind != PACKET_EVENT) {
		burst->wire[burst->wire_count] = buffer;
		burst->wire_streams[burst->wire_count++] = stream;
	} else if (burst->own_count < BURST_OWN_MAX) {
		burst->own_verdicts[burst->own_count] =
			packet->kind == PACKET_EVENT ? VERDICT_EVENT : VERDICT_REPORT;
		burst->own[burst->own_count++] = buffer;
	} else {
		burst_drop(worker, buffer, VERDICT_DROP_TX_FULL);
	}
}

// NULL: none left. The engine is behind, so what is new is dropped and nothing queues up.
static struct relay_task *take_task(struct relay *relay, struct rte_mbuf *buffer,
				    const struct packet *packet)
{
	if (relay->free_count == 0)
		return NULL;
	struct relay_task *task = &relay->tasks[relay->free[--relay->free_count]];
	task->buffer = buffer;
	task->packet = *packet;
	return task;
}

// Where the datagram ends in its frame, and the frame in its buffer, there is room for what SRTP adds.
static bool has_room(const struct rte_mbuf *buffer, const struct packet *packet)
{
	return buffer->data_off + packet->offset + packet->size + CRYPTO_ROOM <= buffer->buf_len;
}

static void enqueue(struct worker *worker, struct relay_task *task, const struct stream *stream,
		    enum key_way way)
{
	struct relay *relay = &worker->relay;
	struct crypto_job *job = &task->job;
	const struct packet *packet = &task->packet;
	job->media = rte_pktmbuf_mtod(task->buffer, uint8_t *) + packet->offset;
	job->size = packet->size;
	job->is_rtcp = packet->kind == PACKET_RTCP || packet->kind == PACKET_REPORT;
	job->clear_size = job->is_rtcp ? PACKET_RTCP_CLEAR_SIZE
				       : (uint16_t)(packet->media_offset - packet->offset);
	job->way = (uint8_t)way;
	job->stream = (struct stream_id){ index_of(worker, stream), stream->generation };
	job->now_ns = worker->table.now_ns;
	job->owner = task;
	task->goes_on = true;
	relay->waiting[relay->waiting_count++] = job;
}

// A new job, of the task that holds the packet already or of another. The packet stays the caller's if
// there can be none: its verdict says why.
static enum verdict start_job(struct worker *worker, const struct stream *stream,
			      struct rte_mbuf *buffer, const struct packet *packet,
			      enum key_way way, struct relay_task *task)
{
	if (!worker->crypto) {
		stream_count_drop(&worker->table, stream, STREAM_DROP_AUTHENTICATION);
		return VERDICT_DROP_AUTHENTICATION;
	}
	if (!has_room(buffer, packet))
		return VERDICT_DROP_CRYPTO_FULL;
	if (!task)
		task = take_task(&worker->relay, buffer, packet);
	if (!task)
		return VERDICT_DROP_CRYPTO_FULL;
	enqueue(worker, task, stream, way);
	return VERDICT_FORWARDED;
}

// The second half of the way, of a packet in the clear. `task` holds it if it came out of the engine.
static enum verdict forward(struct worker *worker, struct stream *stream, struct rte_mbuf *buffer,
			    const struct packet *packet, struct relay_task *task)
{
	if (stream->flags & STREAM_NO_NEXT_HOP) {
		stream_count_drop(&worker->table, stream, STREAM_DROP_NO_NEXT_HOP);
		return VERDICT_DROP_NO_NEXT_HOP;
	}
	uint8_t *media = rte_pktmbuf_mtod(buffer, uint8_t *) + packet->offset;
	bool is_woven = packet->kind == PACKET_RTP && stream->figures.is_woven;
	if (is_woven && !speaker_weave(&worker->table, stream, packet, media))
		return VERDICT_DROP_REPLACED;
	if (!transform_renumber(stream, packet, media))
		return VERDICT_DROP_HEARD;
	if (transform_steps(stream->flags) & TRANSFORM_PROTECT)
		return start_job(worker, stream, buffer, packet, KEY_LEAVES, task);
	leave(worker, stream, buffer, packet);
	return VERDICT_FORWARDED;
}

static struct rte_mbuf *take_own(struct worker *worker)
{
	struct burst *burst = &worker->burst;
	struct rte_mbuf *buffer =
		burst->begun_count < BURST_OWN_MAX ? nic_take_buffer(worker->nic) : NULL;
	burst->begun_count += buffer != NULL;
	return buffer;
}

// RTCP of our own, for a leg whose other side sends none. Without a buffer the next packet tries again.
static void send_report(struct worker *worker, struct stream *rtp)
{
	struct stream *rtcp = NULL;
	struct rte_mbuf *buffer = take_own(worker);
	if (!buffer)
		return;
	size_t size = report_write(&worker->table, rtp, &rtcp, rte_pktmbuf_mtod(buffer, uint8_t *));
	const struct packet packet = { .kind = PACKET_REPORT, .size = (uint16_t)size };
	if (size == 0 || forward(worker, rtcp, buffer, &packet, NULL) != VERDICT_FORWARDED)
		rte_pktmbuf_free(buffer);
}

static enum verdict forward_accepted(struct worker *worker, struct stream *stream,
				     struct rte_mbuf *buffer, const struct packet *packet,
				     struct relay_task *task)
{
	stream_account(&worker->table, stream, packet, rte_pktmbuf_mtod(buffer, const uint8_t *));
	bool is_time = (int32_t)(worker->relay.now_ms - stream->report_due_ms) >= 0;
	if (is_time && packet->kind == PACKET_RTP && report_is_due(&worker->table, stream))
		send_report(worker, stream);
	return forward(worker, stream, buffer, packet, task);
}

// A telephone event of our own. A number that does not leave is a lost packet to its receiver.
static bool send_event(void *context, struct stream *stream)
{
	struct worker *worker = context;
	struct rte_mbuf *buffer = take_own(worker);
	if (!buffer)
		return false;
	speaker_write(&worker->table, stream, rte_pktmbuf_mtod(buffer, uint8_t *));
	const struct packet packet = { .kind = PACKET_EVENT,
				       .size = SPEAKER_PACKET_SIZE,
				       .media_offset = PACKET_RTP_SIZE,
				       .media_size = DIGIT_SIZE };
	enum verdict verdict = forward(worker, stream, buffer, &packet, NULL);
	if (verdict != VERDICT_FORWARDED)
		burst_drop(worker, buffer, verdict);
	return true;
}

static enum verdict begin(struct worker *worker, unsigned i)
{
	struct rte_mbuf *buffer = worker->burst.buffers[i];
	struct packet *packet = &worker->burst.packets[i];
	const uint8_t *frame = rte_pktmbuf_mtod(buffer, const uint8_t *);
	struct stream *stream = stream_find(&worker->table, packet);
	if (!stream)
		return VERDICT_DROP_NO_STREAM;
	bool is_sealed = transform_steps(stream->flags) & TRANSFORM_UNPROTECT;
	enum verdict verdict = is_sealed ? accept_sealed(&worker->table, stream, packet, frame)
					 : accept_plain(&worker->table, stream, packet, frame);
	if (verdict != VERDICT_FORWARDED)
		return verdict;
	return is_sealed ? start_job(worker, stream, buffer, packet, KEY_ARRIVES, NULL)
			 : forward_accepted(worker, stream, buffer, packet, NULL);
}

// The stream whose packet this is still: it may have been closed, and its slot opened again.
static struct stream *stream_of(const struct worker *worker, const struct crypto_job *job)
{
	struct stream *stream = &worker->table.streams[job->stream.index];
	bool is_same = stream->is_open && stream->generation == job->stream.generation;
	return is_same ? stream : NULL;
}

static void count_failure(struct worker *worker, struct stream *stream,
			  const struct relay_task *task)
{
	struct stream_table *table = &worker->table;
	const struct crypto_job *job = &task->job;
	switch (job->verdict) {
	case VERDICT_DROP_AUTHENTICATION:
		stream_count_drop(table, stream, STREAM_DROP_AUTHENTICATION);
		break;
	case VERDICT_DROP_REPLAY:
		stream_count_drop(table, stream, STREAM_DROP_REPLAY);
		return;
	default:
		stream_count_drop(table, stream, STREAM_DROP_MALFORMED);
		return;
	}
	// Before the key is there nothing is said of who sends.
	if (job->way != KEY_ARRIVES || !crypto_has_key(worker->crypto, job->stream, KEY_ARRIVES))
		return;
	struct address source =
		packet_source(&task->packet, rte_pktmbuf_mtod(task->buffer, const uint8_t *));
	stream_tell_refusal(table, stream, MESSAGE_STREAM_UNAUTHENTIC, &source);
}

// Out of the engine and in the clear: the tag was right, now the rest is believed or not.
static enum verdict finish_arrival(struct worker *worker, struct stream *stream,
				   struct relay_task *task)
{
	struct packet *packet = &task->packet;
	const uint32_t rollover = task->job.rollover; // the job may be the other way's soon
	const uint16_t sequence = task->job.sequence;
	const uint8_t *frame = rte_pktmbuf_mtod(task->buffer, const uint8_t *);
	packet->media_size = (uint16_t)(packet->size - task->job.clear_size);
	enum verdict verdict = accept_opened(&worker->table, stream, packet, frame);
	if (verdict != VERDICT_FORWARDED)
		return verdict;
	verdict = forward_accepted(worker, stream, task->buffer, packet, task);
	stream_note_index(&worker->table, stream, KEY_ARRIVES, rollover, sequence);
	return verdict;
}

static enum verdict finish(struct worker *worker, struct relay_task *task)
{
	struct crypto_job *job = &task->job;
	struct stream *stream = stream_of(worker, job);
	if (!stream)
		return VERDICT_DROP_NO_STREAM;
	if (job->verdict != VERDICT_FORWARDED) {
		count_failure(worker, stream, task);
		return job->verdict;
	}
	task->packet.size = job->size;
	if (job->way == KEY_ARRIVES)
		return finish_arrival(worker, stream, task);
	stream_note_index(&worker->table, stream, KEY_LEAVES, job->rollover, job->sequence);
	leave(worker, stream, task->buffer, &task->packet);
	return VERDICT_FORWARDED;
}

static void submit(struct worker *worker)
{
	struct relay *relay = &worker->relay;
	unsigned taken = crypto_submit(worker->crypto, relay->waiting, relay->waiting_count);
	for (unsigned i = taken; i < relay->waiting_count; i++) {
		struct relay_task *task = relay->waiting[i]->owner;
		burst_drop(worker, task->buffer, VERDICT_DROP_CRYPTO_FULL);
		give_task(relay, task);
	}
	relay->waiting_count = 0;
}

// What was opened may have to be sealed again, so it goes on until nothing waits: two rounds at most.
static void run_engine(struct worker *worker)
{
	struct relay *relay = &worker->relay;
	do {
		submit(worker);
		unsigned count = crypto_collect(worker->crypto, relay->done, CRYPTO_JOBS_MAX);
		for (unsigned i = 0; i < count; i++) {
			struct relay_task *task = relay->done[i]->owner;
			task->goes_on = false;
			enum verdict verdict = finish(worker, task);
			if (verdict != VERDICT_FORWARDED)
				burst_drop(worker, task->buffer, verdict);
			if (!task->goes_on)
				give_task(relay, task);
		}
	} while (relay->waiting_count > 0);
}

void relay_burst(struct worker *worker)
{
	struct burst *burst = &worker->burst;
	worker->relay.now_ms = (uint32_t)(worker->table.now_ns / 1000000);
	for (unsigned i = 0; i < burst->count; i++) {
		if (!burst->is_media[i])
			continue;
		enum verdict verdict = begin(worker, i);
		if (verdict != VERDICT_FORWARDED)
			burst_drop(worker, burst->buffers[i], verdict);
	}
	if (speaker_is_due(&worker->table))
		speaker_run(&worker->table, send_event, worker);
	if (is_engine_busy(worker))
		run_engine(worker);
}
