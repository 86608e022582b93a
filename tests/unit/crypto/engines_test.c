// Every engine against every other: what one protects the others take off, in bursts of every size, of
// every suite, RTP and RTCP, with forgeries, wraps, takeovers and new keys among it. An engine that is
// not on this machine is skipped, and says so.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cryptodev.h>
#include <rte_eal.h>

#include "dataplane/crypto/cryptodev.h"
#include "dataplane/crypto/ipsec_mb.h"
#include "dataplane/crypto/libsrtp.h"
#include "dataplane/shared.h"
#include "tests/unit/crypto/fixture.h"

#define STREAMS 5120 // so many that the second worker has some
#define STREAM_FIRST 2 // of worker 0
#define STREAM_SECOND 5004 // of worker 1
#define WORKERS 2
#define BURST 64
#define ENGINES 5
#define MEDIA_SIZE 384
#define SSRC 0x10203040u

struct engine {
	const struct crypto_engine *row;
	struct crypto *crypto; // NULL: not here
};

struct burst { // the same packets, plain, and as they became
	unsigned count;
	struct crypto_job jobs[BURST];
	uint8_t plain[BURST][MEDIA_SIZE], media[BURST][MEDIA_SIZE];
	uint16_t plain_sizes[BURST], clear_sizes[BURST];
};

struct world {
	struct engine engines[ENGINES];
	uint32_t generation; // of the last keys given
	struct burst burst;
};

struct tested { // one engine of the world
	struct world *world;
	struct engine *engine;
};

static const struct crypto_engine *const rows[ENGINES] = {
	&crypto_ipsec_mb,          &crypto_cryptodev_aesni_mb,
	&crypto_cryptodev_openssl, &crypto_cryptodev_qat,
	&crypto_libsrtp,
};

// Drivers in software are here when their library is; QAT when there is a device.
static bool is_here(const struct crypto_engine *row)
{
	uint8_t device;
	if (row == &crypto_cryptodev_qat)
		return rte_cryptodev_devices_get(row->name, &device, 1) > 0;
	return row->can_run();
}

static bool start_engines(struct world *world)
{
	for (unsigned i = 0; i < ENGINES; i++) {
		struct engine *engine = &world->engines[i];
		struct crypto_plan plan = { rows[i]->name, WORKERS, STREAMS };
		engine->row = rows[i];
		if (!is_here(rows[i]))
			print_message("[  ABSENT  ] %s is not on this machine\n", rows[i]->name);
		else if (crypto_start(&plan, &engine->crypto) != OK)
			return false;
	}
	return true;
}

static void stop_engines(struct world *world)
{
	for (unsigned i = 0; i < ENGINES; i++) {
		crypto_stop(world->engines[i].crypto);
		world->engines[i].crypto = NULL;
	}
}

static struct tested *tested_here(void **state)
{
	struct tested *tested = *state;
	if (!tested->engine->crypto) {
		print_message("[  ABSENT  ] %s\n", tested->engine->row->name);
		skip();
	}
	return tested;
}

static struct crypto_worker *worker_of(struct crypto *crypto, struct stream_id stream)
{
	return crypto_of_worker(crypto, shared_worker_of(WORKERS, stream.index));
}

static void fill_master(uint8_t *out, uint32_t seed)
{
	for (unsigned i = 0; i < DERIVE_MASTER_MAX; i++)
		out[i] = (uint8_t)(seed * 31 + i * 7 + (seed >> 8));
}

static void set_key(struct crypto *crypto, struct stream_id stream, enum suite suite,
		    enum key_way way, uint32_t seed)
{
	struct message message = { .kind = MESSAGE_STREAM_KEY, .stream = stream };
	uint8_t master[DERIVE_MASTER_MAX], octets[50];
	fill_master(master, seed);
	derive_octets(suite, crypto_key_form(crypto), stream.index % 2, master, octets);
	message.key.suite = (uint8_t)suite;
	message.key.way = (uint8_t)way;
	memcpy(message.key.octets, octets, sizeof(message.key.octets));
	assert_true(crypto_set_key(worker_of(crypto, stream), &message, 1));
}

static void set_rollover(struct crypto *crypto, struct stream_id stream,
			 struct message_rollover rollover)
{
	struct message message = { .kind = MESSAGE_STREAM_ROLLOVER,
				   .stream = stream,
				   .rollover = rollover };
	assert_true(crypto_set_rollover(worker_of(crypto, stream), &message));
}

