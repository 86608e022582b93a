// An engine with a queue of its own, as hardware has: it answers late, in any order, and spoils what it
// refuses. Here it is ipsec_mb behind a shuffled queue, so that it can be had without hardware.

#include <stdlib.h>
#include <string.h>

#include "dataplane/crypto/batch.h"
#include "tests/unit/crypto/fixture.h"

#define STREAM_COUNT 8
#define PACKETS 64

static const struct stream_id rtp = { 2, 3 };

struct slow { // the engine's worker
	void *real;
	struct crypto_job *queue[CRYPTO_JOBS_MAX];
	unsigned count;
	uint32_t dice;
};

static uint32_t roll(struct slow *slow, uint32_t sides)
{
	slow->dice = slow->dice * 1664525 + 1013904223;
	return (slow->dice >> 16) % sides;
}

static bool set_key(void *worker, void *area, const struct crypto_key *key)
{
	return crypto_ipsec_mb.set_key(((struct slow *)worker)->real, area, key);
}

static void clear_key(void *worker, void *area)
{
	const struct slow *slow = worker;
	for (unsigned i = 0; i < slow->count; i++)
		assert_ptr_not_equal(slow->queue[i]->key, area); // never under a job
	crypto_ipsec_mb.clear_key(slow->real, area);
}

static unsigned submit(void *worker, struct crypto_job *const *jobs, unsigned count)
{
	struct slow *slow = worker;
	for (unsigned i = 0; i < count; i++)
		slow->queue[slow->count++] = jobs[i];
	return count;
}

static unsigned collect(void *worker, struct crypto_job **out_jobs, unsigned max)
{
	struct slow *slow = worker;
	unsigned count = 0;
	while (slow->count > 0 && count < max && roll(slow, 4) != 0) {
		unsigned which = roll(slow, slow->count);
		struct crypto_job *job = slow->queue[which];
		slow->queue[which] = slow->queue[--slow->count];
		assert_int_equal(crypto_ipsec_mb.submit(slow->real, &job, 1), 1);
		assert_int_equal(crypto_ipsec_mb.collect(slow->real, &out_jobs[count], 1), 1);
		if (job->verdict == VERDICT_DROP_AUTHENTICATION)
			memset(job->media + job->clear_size, 0xee, job->cipher_size + 4u);
		count++;
	}
	return count;
}

static const struct crypto_engine slow_row = {
	.name = "slow",
	.form = KEY_SESSION,
	.key_size = 256,
	.set_key = set_key,
	.clear_key = clear_key,
	.submit = submit,
	.collect = collect,
};

struct world {
	struct crypto *sender; // protects
	void *engine; // ipsec_mb's, of the receiver
	struct slow slow;
	struct crypto_worker receiver;
	struct crypto_job jobs[PACKETS];
	uint8_t media[PACKETS][300];
};

static int set_up(void **state)
{
	struct world *world = aligned_alloc(_Alignof(struct world), sizeof(*world));
	assert_non_null(world);
	memset(world, 0, sizeof(*world));
	struct crypto_contexts *contexts = &world->receiver.contexts;
	*state = world;
	world->sender = fixture_start("ipsec_mb");
	if (!world->sender)
		return 0;
	struct crypto_plan plan = { "slow", 1, STREAM_COUNT };
	CHECK_OK(crypto_ipsec_mb.start(&crypto_ipsec_mb, &plan, &world->engine));
	world->slow = (struct slow){ .real = crypto_ipsec_mb.worker(world->engine, 0), .dice = 1 };
	contexts->engine = &slow_row;
	contexts->engine_worker = &world->slow;
	contexts->context_size = crypto_context_size(&slow_row);
	contexts->stream_size = crypto_context_stream_size(&slow_row);
	contexts->count = STREAM_COUNT;
	contexts->memory = aligned_alloc(64, STREAM_COUNT * contexts->stream_size);
	assert_non_null(contexts->memory);
	memset(contexts->memory, 0, STREAM_COUNT * contexts->stream_size);
	world->receiver.batch.stashes = calloc(CRYPTO_STASHES, CRYPTO_STASH_SIZE);
	assert_non_null(world->receiver.batch.stashes);
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	if (world->sender) {
		for (uint32_t i = 0; i < STREAM_COUNT; i++)
			crypto_forget(&world->receiver, i);
		crypto_ipsec_mb.stop(world->engine);
		free(world->receiver.contexts.memory);
		free(world->receiver.batch.stashes);
		crypto_stop(world->sender);
	}
	free(world);
	return 0;
}

static void set(struct world *world, enum suite suite, unsigned seed)
{
	uint8_t master[DERIVE_MASTER_MAX];
	struct message message = { .kind = MESSAGE_STREAM_KEY, .stream = rtp };
	memset(master, (int)seed, sizeof(master));
	message.key.suite = (uint8_t)suite;
	message.key.way = KEY_ARRIVES;
	derive_octets(suite, KEY_SESSION, false, master, message.key.octets);
	CHECK_TRUE(crypto_set_key(&world->receiver, &message, 1));
	CHECK_TRUE(fixture_set_key(world->sender, rtp, suite, KEY_LEAVES, master, 1));
}

