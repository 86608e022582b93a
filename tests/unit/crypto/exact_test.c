// Every octet and every verdict against libsrtp2, one srtp_t a stream, both ways, over random suites,
// sizes, headers, loss, reordering, duplicates, replays, forgeries and wraps, in bursts of all streams.
// TRUNKD_EXACT_PACKETS sets how many (default 200,000 for the first engine, a quarter for the others),
// TRUNKD_SEED where the dice begin, TRUNKD_ENGINE which engine, TRUNKD_EXACT_SUITE which suite alone.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "tests/unit/crypto/fixture.h"

#define FLOWS 48 // half of them RTCP
#define HELD 6 // packets on their way, from which the next to arrive is drawn
#define HISTORY 192 // packets that were there, for replays in and outside the window
#define HISTORY_RECENT 64 // of what leaves
#define LEAVING_CHANGES 6 // of an SSRC; of many, ours refuses a new one now and then
#define BURST_MAX 48
#define CANARY 0x5a

struct packet {
	uint8_t octets[FIXTURE_MEDIA_MAX];
	uint16_t size, clear_size;
};

struct flow {
	struct stream_id stream;
	enum suite suite;
	enum key_way way;
	bool is_rtcp;
	srtp_t sender, reference; // sender of what arrives; who says what is right
	uint32_t ssrc;
	uint16_t sequence;
	uint64_t made, jumped; // packets; when it jumped last
	unsigned held_count, history_count, changes; // of its SSRC
	struct packet held[HELD], history[HISTORY];
};

struct trial { // one packet in a burst
	struct crypto_job job;
	uint8_t media[FIXTURE_MEDIA_MAX + CRYPTO_ROOM + 16];
	uint8_t expected[FIXTURE_MEDIA_MAX + CRYPTO_ROOM + SRTP_MAX_TRAILER_LEN];
	int expected_size;
	uint16_t given_size;
	srtp_err_status_t expected_status;
	struct flow *flow;
};

struct tally {
	uint64_t packets, forwarded, replays, refused, wraps, sources;
};

struct world {
	struct crypto *crypto;
	struct flow *flows;
	struct trial *trials;
	uint64_t dice;
	enum suite only; // SUITE_NONE: all
	struct tally tally;
};

static uint32_t roll(struct world *world, uint32_t sides)
{
	world->dice ^= world->dice << 13;
	world->dice ^= world->dice >> 7;
	world->dice ^= world->dice << 17;
	return (uint32_t)(world->dice >> 32) % sides;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);
	return value ? strtoull(value, NULL, 10) : otherwise;
}

static srtp_t create_reference(enum suite suite, uint8_t *master, bool is_outbound)
{
	srtp_policy_t policy = { 0 };
	srtp_crypto_policy_set_rtp_default(&policy.rtcp); // 80 bits, whatever RTP has
	switch (suite) {
	case SUITE_AES_CM_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
		break;
	case SUITE_AES_GCM_128:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
		break;
	case SUITE_AES_GCM_256:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
		break;
	default:
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
	}
	policy.key = master;
	policy.window_size = 128;
	policy.ssrc.type = is_outbound ? ssrc_any_outbound : ssrc_any_inbound;
	srtp_t session = NULL;
	assert_int_equal(srtp_create(&session, &policy), srtp_err_status_ok);
	return session;
}

// A start that lets what comes late still have an index: RFC 3711 has none before the first.
static uint16_t first_sequence(struct world *world)
{
	return (uint16_t)(roll(world, 2) ? 65536 - 1 - 64 - roll(world, 600)
					 : 512 + roll(world, 65536 - 512));
}

static void open_flow(struct world *world, unsigned i)
{
	struct flow *flow = &world->flows[i];
	uint8_t master[DERIVE_MASTER_MAX];
	for (unsigned k = 0; k < sizeof(master); k++)
		master[k] = (uint8_t)roll(world, 256);
	memset(flow, 0, sizeof(*flow));
	flow->stream = (struct stream_id){ i, 7 };
	flow->is_rtcp = i % 2;
	flow->way = i / 2 % 2 ? KEY_LEAVES : KEY_ARRIVES;
	flow->suite = 1 + i / 4 % (SUITE_COUNT - 1);
	if (world->only != SUITE_NONE)
		flow->suite = world->only;
	flow->ssrc = roll(world, UINT32_MAX);
	flow->sequence = first_sequence(world);
	if (flow->way == KEY_ARRIVES)
		flow->sender = create_reference(flow->suite, master, true);
	flow->reference = create_reference(flow->suite, master, flow->way == KEY_LEAVES);
	assert_true(
		fixture_set_key(world->crypto, flow->stream, flow->suite, flow->way, master, 1));
}

