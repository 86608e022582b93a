// What the worker's way is held against, on its core and with as many streams: the bare operation of
// intel-ipsec-mb, libsrtp2, the door to SRTP by itself, and single stages of the plain way.
// Runs on: the worker's core, while its port brings nothing.

#include "srtpcost.h"

#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <srtp2/srtp.h>

#include "dataplane/crypto/crypto.h"
#include "dataplane/rewrite.h"
#include "dataplane/stream/accept.h"
#include "dataplane/transform.h"
#include "dataplane/worker.h"

#define HEADER_SIZE 12
#define RTP_SIZE 172

typedef bool (*batch_fn)(struct cost *cost, unsigned which);

// Batches until the slice is over, the first ones unmeasured.
static void run_batches(struct cost *cost, batch_fn run, unsigned which)
{
	const uint64_t warm_up = cost->warm_up_packets;
	cost->clock.cycles = 0;
	cost->clock.is_running = false;
	for (uint64_t packets = 0; rte_rdtsc() < cost->end_tsc || cost->clock.count == 0;
	     packets += COST_BATCH) {
		if (!run(cost, which))
			return;
		if (packets >= warm_up)
			cost_clock_sample(&cost->clock, COST_BATCH);
		cost->clock.cycles = 0;
	}
}

static bool run_bare(struct cost *cost, unsigned way)
{
	const bool protects[2] = { way == KEY_ARRIVES, way == KEY_ARRIVES };
	if (!cost_prepare(cost, protects))
		return false;
	// The same keys in other memory: those that prepared are in the caches.
	for (unsigned i = 0; i < COST_BATCH; i++)
		cost->packets[i].key = &cost->bare[cost->batch_streams[i]];
	protector_use_jobs(cost->protector, cost->has_jobs);
	cost_clock_begin(&cost->clock);
	for (unsigned i = 0; i < COST_BATCH; i += COST_BURST)
		if (way == KEY_ARRIVES)
			protector_unprotect(cost->protector, cost->packets + i, COST_BURST);
		else
			protector_protect(cost->protector, cost->packets + i, COST_BURST);
	cost_clock_end(&cost->clock);
	protector_use_jobs(cost->protector, false);
	for (unsigned i = 0; i < COST_BATCH && way == KEY_ARRIVES; i++) {
		cost->verified++;
		cost->wrong += !cost->packets[i].is_authentic;
	}
	cost_give_back(cost);
	return true;
}

void cost_task_bare(struct cost *cost, unsigned way)
{
	cost->has_jobs = false;
	run_batches(cost, run_bare, way);
}

void cost_task_jobs(struct cost *cost, unsigned way)
{
	cost->has_jobs = true;
	run_batches(cost, run_bare, way);
}

static srtp_t create_context(const struct cost *cost, unsigned stream, bool is_inbound)
{
	srtp_policy_t policy = { 0 };
	srtp_t context;
	switch (cost->suite) {
	case SUITE_AES_CM_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
		break;
	case SUITE_AES_GCM_128:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		break;
	case SUITE_AES_GCM_256:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
		break;
	default:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	}
	policy.rtcp = policy.rtp;
	policy.ssrc.type = is_inbound ? ssrc_any_inbound : ssrc_any_outbound;
	policy.key = cost->masters[stream][KEY_ARRIVES];
	policy.window_size = 128;
	return srtp_create(&context, &policy) == srtp_err_status_ok ? context : NULL;
}

static void destroy_library(struct cost *cost)
{
	for (unsigned i = 0; cost->library_leaves && i < COST_LIBRARY_STREAMS; i++) {
		if (cost->library_leaves[i])
			(void)srtp_dealloc(cost->library_leaves[i]);
		if (cost->library_arrives[i])
			(void)srtp_dealloc(cost->library_arrives[i]);
	}
	free(cost->library_leaves);
	free(cost->library_arrives);
	cost->library_leaves = cost->library_arrives = NULL;
}

static bool create_library(struct cost *cost)
{
	cost->library_leaves = calloc(COST_LIBRARY_STREAMS, sizeof(srtp_t));
	cost->library_arrives = calloc(COST_LIBRARY_STREAMS, sizeof(srtp_t));
	if (!cost->library_leaves || !cost->library_arrives)
		return false;
	for (unsigned i = 0; i < COST_LIBRARY_STREAMS; i++) {
		cost->library_leaves[i] = create_context(cost, i, false);
		cost->library_arrives[i] = create_context(cost, i, true);
		if (!cost->library_leaves[i] || !cost->library_arrives[i])
			return false;
	}
	return true;
}

// One packet through each of its contexts; the clock runs for the way that is asked for.
static bool run_library_packet(struct cost *cost, unsigned stream, uint8_t *media, unsigned way)
{
	int size = RTP_SIZE;
	if (way == KEY_LEAVES)
		cost_clock_begin(&cost->clock);
	srtp_err_status_t status = srtp_protect(cost->library_leaves[stream], media, &size);
	if (way == KEY_LEAVES)
		cost_clock_end(&cost->clock);
	else
		cost_clock_begin(&cost->clock);
	if (status == srtp_err_status_ok && way == KEY_ARRIVES)
		status = srtp_unprotect(cost->library_arrives[stream], media, &size);
	cost_clock_end(&cost->clock);
	return status == srtp_err_status_ok;
}

static bool run_library(struct cost *cost, unsigned way)
{
	const bool plain[2] = { false, false };
	if (!cost_prepare(cost, plain))
		return false;
	bool is_good = true;
	for (unsigned i = 0; i < COST_BATCH && is_good; i++)
		is_good = run_library_packet(cost, cost->batch_streams[i], cost->packets[i].media,
					     way);
	cost->wrong += !is_good;
	cost_give_back(cost);
	return is_good;
}