// Numbers from `sequence` on, protected, as jobs that arrive.
static void write(struct world *world, unsigned from, unsigned to, uint16_t sequence)
{
	for (unsigned i = from; i < to; i++) {
		uint16_t size = fixture_write_rtp(world->media[i], 77,
						  (uint16_t)(sequence + i - from), 100);
		struct crypto_job job = fixture_job(world->media[i], size, rtp, KEY_LEAVES);
		assert_int_equal(fixture_run(world->sender, &job), VERDICT_FORWARDED);
		world->jobs[i] = fixture_job(world->media[i], job.size, rtp, KEY_ARRIVES);
	}
}

static void submit_all(struct world *world, unsigned from, unsigned to)
{
	struct crypto_job *pointers[PACKETS];
	for (unsigned i = from; i < to; i++)
		pointers[i - from] = &world->jobs[i];
	CHECK_NUMBER(crypto_submit(&world->receiver, pointers, to - from), to - from);
}

static void collect_all(struct world *world, unsigned count)
{
	struct crypto_job *done[PACKETS];
	unsigned got = 0;
	for (unsigned turns = 0; got < count && turns < 100000; turns++)
		got += crypto_collect(&world->receiver, done + got, PACKETS - got);
	CHECK_NUMBER(got, count);
	for (unsigned i = 0; i < count; i++)
		assert_ptr_equal(done[i], &world->jobs[i]); // in the order they were submitted
	CHECK_NUMBER(crypto_in_flight(&world->receiver), 0);
	CHECK_NUMBER(world->receiver.batch.stashes_taken, 0);
}

static void check_passed(const struct world *world, unsigned i, uint16_t sequence)
{
	uint8_t plain[300];
	uint16_t size = fixture_write_rtp(plain, 77, sequence, 100);
	CHECK_NUMBER(world->jobs[i].verdict, VERDICT_FORWARDED);
	CHECK_NUMBER(world->jobs[i].size, size);
	assert_memory_equal(world->media[i], plain, size);
}

static void what_comes_back_in_any_order_leaves_in_order(void **state)
{
	struct world *world = *state;
	if (!world->sender)
		skip();
	for (unsigned round = 0; round < 50; round++) {
		set(world, 1 + round % (SUITE_COUNT - 1), 1 + round);
		write(world, 0, PACKETS, (uint16_t)(65000 + round * 20));
		world->media[9][30] ^= 1;
		memcpy(world->media[21], world->media[20], sizeof(world->media[20]));
		submit_all(world, 0, PACKETS);
		collect_all(world, PACKETS);
		for (unsigned i = 0; i < PACKETS; i++)
			if (i == 9)
				CHECK_NUMBER(world->jobs[i].verdict, VERDICT_DROP_AUTHENTICATION);
			else if (i == 21)
				CHECK_NUMBER(world->jobs[i].verdict, VERDICT_DROP_REPLAY);
			else
				check_passed(world, i, (uint16_t)(65000 + round * 20 + i));
	}
}

// The former key gets what it was spoiled by: the copy set aside.
static void late_packets_of_the_former_key_survive_a_spoiling_engine(void **state)
{
	struct world *world = *state;
	if (!world->sender)
		skip();
	set(world, SUITE_AES_CM_80, 1);
	write(world, 0, 20, 500);
	set(world, SUITE_AES_GCM_128, 2);
	write(world, 20, 40, 520);
	submit_all(world, 0, 40);
	collect_all(world, 40);
	for (unsigned i = 0; i < 40; i++)
		check_passed(world, i, (uint16_t)(500 + i));
}

static void a_key_changes_while_its_packets_are_under_way(void **state)
{
	struct world *world = *state;
	if (!world->sender)
		skip();
	set(world, SUITE_AES_CM_80, 1);
	write(world, 0, 30, 500);
	submit_all(world, 0, 30);
	set(world, SUITE_AES_CM_80, 2);
	write(world, 30, 40, 530);
	submit_all(world, 30, 40);
	crypto_forget(&world->receiver, rtp.index);
	collect_all(world, 40);
	for (unsigned i = 0; i < 40; i++)
		check_passed(world, i, (uint16_t)(500 + i));
}

static void a_full_batch_takes_no_more(void **state)
{
	struct world *world = *state;
	if (!world->sender)
		skip();
	static struct crypto_job jobs[CRYPTO_JOBS_MAX + 10];
	struct crypto_job *pointers[CRYPTO_JOBS_MAX + 10], *done[CRYPTO_JOBS_MAX];
	for (unsigned i = 0; i < CRYPTO_JOBS_MAX + 10; i++) {
		jobs[i] = fixture_job(world->media[0], 100, rtp, KEY_ARRIVES);
		pointers[i] = &jobs[i];
	}
	CHECK_NUMBER(crypto_submit(&world->receiver, pointers, 200), 200);
	CHECK_NUMBER(crypto_submit(&world->receiver, pointers + 200, 66), 56);
	CHECK_NUMBER(crypto_submit(&world->receiver, pointers + 256, 10), 0);
	CHECK_NUMBER(crypto_collect(&world->receiver, done, CRYPTO_JOBS_MAX), CRYPTO_JOBS_MAX);
	for (unsigned i = 0; i < CRYPTO_JOBS_MAX; i++) {
		assert_ptr_equal(done[i], &jobs[i]);
		CHECK_NUMBER(jobs[i].verdict, VERDICT_DROP_AUTHENTICATION); // there is no key
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_comes_back_in_any_order_leaves_in_order,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			late_packets_of_the_former_key_survive_a_spoiling_engine, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(a_key_changes_while_its_packets_are_under_way,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_batch_takes_no_more, set_up, tear_down),
	};
	return RUN_TESTS(tests);
}
