// What a changed key must not change: a replay stays one, and no index leaves twice.

#include <string.h>

#include "tests/unit/crypto/fixture.h"

#define SSRC 77
#define SECOND 1000000000ull

static const struct stream_id out = { 4, 9 }, in = { 6, 9 };

struct sent {
	uint8_t media[300];
	uint16_t size;
	enum verdict verdict;
};

static void set(struct crypto *crypto, enum suite suite, unsigned seed, uint64_t now_ns)
{
	uint8_t master[DERIVE_MASTER_MAX];
	for (unsigned i = 0; i < sizeof(master); i++)
		master[i] = (uint8_t)(i * 37 + seed * 101);
	CHECK_TRUE(fixture_set_key(crypto, out, suite, KEY_LEAVES, master, now_ns));
	CHECK_TRUE(fixture_set_key(crypto, in, suite, KEY_ARRIVES, master, now_ns));
}

static struct sent leave(struct crypto *crypto, uint32_t ssrc, uint16_t sequence, unsigned payload)
{
	struct sent sent = { 0 };
	uint16_t size = fixture_write_rtp(sent.media, ssrc, sequence, payload);
	struct crypto_job job = fixture_job(sent.media, size, out, KEY_LEAVES);
	job.now_ns = SECOND;
	sent.verdict = fixture_run(crypto, &job);
	sent.size = job.size;
	return sent;
}

static enum verdict arrive(struct crypto *crypto, const struct sent *sent)
{
	uint8_t media[300];
	memcpy(media, sent->media, sent->size);
	struct crypto_job job = fixture_job(media, sent->size, in, KEY_ARRIVES);
	job.now_ns = SECOND;
	return fixture_run(crypto, &job);
}

// The first key has longer tags than the second, so that the shortest packet is none to it.
static void check_replays(struct crypto *crypto)
{
	const enum suite suites[][2] = { { SUITE_AES_CM_80, SUITE_AES_CM_80 },
					 { SUITE_AES_GCM_128, SUITE_AES_CM_32 },
					 { SUITE_AES_CM_32, SUITE_AES_GCM_256 } };
	for (unsigned i = 0; i < 3; i++) {
		set(crypto, suites[i][0], 2 * i + 1, 1);
		struct sent late = leave(crypto, SSRC, 9, 160);
		struct sent old = leave(crypto, SSRC, 10, 160);
		CHECK_NUMBER(arrive(crypto, &old), VERDICT_FORWARDED);
		set(crypto, suites[i][1], 2 * i + 2, SECOND);
		struct sent first = leave(crypto, SSRC, 11, 160);
		struct sent shortest = leave(crypto, SSRC, 12, 0);
		CHECK_NUMBER(arrive(crypto, &first), VERDICT_FORWARDED);
		CHECK_NUMBER(arrive(crypto, &first), VERDICT_DROP_REPLAY);
		CHECK_NUMBER(arrive(crypto, &shortest), VERDICT_FORWARDED);
		CHECK_NUMBER(arrive(crypto, &shortest), VERDICT_DROP_REPLAY);
		CHECK_NUMBER(arrive(crypto, &late), VERDICT_FORWARDED);
		assert_int_not_equal(arrive(crypto, &late), VERDICT_FORWARDED);
		assert_int_not_equal(arrive(crypto, &old), VERDICT_FORWARDED);
		struct sent forged = leave(crypto, SSRC, 13, 160);
		forged.media[20] ^= 1;
		CHECK_NUMBER(arrive(crypto, &forged), VERDICT_DROP_AUTHENTICATION);
	}
}

static bool set_rollover(struct crypto *crypto, struct stream_id stream, uint32_t ssrc,
			 uint32_t leaves, uint16_t sequence)
{
	struct message message = {
		.kind = MESSAGE_STREAM_ROLLOVER,
		.stream = stream,
		.rollover = { .ssrc = ssrc, .leaves = leaves, .leaves_sequence = sequence },
	};
	return crypto_set_rollover(crypto_of_worker(crypto, 0), &message);
}

