// Keys through their lives: set, replaced, restored, forgotten, and what the memory holds afterwards.

#include <stdlib.h>
#include <string.h>

#include "dataplane/crypto/batch.h"
#include "tests/unit/crypto/fixture.h"

#define SECOND 1000000000ull

static const struct stream_id rtp = { 4, 9 }, rtcp = { 5, 9 };

struct sent {
	uint8_t media[300];
	uint16_t size;
	enum verdict verdict;
	uint16_t sequence; // as it left
	uint32_t rollover;
};

static const uint8_t *master_of(unsigned seed)
{
	static uint8_t master[DERIVE_MASTER_MAX];
	for (unsigned i = 0; i < sizeof(master); i++)
		master[i] = (uint8_t)(i * 37 + seed * 101);
	return master;
}

static void set(struct crypto *crypto, struct stream_id stream, enum key_way way, unsigned seed,
		uint64_t now_ns)
{
	CHECK_TRUE(fixture_set_key(crypto, stream, SUITE_AES_CM_80, way, master_of(seed), now_ns));
}

static struct sent leave_at(struct crypto *crypto, struct stream_id stream, uint32_t ssrc,
			    uint16_t sequence, uint64_t now_ns)
{
	struct sent sent = { 0 };
	uint16_t size = fixture_write_rtp(sent.media, ssrc, sequence, 160);
	struct crypto_job job = fixture_job(sent.media, size, stream, KEY_LEAVES);
	job.now_ns = now_ns;
	sent.verdict = fixture_run(crypto, &job);
	sent.size = job.size;
	sent.sequence = job.sequence;
	sent.rollover = job.rollover;
	return sent;
}

static struct sent leave(struct crypto *crypto, struct stream_id stream, uint32_t ssrc,
			 uint16_t sequence)
{
	return leave_at(crypto, stream, ssrc, sequence, 1);
}

static enum verdict arrive(struct crypto *crypto, struct stream_id stream, const struct sent *sent,
			   uint64_t now_ns)
{
	uint8_t media[300];
	memcpy(media, sent->media, sent->size);
	struct crypto_job job = fixture_job(media, sent->size, stream, KEY_ARRIVES);
	job.now_ns = now_ns;
	return fixture_run(crypto, &job);
}

static bool is_wiped(struct crypto *crypto, uint32_t stream, enum crypto_place place)
{
	const struct crypto_contexts *contexts = &crypto_of_worker(crypto, 0)->contexts;
	const uint8_t *octets = (const uint8_t *)crypto_context_at(contexts, stream, place);
	for (size_t i = 0; i < contexts->context_size; i++)
		if (octets[i] != 0)
			return false;
	return true;
}

static void check_former_key(struct crypto *crypto)
{
	struct sent old[4], new;
	set(crypto, rtp, KEY_LEAVES, 1, 1);
	set(crypto, rtp, KEY_ARRIVES, 1, 1);
	for (unsigned i = 0; i < 4; i++)
		old[i] = leave(crypto, rtp, 77, (uint16_t)(1000 + i));
	CHECK_NUMBER(arrive(crypto, rtp, &old[0], 1), VERDICT_FORWARDED);
	set(crypto, rtp, KEY_LEAVES, 2, SECOND);
	set(crypto, rtp, KEY_ARRIVES, 2, SECOND);
	CHECK_FALSE(is_wiped(crypto, rtp.index, CRYPTO_FORMER));
	new = leave(crypto, rtp, 77, 1004);
	CHECK_NUMBER(arrive(crypto, rtp, &new, SECOND), VERDICT_FORWARDED);
	CHECK_NUMBER(arrive(crypto, rtp, &old[1], SECOND), VERDICT_FORWARDED);
	CHECK_NUMBER(arrive(crypto, rtp, &old[2], 3 * SECOND - 1), VERDICT_FORWARDED);
	CHECK_FALSE(arrive(crypto, rtp, &old[1], 2 * SECOND) == VERDICT_FORWARDED); // replayed
	CHECK_NUMBER(arrive(crypto, rtp, &old[3], 3 * SECOND), VERDICT_DROP_AUTHENTICATION);
	CHECK_TRUE(is_wiped(crypto, rtp.index, CRYPTO_FORMER));
	CHECK_TRUE(crypto_has_key(crypto_of_worker(crypto, 0), rtp, KEY_ARRIVES));
}

