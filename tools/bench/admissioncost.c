// admissioncost: what it takes to admit an INVITE, with few customers and with very many, in turns; a line
// of JSON for each turn, ns. Directory and admission are those of the control thread; only reading the
// messages, and making answers to challenges, is done while the clock stands still.
// Runs on: one thread.

#include "admissioncost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "call/admission/admission.h"
#include "directory/index/index.h"
#include "sipload.h"

#define GROUP 16 // INVITEs that are read before they are admitted
#define GROUPS 4000 // of a turn
#define ROUNDS_MAX 1000
#define CHECKS_MAX 32
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
	_Alignas(DIRECTORY_LINE) uint32_t next;
};

struct arrival {
	char octets[COST_OCTETS];
	struct sip_message message;
};

static struct arrival arrivals[GROUP]; // lint: global (too big for a stack)

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

static bool arrive(struct cost_world *world, struct sipload_digest *digest, uint32_t *order,
		   struct arrival *arrival)
{
	const struct cost_trunk *trunk = &world->trunks[cost_random(order, world->count)];
	unsigned called = cost_random(order, 10000000);
	char uri[64];
	struct writer uri_writer = writer_of(uri, sizeof(uri));
	struct writer writer = writer_of(arrival->octets, sizeof(arrival->octets));
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
	if (digest)
		write_authorization(world, digest, trunk, uri, &writer);
	writer_string(&writer, "Content-Length: 0\r\n\r\n");
	if (writer.failed || !sip_message_parse(writer_done(&writer), &arrival->message))
		return false;
	arrival->message.flow.remote = trunk->source;
	return true;
}

// As the product does before it opens a transaction (is_known in call/method.c).
static bool find_all(struct cost_world *world)
{
	bool is_known = true;
	for (unsigned i = 0; i < GROUP; i++)
		is_known &= call_admit_expect(&world->calls, &arrivals[i].message) != NULL;
	return is_known;
}

static bool admit_all(struct cost_world *world)
{
	struct admitted admitted;
	struct refusal refusal;
	for (unsigned i = 0; i < GROUP; i++) {
		if (call_admit(&world->calls, &arrivals[i].message, &admitted, &refusal) ==
		    ADMITTED)
			continue;
		fprintf(stderr, "admissioncost: refused: %s %s, expected %s\n", refusal.header,
			refusal.seen, refusal.expected);
		return false;
	}
	return true;
}

// Check by check, each for a whole group.
static bool judge_all(struct cost_world *world, uint64_t took_ns[static CHECKS_MAX])
{
	static struct admission_case cases[GROUP]; // lint: global (too big for a stack)
	const struct admission_check *check;
	for (unsigned i = 0; i < GROUP; i++)
		admission_begin(&cases[i], &world->calls, &arrivals[i].message, false);
	for (unsigned nth = 0; (check = admission_check(nth)) != NULL; nth++) {
		uint64_t start_ns = now_ns();
		for (unsigned i = 0; i < GROUP; i++)
			if (check->judge(&cases[i]) != ADMITTED)
				return false;
		took_ns[nth] += now_ns() - start_ns;
	}
	return true;
}

static bool arrive_all(struct cost_world *world, struct sipload_digest *digest, uint32_t *order)
{
	for (unsigned i = 0; i < GROUP; i++) {
		if (arrive(world, digest, order, &arrivals[i]))
			continue;
		fprintf(stderr, "admissioncost: an INVITE cannot be read\n");
		return false;
	}
	return true;
}

static void print_checks(const uint64_t took_ns[static CHECKS_MAX])
{
	const struct admission_check *check;
	printf(",\"checks\":{");
	for (unsigned nth = 0; (check = admission_check(nth)) != NULL; nth++)
		printf("%s\"%s\":%.1f", nth > 0 ? "," : "", check->name,
		       (double)took_ns[nth] / (GROUP * GROUPS));
	printf("}");
}

static bool turn(struct cost_world *world, const struct kind *kind, struct sipload_digest *digest,
		 uint32_t *order)
{
	uint64_t find_ns = 0, took_ns = 0, of_checks_ns[CHECKS_MAX] = { 0 };
	digest = kind->has_digest ? digest : NULL;
	for (unsigned group = 0; group < GROUPS; group++) {
		world->clock.now_ms +=
			10; // some thousand calls a second: nonces are used up and forgotten
		if (!arrive_all(world, digest, order))
			return false;
		uint64_t start_ns = now_ns();
		if (!find_all(world))
			return false;
		uint64_t found_ns = now_ns();
		if (!admit_all(world))
			return false;
		find_ns += found_ns - start_ns;
		took_ns += now_ns() - found_ns;
		if (!arrive_all(world, digest, order) || !judge_all(world, of_checks_ns))
			return false;
	}
	printf("{\"kind\":\"%s\",\"trunks\":%u,\"ns\":%.1f,\"find_ns\":%.1f", kind->name,
	       world->count, (double)took_ns / (GROUP * GROUPS),
	       (double)find_ns / (GROUP * GROUPS));
	print_checks(of_checks_ns);
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
	static struct cost_world worlds[KINDS][2]; // lint: global (the process's end frees them)
	struct sipload_options options = { .user = "pbx", .password = "secret" };
	struct sipload_digest *digest = sipload_digest_create(&options);
	uint64_t rounds = 5;
	if (argc > 1 && !text_to_unsigned(text_of(argv[1]), ROUNDS_MAX, &rounds))
		return 2;
	uint32_t order = 1;
	bool is_good = digest != NULL;
	sip_message_start();
	for (unsigned i = 0; i < KINDS && is_good; i++)
		is_good = cost_world_create(&worlds[i][0], &few, kinds[i].is_shared,
					    kinds[i].has_digest) &&
			  cost_world_create(&worlds[i][1], &many, kinds[i].is_shared,
					    kinds[i].has_digest);
	if (!is_good)
		fprintf(stderr, "admissioncost: the directories could not be filled\n");
	for (unsigned round = 0; round < rounds && is_good; round++) {
		is_good = print_miss();
		for (unsigned i = 0; i < 2 * KINDS && is_good; i++)
			is_good = turn(&worlds[i / 2][i % 2], &kinds[i / 2], digest, &order);
	}
	return is_good ? 0 : 1;
}