static void check_never_back(struct crypto *crypto)
{
	set(crypto, SUITE_AES_CM_80, 1, 1);
	CHECK_TRUE(set_rollover(crypto, out, SSRC, 3, 100));
	CHECK_NUMBER(leave(crypto, SSRC, 101, 160).verdict, VERDICT_FORWARDED);
	CHECK_FALSE(set_rollover(crypto, out, SSRC, 3, 100));
	CHECK_FALSE(set_rollover(crypto, out, SSRC, 2, 60000));
	CHECK_NUMBER(leave(crypto, SSRC, 101, 160).verdict, VERDICT_DROP_REPLAY);
	CHECK_NUMBER(leave(crypto, SSRC, 102, 160).verdict, VERDICT_FORWARDED);
	// One that is not the last that spoke is not forgotten, nor are others in its favour.
	CHECK_NUMBER(leave(crypto, SSRC + 1, 7, 160).verdict, VERDICT_FORWARDED);
	CHECK_FALSE(set_rollover(crypto, out, SSRC, 3, 101));
	CHECK_TRUE(set_rollover(crypto, out, SSRC, 4, 0));
	CHECK_NUMBER(leave(crypto, SSRC, 102, 160).verdict, VERDICT_FORWARDED);
	CHECK_NUMBER(leave(crypto, SSRC + 1, 7, 160).verdict, VERDICT_DROP_REPLAY);
	for (uint32_t other = 2; other < 6; other++)
		CHECK_TRUE(set_rollover(crypto, out, SSRC + other, 0, 50));
	CHECK_NUMBER(leave(crypto, SSRC, 103, 160).verdict, VERDICT_DROP_REPLAY);
}

static struct crypto_job leave_report(struct crypto *crypto, struct stream_id rtcp, uint32_t ssrc)
{
	uint8_t media[300] = { 0x80, 201, 0, 1, 0, 0, 0, (uint8_t)ssrc };
	struct crypto_job job = fixture_job(media, 8, rtcp, KEY_LEAVES);
	job.is_rtcp = true;
	job.clear_size = 8;
	CHECK_NUMBER(fixture_run(crypto, &job), VERDICT_FORWARDED);
	job.media = NULL;
	return job;
}

static void check_reports_never_back(struct crypto *crypto)
{
	const struct stream_id rtcp = { 5, 9 };
	uint8_t master[DERIVE_MASTER_MAX] = { 1 };
	CHECK_TRUE(fixture_set_key(crypto, rtcp, SUITE_AES_CM_80, KEY_LEAVES, master, 1));
	if (crypto_key_form(crypto) == KEY_MASTER)
		return; // its library has an index of its own
	CHECK_TRUE(set_rollover(crypto, rtcp, SSRC, 5000, 0));
	uint32_t index = leave_report(crypto, rtcp, SSRC).rollover;
	assert_true(index > 5000);
	CHECK_FALSE(set_rollover(crypto, rtcp, SSRC, 4000, 0));
	CHECK_FALSE(set_rollover(crypto, rtcp, SSRC + 1, 0, 0));
	CHECK_NUMBER(leave_report(crypto, rtcp, SSRC + 1).rollover, index + 1);
}

static void a_replay_is_one_also_beside_a_former_key(void **state)
{
	(void)state;
	fixture_for_every_engine(check_replays);
}

static void an_index_of_what_leaves_never_goes_back(void **state)
{
	(void)state;
	fixture_for_every_engine(check_never_back);
}

static void an_index_of_a_report_never_goes_back(void **state)
{
	(void)state;
	fixture_for_every_engine(check_reports_never_back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_replay_is_one_also_beside_a_former_key),
		TEST(an_index_of_what_leaves_never_goes_back),
		TEST(an_index_of_a_report_never_goes_back),
	};
	if (!fixture_start_devices())
		return 1;
	return RUN_TESTS(tests);
}