static void a_former_key_is_taken_for_two_seconds_and_wiped(void **state)
{
	(void)state;
	fixture_for_every_engine(check_former_key);
}

// New key, then at once another: one former key at a time; the queue of deadlines stays right.
static void check_quick_changes(struct crypto *crypto)
{
	for (unsigned i = 0; i < 5; i++)
		set(crypto, rtp, KEY_ARRIVES, i, SECOND + i);
	set(crypto, rtcp, KEY_ARRIVES, 1, SECOND * 2);
	set(crypto, rtcp, KEY_ARRIVES, 2, SECOND * 2);
	set(crypto, rtp, KEY_ARRIVES, 7, SECOND * 2 + 5);
	struct sent any = { .size = 100 };
	(void)arrive(crypto, rtp, &any, SECOND * 4);
	CHECK_FALSE(is_wiped(crypto, rtp.index, CRYPTO_FORMER));
	(void)arrive(crypto, rtp, &any, SECOND * 4 + 5);
	CHECK_TRUE(is_wiped(crypto, rtp.index, CRYPTO_FORMER));
	CHECK_TRUE(is_wiped(crypto, rtcp.index, CRYPTO_FORMER));
}

static void keys_that_change_quickly_are_all_wiped_in_time(void **state)
{
	(void)state;
	fixture_for_every_engine(check_quick_changes);
}

static void check_wiping(struct crypto *crypto)
{
	struct crypto_worker *worker = crypto_of_worker(crypto, 0);
	for (unsigned i = 0; i < 2; i++) {
		set(crypto, rtp, KEY_ARRIVES, i, 1);
		set(crypto, rtp, KEY_LEAVES, i, 1);
	}
	for (enum crypto_place place = 0; place < CRYPTO_PLACES; place++)
		CHECK_FALSE(is_wiped(crypto, rtp.index, place));
	crypto_forget(worker, rtp.index);
	for (enum crypto_place place = 0; place < CRYPTO_PLACES; place++)
		CHECK_TRUE(is_wiped(crypto, rtp.index, place));
	CHECK_FALSE(crypto_has_key(worker, rtp, KEY_LEAVES));
	crypto_forget(worker, rtp.index);
	crypto_forget(worker, UINT32_MAX);
}

static void forgetting_leaves_nothing_but_zeroes(void **state)
{
	(void)state;
	fixture_for_every_engine(check_wiping);
}

static void check_generations(struct crypto *crypto)
{
	struct crypto_worker *worker = crypto_of_worker(crypto, 0);
	struct stream_id next = { rtp.index, rtp.generation + 1 };
	set(crypto, rtp, KEY_ARRIVES, 1, 1);
	set(crypto, rtp, KEY_LEAVES, 1, 1);
	set(crypto, next, KEY_ARRIVES, 2, 1);
	CHECK_FALSE(crypto_has_key(worker, rtp, KEY_ARRIVES));
	CHECK_FALSE(crypto_has_key(worker, rtp, KEY_LEAVES));
	CHECK_TRUE(crypto_has_key(worker, next, KEY_ARRIVES));
	CHECK_TRUE(is_wiped(crypto, rtp.index, CRYPTO_LEAVES));
	CHECK_TRUE(is_wiped(crypto, rtp.index, CRYPTO_FORMER));
}

static void a_new_generation_knows_nothing_of_the_last(void **state)
{
	(void)state;
	fixture_for_every_engine(check_generations);
}