// Every fourth has CSRCs, every fifth an extension, some no payload at all.
static void write_rtp(struct burst *burst, unsigned at, uint32_t ssrc, uint16_t sequence)
{
	uint8_t *plain = burst->plain[at];
	unsigned sources = sequence % 4 == 3 ? 1 + sequence % 3u : 0;
	unsigned payload = sequence % 7 == 6 ? 0 : sequence % 11 == 5 ? 1 : 20 + sequence % 160u;
	unsigned size = fixture_write_rtp(plain, ssrc, sequence, 0);
	plain[0] = (uint8_t)(plain[0] | sources);
	for (unsigned i = 0; i < sources * 4; i++)
		plain[size++] = (uint8_t)(sequence + i);
	if (sequence % 5 == 4) {
		const uint8_t extension[8] = { 0xbe, 0xde, 0, 1, 0x10, 0x99, 0, 0 };
		plain[0] |= 0x10;
		memcpy(plain + size, extension, sizeof(extension));
		size += sizeof(extension);
	}
	burst->clear_sizes[at] = (uint16_t)size;
	for (unsigned i = 0; i < payload; i++)
		plain[size++] = (uint8_t)(sequence * 3 + i);
	burst->plain_sizes[at] = (uint16_t)size;
}

static void write_rtcp(struct burst *burst, unsigned at, uint32_t ssrc, uint16_t number)
{
	uint8_t *plain = burst->plain[at];
	unsigned words = 1 + number % 30u;
	const uint8_t header[8] = { 0x81,
				    200,
				    0,
				    (uint8_t)words,
				    (uint8_t)(ssrc >> 24),
				    (uint8_t)(ssrc >> 16),
				    (uint8_t)(ssrc >> 8),
				    (uint8_t)ssrc };
	memcpy(plain, header, sizeof(header));
	for (unsigned i = sizeof(header); i < (words + 1) * 4; i++)
		plain[i] = (uint8_t)(number + i);
	burst->clear_sizes[at] = 8;
	burst->plain_sizes[at] = (uint16_t)((words + 1) * 4);
}

static void write_burst(struct burst *burst, unsigned count, bool is_rtcp, uint32_t ssrc,
			uint16_t first)
{
	burst->count = count;
	for (unsigned i = 0; i < count; i++) {
		if (is_rtcp)
			write_rtcp(burst, i, ssrc, (uint16_t)(first + i));
		else
			write_rtp(burst, i, ssrc, (uint16_t)(first + i));
		memcpy(burst->media[i], burst->plain[i], MEDIA_SIZE);
		burst->jobs[i] = (struct crypto_job){ .size = burst->plain_sizes[i] };
	}
}

static void run(struct crypto *crypto, struct burst *burst, struct stream_id stream,
		enum key_way way, uint64_t now_ns)
{
	struct crypto_job *jobs[BURST], *done[BURST];
	struct crypto_worker *worker = worker_of(crypto, stream);
	unsigned count = 0;
	for (unsigned i = 0; i < burst->count; i++) {
		burst->jobs[i] = (struct crypto_job){ .media = burst->media[i],
						      .size = burst->jobs[i].size,
						      .clear_size = burst->clear_sizes[i],
						      .way = (uint8_t)way,
						      .is_rtcp = stream.index % 2,
						      .stream = stream,
						      .now_ns = now_ns };
		jobs[i] = &burst->jobs[i];
	}
	assert_int_equal(crypto_submit(worker, jobs, burst->count), burst->count);
	for (unsigned polls = 0; crypto_in_flight(worker) > 0 && polls < 10000000; polls++)
		count += crypto_collect(worker, done + count, BURST - count);
	assert_int_equal(count, burst->count);
	for (unsigned i = 0; i < count; i++)
		assert_ptr_equal(done[i], jobs[i]);
}

