// srtpcost: cycles a packet of the real worker on a port that costs nothing, for every pair of formats,
// and beside it, in turns of a fraction of a second, what it is held against. One line of JSON a slice.
// Runs on: main, which starts one worker.

#include "srtpcost.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "base/text.h"
#include "dataplane/crypto/context.h"
#include "dataplane/crypto/crypto.h"
#include "dataplane/shared.h"
#include "dataplane/worker.h"

#define BUFFERS 767 // as many as are on their way, and some: they go round, as a card's ring does
#define CALLS_MAX 8
#define WARM_UP_ROUNDS 4 // packets of each stream before the clock counts

static const struct cost_kind kinds[] = {
	{ "rtp_rtp", 0, NULL, 0 },
	{ "rtp_srtp", 1, NULL, 0 },
	{ "srtp_rtp", 2, NULL, 0 },
	{ "srtp_srtp", 3, NULL, 0 },
	{ "both_ways", 4, NULL, 0 },
	{ "bare_protect", 0, cost_task_bare, KEY_LEAVES },
	{ "bare_unprotect", 0, cost_task_bare, KEY_ARRIVES },
	{ "jobs_protect", 0, cost_task_jobs, KEY_LEAVES },
	{ "jobs_unprotect", 0, cost_task_jobs, KEY_ARRIVES },
	{ "libsrtp2_protect", 0, cost_task_library, KEY_LEAVES },
	{ "libsrtp2_unprotect", 0, cost_task_library, KEY_ARRIVES },
	{ "door_protect", 3, cost_task_door, KEY_LEAVES },
	{ "door_unprotect", 3, cost_task_door, KEY_ARRIVES },
	{ "stage_parse", 0, cost_task_stage, COST_PARSE },
	{ "stage_accept", 0, cost_task_stage, COST_ACCEPT },
	{ "stage_account", 0, cost_task_stage, COST_ACCOUNT },
	{ "stage_rewrite", 0, cost_task_stage, COST_REWRITE },
};

#define KIND_COUNT (sizeof(kinds) / sizeof(*kinds))

struct request {
	unsigned calls[CALLS_MAX], calls_count;
	unsigned rounds, slice_ms;
	char *engine, *only, *cpu;
};

static bool create_worker(struct cost *cost)
{
	const uint32_t streams = COST_ADDRESSES * MEDIA_PORT_COUNT;
	const size_t views = shared_views_size(streams), mailboxes = shared_mailboxes_size(1);
	cost->views = rte_zmalloc(NULL, views, 128);
	cost->mailboxes = rte_zmalloc(NULL, mailboxes, 64);
	const struct crypto_plan crypto = { cost->options.crypto, 1, streams };
	if (!cost->views || !cost->mailboxes || crypto_start(&crypto, &cost->crypto) != OK)
		return false;
	struct worker_plan plan = {
		.count = 1,
		.stream_count = streams,
		.polls_busy = true,
		.min_ttl = 11,
		.rules = &cost->rules,
		.nic = (struct nic *)cost, // only our nic_receive and nic_send see it
		.views = cost->views,
		.mailboxes = cost->mailboxes,
		.crypto = cost->crypto,
		.stop = &cost->stop,
	};
	cost->workers = worker_create_all(&plan);
	return cost->workers;
}

static bool start(struct cost *cost, const struct request *request)
{
	char *arguments[] = { "srtpcost", "--port",     "ring:",        "--media",    "198.18.0.2",
			      "--media",  "198.18.0.3", "--cores",      request->cpu, "--memory-mb",
			      "640",      "--crypto",   request->engine };
	if (options_parse(sizeof(arguments) / sizeof(*arguments), arguments, &cost->options) !=
	    OPTIONS_RUN)
		return false;
	cost->nic = nic_start(&cost->options);
	if (!cost->nic)
		return false;
	nic_rules(cost->nic, &cost->options, &cost->rules);
	cost->pool = rte_pktmbuf_pool_create("prepared", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					     SOCKET_ID_ANY);
	cost->jobs = rte_zmalloc(NULL, COST_BATCH * sizeof(*cost->jobs), 64);
	cost->protector = protector_create();
	if (!cost->pool || !cost->jobs || !cost->protector || !create_worker(cost) ||
	    !cost_create_streams(cost))
		return false;
	if (!cost_check_library(cost)) {
		fprintf(stderr, "srtpcost: intel-ipsec-mb and libsrtp2 differ\n");
		return false;
	}
	cost->is_launched = nic_launch(cost->nic, 0, worker_run, cost->workers[0]);
	return cost->is_launched;
}