static void check_impossible_messages(struct crypto *crypto)
{
	struct crypto_worker *worker = crypto_of_worker(crypto, 0);
	struct message message = { .kind = MESSAGE_STREAM_KEY, .stream = rtp };
	for (unsigned suite = 0; suite < 256; suite++) {
		message.key.suite = (uint8_t)suite;
		bool is_suite = suite > SUITE_NONE && suite < SUITE_COUNT;
		assert_int_equal(crypto_set_key(worker, &message, 1), is_suite);
	}
	message.key.suite = SUITE_AES_CM_80;
	message.key.way = KEY_WAYS;
	CHECK_FALSE(crypto_set_key(worker, &message, 1));
	message.key.way = KEY_ARRIVES;
	message.stream.index = FIXTURE_STREAMS;
	CHECK_FALSE(crypto_set_key(worker, &message, 1));
	CHECK_FALSE(crypto_set_rollover(worker, &message));
	message.stream = (struct stream_id){ 1, 0 };
	CHECK_FALSE(crypto_set_key(worker, &message, 1));
	message.stream = (struct stream_id){ rtp.index, rtp.generation + 1 };
	CHECK_FALSE(crypto_set_rollover(worker, &message));
}

static void messages_that_cannot_be_are_refused(void **state)
{
	(void)state;
	fixture_for_every_engine(check_impossible_messages);
}

// The sender's side goes on at ROC 3; so does ours after the dataplane was lost, both ways.
static void check_restore(struct crypto *crypto)
{
	struct stream_id far = { 8, 1 }, near = { 10, 1 };
	struct message message = { .kind = MESSAGE_STREAM_ROLLOVER, .stream = far };
	message.rollover =
		(struct message_rollover){ .ssrc = 77, .leaves = 3, .leaves_sequence = 65530 };
	set(crypto, far, KEY_LEAVES, 1, 1);
	CHECK_TRUE(crypto_set_rollover(crypto_of_worker(crypto, 0), &message));
	CHECK_NUMBER(leave(crypto, far, 77, 65530).verdict, VERDICT_DROP_REPLAY);
	CHECK_NUMBER(leave(crypto, far, 77, 65520).verdict, VERDICT_DROP_REPLAY);
	struct sent sent = leave(crypto, far, 77, 65535);
	struct sent wrapped = leave(crypto, far, 77, 0);
	CHECK_NUMBER(sent.rollover, 3);
	CHECK_NUMBER(wrapped.rollover, 4);
	set(crypto, near, KEY_ARRIVES, 1, 1);
	CHECK_NUMBER(arrive(crypto, near, &sent, 1), VERDICT_DROP_AUTHENTICATION);
	message.stream = near;
	message.rollover =
		(struct message_rollover){ .ssrc = 77, .arrives = 3, .arrives_sequence = 65533 };
	CHECK_TRUE(crypto_set_rollover(crypto_of_worker(crypto, 0), &message));
	CHECK_NUMBER(arrive(crypto, near, &wrapped, 1), VERDICT_FORWARDED);
	CHECK_NUMBER(arrive(crypto, near, &sent, 1), VERDICT_FORWARDED);
	CHECK_NUMBER(arrive(crypto, near, &sent, 1), VERDICT_DROP_REPLAY);
}

static void a_stream_of_a_lost_dataplane_goes_on(void **state)
{
	(void)state;
	fixture_for_every_engine(check_restore);
}

static void check_copies_in_a_burst(struct crypto *crypto)
{
	struct crypto_job jobs[3], *pointers[3], *done[3];
	uint8_t media[3][300];
	set(crypto, rtp, KEY_LEAVES, 1, 1);
	set(crypto, rtp, KEY_ARRIVES, 1, 1);
	struct sent sent = leave(crypto, rtp, 77, 5);
	for (unsigned i = 0; i < 3; i++) {
		memcpy(media[i], sent.media, sent.size);
		jobs[i] = fixture_job(media[i], sent.size, rtp, KEY_ARRIVES);
		pointers[i] = &jobs[i];
	}
	media[0][20] ^= 1;
	CHECK_NUMBER(crypto_submit(crypto_of_worker(crypto, 0), pointers, 3), 3);
	CHECK_NUMBER(fixture_collect(crypto, done, 3), 3);
	CHECK_NUMBER(jobs[0].verdict, VERDICT_DROP_AUTHENTICATION);
	CHECK_NUMBER(jobs[1].verdict, VERDICT_FORWARDED);
	CHECK_NUMBER(jobs[2].verdict, VERDICT_DROP_REPLAY);
	for (unsigned i = 0; i < 3; i++)
		assert_ptr_equal(done[i], pointers[i]);
}