static void close_flow(struct flow *flow)
{
	if (flow->sender)
		srtp_dealloc(flow->sender);
	srtp_dealloc(flow->reference);
}

static void fill(struct world *world, uint8_t *octets, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		octets[i] = (uint8_t)(i ^ world->dice);
}

static void write_rtp(struct world *world, struct flow *flow, struct packet *out)
{
	unsigned sources = roll(world, 8) ? 0 : roll(world, 16);
	unsigned words = roll(world, 8) ? 0 : 1 + roll(world, 8);
	unsigned payload = roll(world, 4) ? 160 : roll(world, 1401);
	uint8_t *octets = out->octets;
	out->size = fixture_write_rtp(octets, flow->ssrc, flow->sequence, 0);
	octets[0] = (uint8_t)(0x80 | (words ? 0x10 : 0) | sources);
	fill(world, octets + out->size, sources * 4);
	out->size = (uint16_t)(out->size + sources * 4);
	if (words) {
		const uint8_t extension[4] = { 0xbe, 0xde, 0, (uint8_t)words };
		memcpy(octets + out->size, extension, 4);
		fill(world, octets + out->size + 4, words * 4);
		out->size = (uint16_t)(out->size + 4 + words * 4);
	}
	out->clear_size = out->size;
	fill(world, octets + out->size, payload);
	out->size = (uint16_t)(out->size + payload);
}

static void write_rtcp(struct world *world, struct flow *flow, struct packet *out)
{
	unsigned words = roll(world, 60);
	const uint8_t header[8] = { 0x80,
				    200,
				    0,
				    (uint8_t)(words + 1),
				    (uint8_t)(flow->ssrc >> 24),
				    (uint8_t)(flow->ssrc >> 16),
				    (uint8_t)(flow->ssrc >> 8),
				    (uint8_t)flow->ssrc };
	memcpy(out->octets, header, sizeof(header));
	fill(world, out->octets + 8, words * 4);
	out->size = (uint16_t)(8 + words * 4);
	out->clear_size = 8;
}

// Of what leaves, two packets in a row from far behind are a sender that began anew: we go on where
// libsrtp2 goes mute. Here nobody begins anew, so none may look like it; rollover_test has those.
static void forget_passed(struct flow *flow)
{
	if (flow->way == KEY_LEAVES)
		flow->held_count = flow->history_count = 0;
}

// Lost packets, few or thousands, and a new SSRC now and then: each begins anew. A sender's SSRC does
// not come back, and RTCP that leaves keeps one: there our index is the key's, libsrtp2's the SSRC's.
static void move_on(struct world *world, struct flow *flow)
{
	uint16_t before = flow->sequence;
	unsigned step = 1;
	if (roll(world, 50) == 0)
		step += roll(world, 4);
	// One jump at a time: half the numbers ahead nobody can tell from half behind.
	if (flow->made > flow->jumped + 4 * HELD && roll(world, 400) == 0) {
		step += roll(world, 30000);
		flow->jumped = flow->made;
		forget_passed(flow);
	}
	flow->sequence = (uint16_t)(before + step);
	world->tally.wraps += !flow->is_rtcp && flow->sequence < before;
	bool may_change =
		flow->way == KEY_ARRIVES || (!flow->is_rtcp && flow->changes < LEAVING_CHANGES);
	if (may_change && roll(world, 3000) == 0) {
		flow->ssrc = roll(world, UINT32_MAX);
		flow->sequence = first_sequence(world);
		flow->held_count = flow->history_count = 0;
		flow->changes++;
		world->tally.sources++;
	}
}

static void make(struct world *world, struct flow *flow)
{
	struct packet *packet = &flow->held[flow->held_count];
	if (flow->is_rtcp)
		write_rtcp(world, flow, packet);
	else
		write_rtp(world, flow, packet);
	if (flow->way == KEY_ARRIVES) {
		int size = packet->size;
		srtp_err_status_t status =
			flow->is_rtcp ? srtp_protect_rtcp(flow->sender, packet->octets, &size)
				      : srtp_protect(flow->sender, packet->octets, &size);
		assert_int_equal(status, srtp_err_status_ok);
		packet->size = (uint16_t)size;
	}
	flow->held_count++;
	flow->made++;
	move_on(world, flow);
}