void cost_task_library(struct cost *cost, unsigned way)
{
	unsigned streams = cost->streams;
	cost->streams = streams < COST_LIBRARY_STREAMS ? streams : COST_LIBRARY_STREAMS;
	cost->next_stream %= cost->streams;
	cost->warm_up_packets = 4 * cost->streams; // it is slow
	if (create_library(cost))
		run_batches(cost, run_library, way);
	destroy_library(cost);
	cost->streams = streams;
}

bool cost_check_library(struct cost *cost)
{
	_Alignas(4) uint8_t ours[256], theirs[256];
	(void)srtp_init(); // refuses the second time, where the dataplane's engine is libsrtp2 too
	bool is_good = create_library(cost);
	for (unsigned i = 0; i < COST_LIBRARY_STREAMS && is_good; i++) {
		struct protector_packet packet = { &cost->arrives[i], ours, RTP_SIZE, 0, false };
		int size = RTP_SIZE;
		memset(ours, (int)(i + 1), sizeof(ours));
		memcpy(ours, "\x80\0\0\x01\0\0\0\0SSRC", HEADER_SIZE);
		memcpy(theirs, ours, sizeof(ours));
		srtp_err_status_t status = srtp_protect(cost->library_leaves[i], theirs, &size);
		protector_protect(cost->protector, &packet, 1);
		is_good = status == srtp_err_status_ok && size == packet.size &&
			  memcmp(ours, theirs, (size_t)size) == 0;
		protector_unprotect(cost->protector, &packet, 1);
		is_good = is_good && packet.is_authentic && packet.size == RTP_SIZE &&
			  ours[HEADER_SIZE] == (uint8_t)(i + 1);
	}
	destroy_library(cost); // the measured ones begin afresh
	return is_good;
}

static void fill_job(struct cost *cost, unsigned i, unsigned way)
{
	cost->jobs[i].media = cost->packets[i].media;
	cost->jobs[i].size = cost->packets[i].size;
	cost->jobs[i].clear_size = HEADER_SIZE;
	cost->jobs[i].way = (uint8_t)way;
	cost->jobs[i].stream =
		(struct stream_id){ cost_index(cost->batch_streams[i]), cost->generation };
	cost->jobs[i].now_ns = cost->workers[0]->table.now_ns;
}

static bool run_door(struct cost *cost, unsigned way)
{
	struct crypto_worker *door = cost->workers[0]->crypto;
	struct crypto_job *waiting[COST_BURST], *done[COST_BURST];
	const bool protects[2] = { way == KEY_ARRIVES, way == KEY_ARRIVES };
	if (!cost_prepare(cost, protects))
		return false;
	for (unsigned i = 0; i < COST_BATCH; i++)
		fill_job(cost, i, way);
	for (unsigned i = 0; i < COST_BATCH; i += COST_BURST) {
		for (unsigned k = 0; k < COST_BURST; k++)
			waiting[k] = &cost->jobs[i + k];
		cost_clock_begin(&cost->clock);
		unsigned taken = crypto_submit(door, waiting, COST_BURST);
		for (unsigned count = 0; count < taken;)
			count += crypto_collect(door, done, COST_BURST);
		cost_clock_end(&cost->clock);
		for (unsigned k = 0; k < taken; k++)
			cost->wrong += waiting[k]->verdict != VERDICT_FORWARDED;
		cost->verified += taken;
	}
	cost_give_back(cost);
	return true;
}

void cost_task_door(struct cost *cost, unsigned way)
{
	run_batches(cost, run_door, way);
}

static void run_stage(struct cost *cost, unsigned first, struct packet *packets, unsigned stage)
{
	struct stream_table *table = &cost->workers[0]->table;
	for (unsigned i = 0; i < COST_BURST; i++) {
		struct rte_mbuf *buffer = cost->batch[first + i];
		uint8_t *frame = rte_pktmbuf_mtod(buffer, uint8_t *);
		struct packet *packet = &packets[i];
		struct stream *stream = &table->streams[packet->index];
		switch (stage) {
		case COST_PARSE:
			cost->wrong += packet_parse(frame, buffer->data_len, &cost->rules,
						    packet) != VERDICT_FORWARDED;
			break;
		case COST_ACCEPT:
			cost->wrong += accept_plain(table, stream_find(table, packet), packet,
						    frame) != VERDICT_FORWARDED;
			break;
		case COST_ACCOUNT:
			stream_account(table, stream, packet, frame);
			break;
		default:
			transform_renumber(stream, packet, frame + packet->offset);
			rewrite_headers(stream, &cost->rules, frame + packet->offset, packet->size);
		}
	}
}

static bool run_stages(struct cost *cost, unsigned measured)
{
	struct packet packets[COST_BURST] = { 0 };
	const bool plain[2] = { false, false };
	if (!cost_prepare(cost, plain))
		return false;
	for (unsigned i = 0; i < COST_BATCH; i += COST_BURST)
		for (unsigned stage = COST_PARSE; stage <= COST_REWRITE; stage++) {
			if (stage == measured)
				cost_clock_begin(&cost->clock);
			run_stage(cost, i, packets, stage);
			cost_clock_end(&cost->clock);
		}
	cost_give_back(cost);
	return true;
}

void cost_task_stage(struct cost *cost, unsigned stage)
{
	run_batches(cost, run_stages, stage);
}