static void of_copies_in_one_burst_one_passes(void **state)
{
	(void)state;
	fixture_for_every_engine(check_copies_in_a_burst);
}

// The first packets of all, over a wrap, in one burst: the second one's ROC is known only after the
// first was genuine.
static void check_wrap_in_first_burst(struct crypto *crypto)
{
	struct crypto_job jobs[6], *pointers[6], *done[6];
	struct sent sent[6];
	set(crypto, rtp, KEY_LEAVES, 1, 1);
	set(crypto, rtp, KEY_ARRIVES, 1, 1);
	for (unsigned i = 0; i < 6; i++) {
		sent[i] = leave(crypto, rtp, 77, (uint16_t)(65533 + i));
		jobs[i] = fixture_job(sent[i].media, sent[i].size, rtp, KEY_ARRIVES);
		pointers[i] = &jobs[i];
	}
	CHECK_NUMBER(crypto_submit(crypto_of_worker(crypto, 0), pointers, 6), 6);
	CHECK_NUMBER(fixture_collect(crypto, done, 6), 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_ptr_equal(done[i], pointers[i]);
		CHECK_NUMBER(jobs[i].verdict, VERDICT_FORWARDED);
		CHECK_NUMBER(jobs[i].rollover, i < 3 ? 0 : 1);
	}
}

static void a_wrap_within_the_first_burst_is_followed(void **state)
{
	(void)state;
	fixture_for_every_engine(check_wrap_in_first_burst);
}

static void check_restart(struct crypto *crypto)
{
	set(crypto, rtp, KEY_LEAVES, 1, 1);
	set(crypto, rtp, KEY_ARRIVES, 1, 1);
	for (unsigned i = 0; i < 300; i++) {
		struct sent sent = leave(crypto, rtp, 77, (uint16_t)(50000 + i));
		CHECK_NUMBER(arrive(crypto, rtp, &sent, 1), VERDICT_FORWARDED);
	}
	CHECK_NUMBER(leave(crypto, rtp, 77, 40000).verdict, VERDICT_DROP_REPLAY);
	for (unsigned i = 1; i < 300; i++) {
		struct sent sent = leave(crypto, rtp, 77, (uint16_t)(40000 + i));
		CHECK_NUMBER(sent.verdict, VERDICT_FORWARDED);
		CHECK_NUMBER(sent.sequence, 50299 + i);
		CHECK_NUMBER(sent.media[2] << 8 | sent.media[3], 50299 + i);
		CHECK_NUMBER(arrive(crypto, rtp, &sent, 1), VERDICT_FORWARDED);
	}
}

static void a_plain_sender_that_begins_anew_is_not_mute(void **state)
{
	(void)state;
	fixture_for_every_engine(check_restart);
}

static void check_sources(struct crypto *crypto)
{
	set(crypto, rtp, KEY_LEAVES, 1, 1);
	set(crypto, rtp, KEY_ARRIVES, 1, 1);
	for (uint32_t ssrc = 1; ssrc <= 12; ssrc++) {
		struct sent sent = leave_at(crypto, rtp, ssrc * 0x01234567, 65535, ssrc * SECOND);
		CHECK_NUMBER(arrive(crypto, rtp, &sent, 1), VERDICT_FORWARDED);
		sent = leave_at(crypto, rtp, ssrc * 0x01234567, 0, ssrc * SECOND);
		CHECK_NUMBER(sent.rollover, 1);
		CHECK_NUMBER(arrive(crypto, rtp, &sent, 1), VERDICT_FORWARDED);
	}
	CHECK_NUMBER(leave(crypto, rtp, 11 * 0x01234567, 1).verdict, VERDICT_FORWARDED);
	// Whose state is gone may not begin again at index 0.
	CHECK_NUMBER(leave(crypto, rtp, 1 * 0x01234567, 65535).verdict, VERDICT_DROP_REPLAY);
	CHECK_NUMBER(leave(crypto, rtp, 9 * 0x01234567, 7).verdict, VERDICT_DROP_REPLAY);
	set(crypto, rtp, KEY_LEAVES, 2, 1);
	CHECK_NUMBER(leave(crypto, rtp, 1 * 0x01234567, 65535).verdict, VERDICT_FORWARDED);
}