static void protect_at(struct crypto *crypto, struct burst *burst, struct stream_id stream,
		       enum suite suite, uint64_t now_ns)
{
	run(crypto, burst, stream, KEY_LEAVES, now_ns);
	for (unsigned i = 0; i < burst->count; i++) {
		const struct suite_facts *facts = suite_facts(suite);
		unsigned added = stream.index % 2 ? facts->rtcp_tag_size + 4u : facts->tag_size;
		assert_int_equal(burst->jobs[i].verdict, VERDICT_FORWARDED);
		assert_int_equal(burst->jobs[i].size, burst->plain_sizes[i] + added);
		assert_memory_equal(burst->media[i], burst->plain[i], burst->clear_sizes[i]);
	}
}

static void protect(struct crypto *crypto, struct burst *burst, struct stream_id stream,
		    enum suite suite)
{
	protect_at(crypto, burst, stream, suite, 2);
}

static void unprotect(struct crypto *crypto, struct burst *burst, struct stream_id stream)
{
	run(crypto, burst, stream, KEY_ARRIVES, 2);
	for (unsigned i = 0; i < burst->count; i++) {
		assert_int_equal(burst->jobs[i].verdict, VERDICT_FORWARDED);
		assert_int_equal(burst->jobs[i].size, burst->plain_sizes[i]);
		assert_memory_equal(burst->media[i], burst->plain[i], burst->plain_sizes[i]);
	}
}

// Both ways of one stream, in two engines, under one new key.
static struct stream_id open_pair(struct world *world, const struct engine *from,
				  const struct engine *to, uint32_t index, enum suite suite)
{
	struct stream_id stream = { index, ++world->generation };
	set_key(from->crypto, stream, suite, KEY_LEAVES, world->generation);
	set_key(to->crypto, stream, suite, KEY_ARRIVES, world->generation);
	return stream;
}

static void close_pair(const struct engine *from, const struct engine *to, struct stream_id stream)
{
	crypto_forget(worker_of(from->crypto, stream), stream.index);
	crypto_forget(worker_of(to->crypto, stream), stream.index);
}

typedef void (*story_fn)(struct world *world, const struct engine *from, const struct engine *to,
			 uint32_t index, enum suite suite);

// The story with every other engine at the far end, itself too, of every suite, RTP and RTCP.
static void tell(struct tested *tested, story_fn story)
{
	struct world *world = tested->world;
	unsigned told = 0;
	for (unsigned i = 0; i < ENGINES; i++)
		for (enum suite suite = SUITE_NONE + 1; suite < SUITE_COUNT; suite++)
			for (unsigned rtcp = 0; world->engines[i].crypto && rtcp < 2; rtcp++) {
				uint32_t first = suite % 2 ? STREAM_FIRST : STREAM_SECOND;
				story(world, tested->engine, &world->engines[i], first + rtcp,
				      suite);
				told++;
			}
	assert_true(told >= 2 * (SUITE_COUNT - 1));
}

static void bursts_of_every_size(struct world *world, const struct engine *from,
				 const struct engine *to, uint32_t index, enum suite suite)
{
	struct stream_id stream = open_pair(world, from, to, index, suite);
	uint16_t sequence = 64800; // goes past 65535 on the way
	for (unsigned count = 1; count <= BURST; count++) {
		write_burst(&world->burst, count, index % 2, SSRC, sequence);
		protect(from->crypto, &world->burst, stream, suite);
		unprotect(to->crypto, &world->burst, stream);
		sequence = (uint16_t)(sequence + count);
	}
	close_pair(from, to, stream);
}

static void every_engine_takes_off_what_it_protects(void **state)
{
	tell(tested_here(state), bursts_of_every_size);
}

// Each octet of a small packet in turn; then the packet itself, as often as it was forged.
static void forgeries(struct world *world, const struct engine *from, const struct engine *to,
		      uint32_t index, enum suite suite)
{
	struct stream_id stream = open_pair(world, from, to, index, suite);
	struct burst *burst = &world->burst;
	write_burst(burst, 1, index % 2, SSRC, 1000);
	protect(from->crypto, burst, stream, suite);
	uint16_t size = burst->jobs[0].size;
	uint8_t genuine[MEDIA_SIZE];
	memcpy(genuine, burst->media[0], MEDIA_SIZE);
	for (unsigned at = index % 2 ? 4 : 8; at < size; at++) { // from the SSRC on
		memcpy(burst->media[0], genuine, MEDIA_SIZE);
		burst->media[0][at] ^= (uint8_t)(1 << at % 8);
		burst->jobs[0].size = size;
		run(to->crypto, burst, stream, KEY_ARRIVES, 2);
		assert_int_equal(burst->jobs[0].verdict, VERDICT_DROP_AUTHENTICATION);
	}
	memcpy(burst->media[0], genuine, MEDIA_SIZE);
	burst->jobs[0].size = size;
	unprotect(to->crypto, burst, stream);
	memcpy(burst->media[0], genuine, MEDIA_SIZE);
	burst->jobs[0].size = size;
	run(to->crypto, burst, stream, KEY_ARRIVES, 2);
	assert_int_equal(burst->jobs[0].verdict, VERDICT_DROP_REPLAY);
	close_pair(from, to, stream);
}