static void stop(struct cost *cost)
{
	atomic_store(&cost->stop, true);
	if (cost->is_launched)
		nic_join(cost->nic);
	worker_destroy_all(cost->workers, 1);
	crypto_stop(cost->crypto);
	cost_destroy_streams(cost);
	protector_destroy(cost->protector);
	nic_stop(cost->nic);
}

static uint64_t count_drops(const struct cost *cost)
{
	const struct worker_view *view = &cost->views->workers[0].view;
	uint64_t drops = 0;
	for (unsigned i = 0; i < VERDICT_COUNT; i++)
		if (i != VERDICT_FORWARDED && i != VERDICT_REPORT)
			drops += view->verdicts[i];
	return drops;
}

static int compare(const void *a, const void *b)
{
	float left = *(const float *)a, right = *(const float *)b;
	return (left > right) - (left < right);
}

static void report(struct cost *cost, unsigned round, uint64_t drops)
{
	const struct cost_clock *clock = &cost->clock;
	const double ns = 1e9 / (double)rte_get_tsc_hz();
	qsort(cost->clock.samples, clock->count, sizeof(float), compare);
	double median = clock->count ? (double)clock->samples[clock->count / 2] : 0;
	double mean =
		clock->sum_packets ? (double)clock->sum_cycles / (double)clock->sum_packets : 0;
	printf("{\"round\":%u,\"calls\":%u,\"kind\":\"%s\",\"ns\":%.2f,\"mean_ns\":%.2f,"
	       "\"cycles\":%.1f,\"packets\":%lu,\"dropped\":%lu,\"verified\":%lu,\"wrong\":%lu}\n",
	       round, cost->calls, cost->kind->name, median * ns, mean * ns, median,
	       clock->sum_packets, drops, cost->verified, cost->wrong);
	fflush(stdout);
}

static bool run_slice(struct cost *cost, const struct request *request, unsigned round)
{
	cost->mix = &cost_mixes[cost->kind->mix];
	cost->streams = 2 * cost->calls;
	cost->batch_at = cost->batch_count = 0;
	if (!cost_open(cost))
		return false;
	memset(&cost->clock, 0, offsetof(struct cost_clock, samples));
	cost->taken = cost->returned = cost->verified = cost->wrong = 0;
	cost->warm_up_packets = WARM_UP_ROUNDS * cost->streams + 16 * COST_BATCH;
	uint64_t drops = count_drops(cost);
	cost->end_tsc = rte_rdtsc() + rte_get_tsc_hz() / 1000 * request->slice_ms;
	atomic_store(&cost->phase, cost->kind->task ? COST_TASK : COST_PACKETS);
	while (atomic_load(&cost->phase) != COST_IDLE)
		usleep(2000);
	for (unsigned i = 0; i < 100 && cost->returned + count_drops(cost) - drops < cost->taken;
	     i++)
		usleep(1000); // what an engine with a queue of its own still has
	report(cost, round, count_drops(cost) - drops);
	return cost->clock.count > 0;
}

// What one call's four streams take, all of it at the start.
static void report_memory(const struct cost *cost, const char *suite)
{
	const struct crypto_engine *const engines[] = {
		&crypto_ipsec_mb,      &crypto_cryptodev_aesni_mb,
		&crypto_cryptodev_qat, &crypto_cryptodev_openssl,
		&crypto_libsrtp,
	};
	size_t plain = 4 * (sizeof(struct stream) + sizeof(struct stream_view)), secure = plain;
	for (unsigned i = 0; i < sizeof(engines) / sizeof(*engines); i++)
		if (strcmp(engines[i]->name, crypto_engine(cost->crypto)) == 0)
			secure += 4 * crypto_context_stream_size(engines[i]);
	printf("{\"engine\":\"%s\",\"suite\":\"%s\",\"octets_per_call\":%zu,\"octets_per_srtp_"
	       "call\":%zu,"
	       "\"port\":\"nic_receive and nic_send replaced; buffers filled, checked and given "
	       "back off the clock\","
	       "\"burst\":%u,\"tsc_hz\":%lu}\n",
	       crypto_engine(cost->crypto), suite, plain, secure, COST_BURST, rte_get_tsc_hz());
}