static void every_source_has_its_own_rollover(void **state)
{
	(void)state;
	fixture_for_every_engine(check_sources);
}

// A plain sender whose address is forged: single packets of many SSRCs, between those of the real one.
static void check_flood(struct crypto *crypto)
{
	set(crypto, rtp, KEY_LEAVES, 1, 1);
	uint64_t now_ns = SECOND;
	for (unsigned i = 0; i < 100; i++, now_ns += SECOND / 50) {
		CHECK_NUMBER(leave_at(crypto, rtp, 77, (uint16_t)(65500 + i), now_ns).verdict,
			     VERDICT_FORWARDED);
		for (unsigned n = 0; n < 5; n++)
			(void)leave_at(crypto, rtp, 1000 + i * 5 + n, 1, now_ns);
	}
	// When that is over another SSRC is taken as ever.
	CHECK_NUMBER(leave_at(crypto, rtp, 78, 1, now_ns + SECOND).verdict, VERDICT_FORWARDED);
	CHECK_NUMBER(leave_at(crypto, rtp, 77, 65, now_ns + SECOND).verdict, VERDICT_FORWARDED);
}

static void forged_sources_do_not_take_the_place_of_one_that_speaks(void **state)
{
	(void)state;
	fixture_for_every_engine(check_flood);
}

// Who recorded a call sends its beginning again, when its sender has changed its SSRC since.
static void check_flips(struct crypto *crypto)
{
	struct sent first[6] = { 0 }, late;
	set(crypto, rtp, KEY_LEAVES, 1, 1);
	set(crypto, rtp, KEY_ARRIVES, 1, 1);
	for (uint32_t ssrc = 1; ssrc <= 5; ssrc++) {
		first[ssrc] = leave_at(crypto, rtp, ssrc, 100, ssrc * SECOND);
		CHECK_NUMBER(arrive(crypto, rtp, &first[ssrc], 1), VERDICT_FORWARDED);
	}
	for (uint32_t ssrc = 1; ssrc <= 5; ssrc++)
		CHECK_NUMBER(arrive(crypto, rtp, &first[ssrc], 1), VERDICT_DROP_REPLAY);
	late = leave_at(crypto, rtp, 5, 101, 6 * SECOND);
	// Nor under a former key.
	set(crypto, rtp, KEY_ARRIVES, 2, 1);
	for (uint32_t ssrc = 1; ssrc <= 5; ssrc++)
		CHECK_TRUE(arrive(crypto, rtp, &first[ssrc], 2) != VERDICT_FORWARDED);
	CHECK_NUMBER(arrive(crypto, rtp, &late, 2), VERDICT_FORWARDED);
	// The same SSRCs under the new key are new.
	set(crypto, rtp, KEY_LEAVES, 2, 2);
	for (uint32_t ssrc = 1; ssrc <= 5; ssrc++) {
		struct sent sent = leave_at(crypto, rtp, ssrc, 100, (6 + ssrc) * SECOND);
		CHECK_NUMBER(arrive(crypto, rtp, &sent, 2), VERDICT_FORWARDED);
	}
}

static void changes_of_ssrc_let_nothing_arrive_twice(void **state)
{
	(void)state;
	fixture_for_every_engine(check_flips);
}