// The next packet of a flow as the network delivers it.
static struct packet draw(struct world *world, struct flow *flow)
{
	if (flow->history_count > 0 && roll(world, 40) == 0) {
		unsigned depth = flow->way == KEY_LEAVES ? HISTORY_RECENT : HISTORY;
		unsigned kept = flow->history_count < depth ? flow->history_count : depth;
		return flow->history[(flow->history_count - 1 - roll(world, kept)) % HISTORY];
	}
	unsigned depth = roll(world, 4) ? 1 : HELD;
	while (flow->held_count < depth && flow->held_count < HELD)
		make(world, flow);
	while (flow->held_count == 0)
		make(world, flow);
	unsigned which = roll(world, 4) ? 0 : roll(world, flow->held_count);
	struct packet packet = flow->held[which];
	memmove(&flow->held[which], &flow->held[which + 1],
		(flow->held_count - which - 1) * sizeof(packet));
	flow->held_count--;
	flow->history[flow->history_count++ % HISTORY] = packet;
	return packet;
}

// Behind the octets that say how long the header is.
static void damage(struct world *world, struct packet *packet)
{
	unsigned how = roll(world, 100);
	if (how == 0) {
		unsigned at = 2 + roll(world, packet->size - 2u);
		bool is_length = at >= 12 && at < packet->clear_size;
		if (!is_length)
			packet->octets[at] ^= (uint8_t)(1u << roll(world, 8));
	} else if (how == 1 && packet->size > packet->clear_size) {
		unsigned left = packet->size - packet->clear_size;
		packet->size = (uint16_t)(packet->clear_size + roll(world, left));
	}
}

static void expect(struct trial *trial)
{
	struct flow *flow = trial->flow;
	trial->expected_size = trial->given_size;
	memcpy(trial->expected, trial->media, trial->given_size);
	if (flow->way == KEY_LEAVES)
		trial->expected_status =
			flow->is_rtcp ? srtp_protect_rtcp(flow->reference, trial->expected,
							  &trial->expected_size)
				      : srtp_protect(flow->reference, trial->expected,
						     &trial->expected_size);
	else
		trial->expected_status =
			flow->is_rtcp ? srtp_unprotect_rtcp(flow->reference, trial->expected,
							    &trial->expected_size)
				      : srtp_unprotect(flow->reference, trial->expected,
						       &trial->expected_size);
}

static void prepare(struct world *world, struct trial *trial)
{
	struct flow *flow = trial->flow = &world->flows[roll(world, FLOWS)];
	struct packet packet = draw(world, flow);
	if (flow->way == KEY_ARRIVES)
		damage(world, &packet);
	memcpy(trial->media, packet.octets, packet.size);
	memset(trial->media + packet.size + CRYPTO_ROOM, CANARY, 16);
	trial->given_size = packet.size;
	trial->job = fixture_job(trial->media, packet.size, flow->stream, flow->way);
	trial->job.clear_size = packet.clear_size;
	trial->job.now_ns = 1 + flow->changes * 1000000000ull; // or the one before speaks still
	trial->job.owner = trial;
	expect(trial);
}

static enum verdict verdict_of(const struct trial *trial)
{
	switch (trial->expected_status) {
	case srtp_err_status_ok:
		return VERDICT_FORWARDED;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
		return VERDICT_DROP_REPLAY;
	default:
		return VERDICT_DROP_AUTHENTICATION;
	}
}

// SRTCP in the clear is refused; whether as that or as a copy, libsrtp2 decides by suite.
static bool is_clear_rtcp(const struct trial *trial)
{
	const struct flow *flow = trial->flow;
	unsigned behind = suite_is_aead(flow->suite) ? 4 : 14;
	return flow->is_rtcp && flow->way == KEY_ARRIVES && trial->given_size >= 8 + behind &&
	       !(trial->media[trial->given_size - behind] & 0x80);
}