static void every_engine_refuses_what_was_forged(void **state)
{
	tell(tested_here(state), forgeries);
}

static void forgeries_in_bursts(struct world *world, const struct engine *from,
				const struct engine *to, uint32_t index, enum suite suite)
{
	struct stream_id stream = open_pair(world, from, to, index, suite);
	struct burst *burst = &world->burst;
	write_burst(burst, BURST, index % 2, SSRC, 65500);
	protect(from->crypto, burst, stream, suite);
	for (unsigned i = 0; i < BURST; i += 3)
		burst->media[i][burst->jobs[i].size - 1] ^= 0x80;
	run(to->crypto, burst, stream, KEY_ARRIVES, 2);
	for (unsigned i = 0; i < BURST; i++) {
		bool is_forged = i % 3 == 0;
		assert_int_equal(burst->jobs[i].verdict,
				 is_forged ? VERDICT_DROP_AUTHENTICATION : VERDICT_FORWARDED);
		if (!is_forged)
			assert_memory_equal(burst->media[i], burst->plain[i],
					    burst->plain_sizes[i]);
	}
	close_pair(from, to, stream);
}

static void a_forgery_in_a_burst_hurts_no_other(void **state)
{
	tell(tested_here(state), forgeries_in_bursts);
}

// A stream of a lost dataplane goes on. What leaves of SRTCP may lose a few reports on the way to the
// index where it has to be, never uses one again.
static void takeover(struct world *world, const struct engine *from, const struct engine *to,
		     uint32_t index, enum suite suite)
{
	struct stream_id stream = open_pair(world, from, to, index, suite);
	struct burst *burst = &world->burst;
	struct message_rollover rollover = { .ssrc = SSRC,
					     .arrives = 700,
					     .leaves = 700,
					     .arrives_sequence = 65530,
					     .leaves_sequence = 65530 };
	set_rollover(from->crypto, stream, rollover);
	set_rollover(to->crypto, stream, rollover);
	unsigned lost = 0;
	for (unsigned i = 0; i < 300; i++) {
		write_burst(burst, 1, index % 2, SSRC, (uint16_t)(65531 + i));
		run(from->crypto, burst, stream, KEY_LEAVES, 2);
		if (burst->jobs[0].verdict != VERDICT_FORWARDED) {
			assert_int_equal(burst->jobs[0].verdict, VERDICT_DROP_CRYPTO_FULL);
			lost++;
			continue;
		}
		if (index % 2)
			assert_true(burst->jobs[0].rollover > 700);
		else
			assert_int_equal(burst->jobs[0].rollover, 700 + (65531 + i) / 65536);
		unprotect(to->crypto, burst, stream);
	}
	bool may_lose = from->row->form == KEY_MASTER && index % 2;
	assert_true(may_lose ? lost < 8 : lost == 0);
	close_pair(from, to, stream);
}

static void a_stream_goes_on_where_another_dataplane_left_it(void **state)
{
	tell(tested_here(state), takeover);
}

// Of many SSRCs, which a sender may change every second.
static void sources(struct world *world, const struct engine *from, const struct engine *to,
		    uint32_t index, enum suite suite)
{
	struct stream_id stream = open_pair(world, from, to, index, suite);
	for (unsigned i = 0; i < 24; i++) {
		uint32_t ssrc = SSRC + (i % 3 ? i : 0);
		write_burst(&world->burst, 5, index % 2, ssrc, (uint16_t)(65520 + i * 5));
		protect_at(from->crypto, &world->burst, stream, suite, 2 + i * 1000000000ull);
		unprotect(to->crypto, &world->burst, stream);
	}
	close_pair(from, to, stream);
}