// SRTCP that leaves never uses an index twice, whatever its SSRC; what arrives has a window.
static void check_rtcp(struct crypto *crypto)
{
	struct sent sent[300];
	set(crypto, rtcp, KEY_LEAVES, 1, 1);
	set(crypto, rtcp, KEY_ARRIVES, 1, 1);
	for (unsigned i = 0; i < 300; i++) {
		memset(&sent[i], 0, sizeof(sent[i]));
		sent[i].media[0] = 0x80;
		sent[i].media[1] = 201;
		sent[i].media[7] = 9;
		struct crypto_job job = fixture_job(sent[i].media, 32, rtcp, KEY_LEAVES);
		CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_FORWARDED);
		CHECK_NUMBER(job.rollover, i + 1);
		sent[i].size = job.size;
	}
	CHECK_NUMBER(arrive(crypto, rtcp, &sent[200], 1), VERDICT_FORWARDED);
	CHECK_NUMBER(arrive(crypto, rtcp, &sent[200], 1), VERDICT_DROP_REPLAY);
	CHECK_NUMBER(arrive(crypto, rtcp, &sent[200 - 127], 1), VERDICT_FORWARDED);
	CHECK_NUMBER(arrive(crypto, rtcp, &sent[200 - 128], 1), VERDICT_DROP_REPLAY);
	CHECK_NUMBER(arrive(crypto, rtcp, &sent[299], 1), VERDICT_FORWARDED);
	CHECK_NUMBER(arrive(crypto, rtcp, &sent[150], 1), VERDICT_DROP_REPLAY);
}

static void srtcp_has_an_index_and_a_window_of_its_own(void **state)
{
	(void)state;
	fixture_for_every_engine(check_rtcp);
}

// More AEAD keys than the engine holds precomputed ones: slower, never wrong; and blocks come back.
static void check_many_aead_keys(const char *engine)
{
	enum { STREAMS = 3000 };
	struct crypto_plan plan = { engine, 1, STREAMS };
	struct crypto *crypto = NULL;
	CHECK_OK(crypto_start(&plan, &crypto));
	for (unsigned round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < STREAMS; i += 2)
			for (unsigned way = 0; way < KEY_WAYS; way++)
				CHECK_TRUE(
					fixture_set_key(crypto, (struct stream_id){ i, 1 + round },
							SUITE_AES_GCM_256, way, master_of(i), 1));
		for (uint32_t i = 0; i < STREAMS; i += 2) {
			struct stream_id stream = { i, 1 + round };
			struct sent sent = leave(crypto, stream, i, 1);
			CHECK_NUMBER(sent.verdict, VERDICT_FORWARDED);
			CHECK_NUMBER(arrive(crypto, stream, &sent, 1), VERDICT_FORWARDED);
		}
	}
	crypto_stop(crypto);
}

static void more_aead_keys_than_blocks_are_no_failure(void **state)
{
	(void)state;
	struct crypto *crypto = fixture_start("ipsec_mb");
	if (crypto)
		check_many_aead_keys("ipsec_mb");
	crypto_stop(crypto);
}

// Four streams a call: RTP and RTCP of both sides.
static void a_call_fits_into_its_memory(void **state)
{
	(void)state;
	CHECK_NUMBER(crypto_context_stream_size(&crypto_ipsec_mb), 1216);
	CHECK_TRUE(4 * crypto_context_stream_size(&crypto_ipsec_mb) <= 4900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_former_key_is_taken_for_two_seconds_and_wiped),
		TEST(keys_that_change_quickly_are_all_wiped_in_time),
		TEST(forgetting_leaves_nothing_but_zeroes),
		TEST(a_new_generation_knows_nothing_of_the_last),
		TEST(messages_that_cannot_be_are_refused),
		TEST(a_stream_of_a_lost_dataplane_goes_on),
		TEST(of_copies_in_one_burst_one_passes),
		TEST(a_wrap_within_the_first_burst_is_followed),
		TEST(a_plain_sender_that_begins_anew_is_not_mute),
		TEST(every_source_has_its_own_rollover),
		TEST(forged_sources_do_not_take_the_place_of_one_that_speaks),
		TEST(changes_of_ssrc_let_nothing_arrive_twice),
		TEST(srtcp_has_an_index_and_a_window_of_its_own),
		TEST(more_aead_keys_than_blocks_are_no_failure),
		TEST(a_call_fits_into_its_memory),
	};
	if (!fixture_start_devices())
		return 1;
	return RUN_TESTS(tests);
}
