// admissioncost: what it takes to admit an INVITE, with few customers and with very many, in turns; a line
// of JSON for each turn, ns. INVITEs come as octets, and go the way of the product: transaction layer,
// directory and admission are those of the control thread, and what is measured is what it does between two
// readings of the clock, less what reading it takes. Nothing is sent.
// Runs on: one thread.

#include "admissioncost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "call/admission/admission.h"
#include "sip/transaction.h"
#include "sipload.h"

#define INVITES 60000 // of a turn, for the whole and for its checks each
#define INVITES_A_TICK 16
#define TICK_MS 10 // some thousand calls a second: nonces are used up and forgotten
#define ROUNDS_MAX 1000
#define CHECKS_MAX 32
#define CLOCK_READINGS 1001
#define MISS_OCTETS (32u << 20)
#define MISSES 500000

static const struct cost_size few = { 100, 1000, 100, 100 };
static const struct cost_size many = { 10000, 100000, 10000, 10000 };

static const struct kind {
	const char *name;
	bool is_shared, has_digest;
} kinds[] = {
	{ "acl", false, false }, // a list of its own, no credentials
	{ "acl_and_digest", false, true },
	{ "long_list", true, false }, // all entries in one list
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct line {
	_Alignas(MEMORY_LINE) uint32_t next;
};

struct bench { // few or many customers of one kind
	struct cost_world world;
	struct wheel *wheel;
	struct sip_transactions *transactions;
	const struct kind *kind;
	uint64_t clock_ns; // that reading the clock takes
	bool is_by_check;
	uint64_t find_ns, took_ns, of_checks_ns[CHECKS_MAX]; // of the turn
	unsigned admitted, admitted_by_check;
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void write_authorization(struct cost_world *world, struct sipload_digest *digest,
				const struct cost_trunk *trunk, const char *uri,
				struct writer *writer)
{
	char room[512];
	struct writer challenge = writer_of(room, sizeof(room));
	sip_digest_challenge(world->calls.digest, &trunk->source, false, &challenge);
	(void)sipload_digest_answer(digest, writer_done(&challenge), text_of(uri), writer);
}

static bool arrive(struct bench *bench, struct sipload_digest *digest, uint32_t *order)
{
	struct cost_world *world = &bench->world;
	const struct cost_trunk *trunk = &world->trunks[cost_random(order, world->count)];
	unsigned called = cost_random(order, 10000000);
	char uri[64], octets[COST_OCTETS];
	struct writer uri_writer = writer_of(uri, sizeof(uri));
	struct writer writer = writer_of(octets, sizeof(octets));
	struct sip_flow flow = { .remote = trunk->source };
	writer_format(&uri_writer, "sip:+1650%07u@%s." COST_BASE, called, trunk->domain);
	(void)writer_string_done(&uri_writer);
	writer_format(
		&writer,
		"INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-%u\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:%s@%s." COST_BASE ">;tag=%u\r\nTo: <%s>\r\n"
		"Call-ID: %u@192.0.2.10\r\nCSeq: 1 INVITE\r\nContact: <sip:192.0.2.10:5060>\r\n"
		"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK\r\n"
		"Supported: replaces, timer\r\nUser-Agent: bench\r\n",
		uri, called, trunk->number, trunk->domain, called, uri, called);
	if (bench->kind->has_digest)
		write_authorization(world, digest, trunk, uri, &writer);
	writer_string(&writer, "Content-Length: 0\r\n\r\n");
	if (writer.failed)
		return false;
	sip_transaction_receive(bench->transactions, writer_done(&writer), &flow);
	return true;
}

static uint64_t since_ns(const struct bench *bench, uint64_t start_ns)
{
	uint64_t took_ns = now_ns() - start_ns;
	return took_ns > bench->clock_ns ? took_ns - bench->clock_ns : 0;
}

// As the product's (call/method.c).
static bool is_known(void *context, const struct sip_message *request)
{
	struct bench *bench = context;
	uint64_t start_ns = now_ns();
	bool is_ours = call_admit_expect(&bench->world.calls, request) != NULL;
	if (!bench->is_by_check)
		bench->find_ns += since_ns(bench, start_ns);
	return is_ours;
}

static bool admit(struct bench *bench, const struct sip_message *invite)
{
	struct admitted admitted;
	struct refusal refusal;
	uint64_t start_ns = now_ns();
	enum admission admission = call_admit(&bench->world.calls, invite, &admitted, &refusal);
	bench->took_ns += since_ns(bench, start_ns);
	if (admission != ADMITTED)
		fprintf(stderr, "admissioncost: refused: %s %s, expected %s\n", refusal.header,
			refusal.seen, refusal.expected);
	return admission == ADMITTED;
}

static bool judge(struct bench *bench, const struct sip_message *invite)
{
	struct admission_case admission_case;
	const struct admission_check *check;
	enum admission admission = ADMITTED;
	admission_begin(&admission_case, &bench->world.calls, invite, false);
	for (unsigned nth = 0; admission == ADMITTED && (check = admission_check(nth)) != NULL;
	     nth++) {
		uint64_t start_ns = now_ns();
		admission = check->judge(&admission_case);
		bench->of_checks_ns[nth] += since_ns(bench, start_ns);
	}
	return admission == ADMITTED;
}

static void request(void *context, struct sip_server *server, const struct sip_message *invite)
{
	struct bench *bench = context;
	if (bench->is_by_check)
		bench->admitted_by_check += judge(bench, invite);
	else
		bench->admitted += admit(bench, invite);
	sip_server_refuse(server, &(struct sip_answer){ .status = 486 });
}

static enum status send_nothing(void *context, struct text octets, struct sip_flow *flow)
{
	(void)context, (void)octets, (void)flow;
	return OK;
}

static bool create(struct bench *bench, const struct kind *kind, const struct cost_size *size)
{
	bench->kind = kind;
	bench->wheel = wheel_create(0);
	struct sip_transaction_options options = {
		.clock = &bench->world.clock,
		.wheel = bench->wheel,
		.user = { .context = bench, .is_known = is_known, .request = request },
		.send = send_nothing,
		.t1_ms = 500,
		.t2_ms = 4000,
		.t4_ms = 5000,
		.transactions_max = 1000,
		.user_agent = "admissioncost",
	};
	bench->transactions = sip_transactions_create(&options);
	return bench->wheel != NULL && bench->transactions != NULL &&
	       cost_world_create(&bench->world, size, kind->is_shared, kind->has_digest);
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;
	return *one < *other ? -1 : *one > *other;
}

static uint64_t clock_ns(void)
{
	uint64_t took_ns[CLOCK_READINGS];
	for (unsigned i = 0; i < CLOCK_READINGS; i++) {
		uint64_t start_ns = now_ns();
		took_ns[i] = now_ns() - start_ns;
	}
	qsort(took_ns, CLOCK_READINGS, sizeof(took_ns[0]), by_size);
	return took_ns[CLOCK_READINGS / 2];
}

static void print_checks(const uint64_t took_ns[static CHECKS_MAX])
{
	const struct admission_check *check;
	printf(",\"checks\":{");
	for (unsigned nth = 0; (check = admission_check(nth)) != NULL; nth++)
		printf("%s\"%s\":%.1f", nth > 0 ? "," : "", check->name,
		       (double)took_ns[nth] / INVITES);
	printf("}");
}

static bool turn(struct bench *bench, struct sipload_digest *digest, uint32_t *order)
{
	bench->clock_ns = clock_ns();
	bench->find_ns = bench->took_ns = 0;
	bench->admitted = bench->admitted_by_check = 0;
	memset(bench->of_checks_ns, 0, sizeof(bench->of_checks_ns));
	for (unsigned i = 0; i < 2 * INVITES; i++) {
		bench->is_by_check = i % 2 > 0;
		if (i % INVITES_A_TICK == 0)
			bench->world.clock.now_ms += TICK_MS;
		if (!arrive(bench, digest, order))
			return false;
	}
	if (bench->admitted != INVITES || bench->admitted_by_check != INVITES) {
		fprintf(stderr, "admissioncost: not all were admitted\n");
		return false;
	}
	printf("{\"kind\":\"%s\",\"trunks\":%u,\"ns\":%.1f,\"find_ns\":%.1f", bench->kind->name,
	       bench->world.count, (double)bench->took_ns / INVITES,
	       (double)bench->find_ns / INVITES);
	print_checks(bench->of_checks_ns);
	printf("}\n");
	return true;
}

// What it costs to wait for one cache line of as much memory as the many customers' lines take, in huge
// pages as theirs are.
static bool print_miss(void)
{
	size_t count = MISS_OCTETS / sizeof(struct line);
	struct line *lines = memory_take(MISS_OCTETS);
	uint32_t order = 1, at = 0;
	if (!lines)
		return false;
	for (uint32_t i = 0; i < count; i++)
		lines[i].next = i;
	for (uint32_t i = (uint32_t)count - 1; i > 0; i--) { // one cycle through all (Sattolo)
		uint32_t other = cost_random(&order, i), held = lines[i].next;
		lines[i].next = lines[other].next;
		lines[other].next = held;
	}
	uint64_t start_ns = now_ns();
	for (unsigned i = 0; i < MISSES; i++)
		at = lines[at].next;
	uint64_t took_ns = now_ns() - start_ns;
	printf("{\"kind\":\"miss\",\"trunks\":0,\"ns\":%.1f,\"end\":%u}\n",
	       (double)took_ns / MISSES, at);
	memory_give(lines, MISS_OCTETS);
	return true;
}

int main(int argc, char **argv)
{
	static struct bench benches[KINDS][2]; // lint: global (the process's end frees them)
	struct sipload_options options = { .user = "pbx", .password = "secret" };
	struct sipload_digest *digest = sipload_digest_create(&options);
	uint64_t rounds = 5;
	if (argc > 1 && !text_to_unsigned(text_of(argv[1]), ROUNDS_MAX, &rounds))
		return 2;
	uint32_t order = 1;
	bool is_good = digest != NULL;
	sip_message_start();
	for (unsigned i = 0; i < KINDS && is_good; i++)
		is_good = create(&benches[i][0], &kinds[i], &few) &&
			  create(&benches[i][1], &kinds[i], &many);
	if (!is_good)
		fprintf(stderr, "admissioncost: the directories could not be filled\n");
	for (unsigned round = 0; round < rounds && is_good; round++) {
		is_good = print_miss();
		for (unsigned i = 0; i < 2 * KINDS && is_good; i++)
			is_good = turn(&benches[i / 2][i % 2], digest, &order);
	}
	return is_good ? 0 : 1;
}