static void senders_that_change_their_ssrc_are_followed(void **state)
{
	tell(tested_here(state), sources);
}

// Late packets of the former key among those of the new one, and forged ones of either.
static void new_key(struct world *world, const struct engine *from, const struct engine *to,
		    uint32_t index, enum suite suite)
{
	struct stream_id stream = open_pair(world, from, to, index, suite);
	struct burst *late = calloc(1, sizeof(*late));
	struct burst *burst = &world->burst;
	assert_non_null(late);
	write_burst(burst, 8, index % 2, SSRC, 100);
	protect(from->crypto, burst, stream, suite);
	unprotect(to->crypto, burst, stream);
	write_burst(late, 8, index % 2, SSRC, 108);
	protect(from->crypto, late, stream, suite);
	set_key(from->crypto, stream, suite, KEY_LEAVES, world->generation + 77777);
	set_key(to->crypto, stream, suite, KEY_ARRIVES, world->generation + 77777);
	write_burst(burst, 8, index % 2, SSRC, 116);
	protect(from->crypto, burst, stream, suite);
	unprotect(to->crypto, burst, stream);
	late->media[7][late->plain_sizes[7]] ^= 1;
	run(to->crypto, late, stream, KEY_ARRIVES, 2);
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(late->jobs[i].verdict, VERDICT_FORWARDED);
		assert_memory_equal(late->media[i], late->plain[i], late->plain_sizes[i]);
	}
	assert_int_equal(late->jobs[7].verdict, VERDICT_DROP_AUTHENTICATION);
	free(late);
	close_pair(from, to, stream);
}

static void late_packets_of_the_former_key_are_taken(void **state)
{
	tell(tested_here(state), new_key);
}

// As often as there are keys, and once more: nothing of a key is left behind when it goes.
static void keys_come_and_go_without_end(void **state)
{
	struct tested *tested = tested_here(state);
	struct crypto *crypto = tested->engine->crypto;
	for (unsigned i = 0; i < 4 * STREAMS; i++) {
		struct stream_id stream = { STREAM_FIRST + i % 2, ++tested->world->generation };
		enum suite suite = SUITE_NONE + 1 + i % (SUITE_COUNT - 1);
		set_key(crypto, stream, suite, KEY_ARRIVES, i);
		set_key(crypto, stream, suite, KEY_LEAVES, i);
		set_key(crypto, stream, suite, KEY_ARRIVES, i + 1);
	}
	crypto_forget(crypto_of_worker(crypto, 0), STREAM_FIRST);
	crypto_forget(crypto_of_worker(crypto, 0), STREAM_FIRST + 1);
}

static const struct {
	const char *name;
	CMUnitTestFunction function;
} stories[] = {
	{ "every engine takes off what it protects", every_engine_takes_off_what_it_protects },
	{ "every engine refuses what was forged", every_engine_refuses_what_was_forged },
	{ "a forgery in a burst hurts no other", a_forgery_in_a_burst_hurts_no_other },
	{ "a stream goes on where another dataplane left it",
	  a_stream_goes_on_where_another_dataplane_left_it },
	{ "senders that change their SSRC are followed",
	  senders_that_change_their_ssrc_are_followed },
	{ "late packets of the former key are taken", late_packets_of_the_former_key_are_taken },
	{ "keys come and go without end", keys_come_and_go_without_end },
};

#define STORIES (sizeof(stories) / sizeof(stories[0]))

int main(void)
{
	static struct world world;
	static struct tested tested[ENGINES];
	static char names[ENGINES * STORIES][128];
	static struct CMUnitTest tests[ENGINES * STORIES];
	if (!fixture_start_devices() || !start_engines(&world))
		return 1;
	for (unsigned i = 0; i < ENGINES * STORIES; i++) {
		struct engine *engine = &world.engines[i / STORIES];
		tested[i / STORIES] = (struct tested){ &world, engine };
		snprintf(names[i], sizeof(names[i]), "%s: %s", rows[i / STORIES]->name,
			 stories[i % STORIES].name);
		tests[i] = (struct CMUnitTest){ .name = names[i],
						.test_func = stories[i % STORIES].function,
						.initial_state = &tested[i / STORIES] };
	}
	int result = cmocka_run_group_tests_name("engines", tests, NULL, NULL);
	stop_engines(&world);
	rte_eal_cleanup();
	return result;
}