static bool is_wanted(const struct request *request, const char *name)
{
	const size_t length = strlen(name);
	for (const char *at = request->only; at && (at = strstr(at, name)); at += length)
		if ((at == request->only || at[-1] == ',') && (!at[length] || at[length] == ','))
			return true;
	return !request->only;
}

// Each round begins with another kind.
static bool run_round(struct cost *cost, const struct request *request, unsigned round)
{
	for (unsigned k = 0; k < KIND_COUNT; k++) {
		cost->kind = &kinds[(k + round) % KIND_COUNT];
		if (is_wanted(request, cost->kind->name) && !run_slice(cost, request, round))
			return false;
	}
	return true;
}

static bool run_all(struct cost *cost, const struct request *request)
{
	for (unsigned round = 0; round < request->rounds; round++)
		for (unsigned c = 0; c < request->calls_count; c++) {
			cost->calls = request->calls[c];
			if (!run_round(cost, request, round))
				return false;
		}
	return true;
}

static bool parse_calls(struct request *request, char *text)
{
	request->calls_count = 0;
	for (char *one; (one = strsep(&text, ","));) {
		uint64_t calls;
		if (request->calls_count == CALLS_MAX ||
		    !text_to_unsigned(text_of(one), COST_CALLS_MAX, &calls) || calls == 0)
			return false;
		request->calls[request->calls_count++] = (unsigned)calls;
	}
	return true;
}

static bool parse(struct cost *cost, struct request *request, int count, char **arguments)
{
	bool is_good = true;
	for (int option; (option = getopt(count, arguments, "n:r:t:e:s:k:c:")) != -1;) {
		if (option == 'n')
			is_good = is_good && parse_calls(request, optarg);
		else if (option == 'r')
			request->rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 't')
			request->slice_ms = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'e')
			request->engine = optarg;
		else if (option == 's')
			cost->suite = suite_of_name(text_of(optarg));
		else if (option == 'k')
			request->only = optarg;
		else if (option == 'c')
			request->cpu = optarg;
		else
			is_good = false;
	}
	return is_good && request->rounds > 0 && request->slice_ms > 0 && cost->suite;
}

int main(int count, char **arguments)
{
	struct cost *cost = aligned_alloc(64, (sizeof(*cost) + 63) / 64 * 64);
	struct request request = { { 1000 }, 1, 3, 60, "auto", NULL, "1" };
	if (!cost)
		return 1;
	memset(cost, 0, sizeof(*cost));
	cost->suite = SUITE_AES_CM_80;
	if (!parse(cost, &request, count, arguments)) {
		fprintf(stderr, "srtpcost [-n CALLS,…=1000] [-r ROUNDS=3] [-t SLICE-MS=60] "
				"[-e ENGINE=auto]\n         [-s SUITE=AES_CM_128_HMAC_SHA1_80] "
				"[-k KIND,…] [-c CPU=1]\nUp to 5000 calls; a kind:");
		for (unsigned i = 0; i < KIND_COUNT; i++)
			fprintf(stderr, " %s", kinds[i].name);
		fprintf(stderr, "\n");
		return 2;
	}
	bool is_good = start(cost, &request);
	struct mailbox_end inbox = { 0 }, outbox = { 0 };
	if (is_good) {
		inbox = mailbox_producer(&cost->mailboxes->inbox);
		outbox = mailbox_consumer(&cost->mailboxes->outbox);
		cost->inbox = &inbox;
		cost->outbox = &outbox;
		report_memory(cost, suite_facts(cost->suite)->name);
		is_good = run_all(cost, &request);
	}
	if (!is_good)
		fprintf(stderr, "srtpcost: did not run to the end\n");
	stop(cost);
	free(cost);
	return is_good ? 0 : 1;
}