static void judge(struct world *world, const struct crypto_job *job)
{
	const struct trial *trial = job->owner;
	enum verdict expected = verdict_of(trial);
	enum verdict verdict = job->verdict;
	bool has_words = verdict == VERDICT_DROP_TRUNCATED ||
			 (verdict == VERDICT_DROP_AUTHENTICATION && is_clear_rtcp(trial));
	if (has_words && expected != VERDICT_FORWARDED)
		verdict = expected; // libsrtp2 has several words for it
	world->tally.packets++;
	world->tally.forwarded += verdict == VERDICT_FORWARDED;
	world->tally.replays += verdict == VERDICT_DROP_REPLAY;
	world->tally.refused += verdict == VERDICT_DROP_AUTHENTICATION;
	if (verdict != expected)
		fail_msg("packet %llu of stream %u: %s, libsrtp2 says %d, size %u, suite %u",
			 (unsigned long long)world->tally.packets, job->stream.index,
			 verdict_label(job->verdict), trial->expected_status, trial->given_size,
			 trial->flow->suite);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(trial->media[trial->given_size + CRYPTO_ROOM + i], CANARY);
	if (verdict != VERDICT_FORWARDED)
		return;
	if (job->size != trial->expected_size)
		fail_msg("packet %llu: %u octets, not %d", (unsigned long long)world->tally.packets,
			 job->size, trial->expected_size);
	assert_memory_equal(job->media, trial->expected, job->size);
}

static void run_burst(struct world *world, unsigned count)
{
	struct crypto_job *jobs[BURST_MAX], *done[BURST_MAX];
	uint32_t seen[FLOWS] = { 0 };
	for (unsigned i = 0; i < count; i++) {
		prepare(world, &world->trials[i]);
		jobs[i] = &world->trials[i].job;
	}
	unsigned half = roll(world, 2) ? count : count / 2;
	struct crypto_worker *worker = crypto_of_worker(world->crypto, 0);
	assert_int_equal(crypto_submit(worker, jobs, half), half);
	assert_int_equal(crypto_submit(worker, jobs + half, count - half), count - half);
	assert_int_equal(fixture_collect(world->crypto, done, BURST_MAX), count);
	for (unsigned i = 0; i < count; i++) {
		unsigned place = (unsigned)((struct trial *)done[i]->owner - world->trials);
		assert_true(seen[done[i]->stream.index] <= place); // each stream's order is kept
		seen[done[i]->stream.index] = place;
		judge(world, done[i]);
	}
}

static void run_engine(const char *engine, uint64_t packets)
{
	struct world world = { .crypto = fixture_start(engine),
			       .dice = setting("TRUNKD_SEED", 1) * 0x9e3779b97f4a7c15ull,
			       .only = (enum suite)setting("TRUNKD_EXACT_SUITE", SUITE_NONE) };
	if (!world.crypto)
		return;
	world.flows = calloc(FLOWS, sizeof(*world.flows));
	world.trials = calloc(BURST_MAX, sizeof(*world.trials));
	assert_non_null(world.flows);
	assert_non_null(world.trials);
	for (unsigned i = 0; i < FLOWS; i++)
		open_flow(&world, i);
	while (world.tally.packets < packets)
		run_burst(&world, 1 + roll(&world, BURST_MAX));
	const struct tally *tally = &world.tally;
	print_message("[  exact   ] %s: %llu packets like libsrtp2's: %llu passed, %llu replays, "
		      "%llu refused; %llu wraps, %llu SSRC changes\n",
		      engine, (unsigned long long)tally->packets,
		      (unsigned long long)tally->forwarded, (unsigned long long)tally->replays,
		      (unsigned long long)tally->refused, (unsigned long long)tally->wraps,
		      (unsigned long long)tally->sources);
	assert_true(tally->forwarded > tally->packets / 2);
	assert_true(packets < 10000 || (tally->replays > 0 && tally->refused > 0));
	for (unsigned i = 0; i < FLOWS; i++)
		close_flow(&world.flows[i]);
	free(world.flows);
	free(world.trials);
	crypto_stop(world.crypto);
}

static void every_engine_does_what_libsrtp2_does(void **state)
{
	(void)state;
	uint64_t packets = setting("TRUNKD_EXACT_PACKETS", 200000);
	const char *const *engines = fixture_engines();
	for (unsigned i = 0; engines[i]; i++)
		run_engine(engines[i], i == 0 ? packets : packets / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_engine_does_what_libsrtp2_does),
	};
	assert_int_equal(srtp_init(), srtp_err_status_ok);
	if (!fixture_start_devices())
		return 1;
	return RUN_TESTS(tests);
}
