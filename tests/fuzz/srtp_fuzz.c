// Packets through the door of SRTP, in bursts of every suite: what we seal opens once, as it was, and
// never again; what nobody sealed never opens; and nothing is touched but the packet and its room.
// Input: steps of an octet of what (see enum), one of how many 100 ms have passed or which bit is
// turned, one of how many octets follow, one of how many times six octets of filling, and the octets.
// Runs on: the fuzzer's thread, or the replay's. TRUNKD_ENGINE names an engine other than the fastest.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dataplane/crypto/crypto.h"
#include "dataplane/packet.h"

#define STREAMS 16 // of each suite: sealing RTP, RTCP, opening RTP, RTCP
#define OPENING 2 // above the sealing one
#define SLOTS 32
#define SSRCS 4 // one more than both ends remember for certain
#define PAGE 4096
#define CANARY 0xc3
#define SURE_TAG 10 // a tag of four octets can be met by chance

enum step { SEAL, SEAL_TOO, ARRIVE, AGAIN, REKEY, ROLLOVER, BEGIN_ANEW, FLUSH }; // bits 3 to 5
#define IS_RTCP 4 // the suite is below it

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct slot { // its page ends where its packet's room ends; what is behind it cannot be read
	struct crypto_job job;
	uint8_t *page;
	uint16_t size; // as it was
	uint8_t was[PACKET_PAYLOAD_MAX];
	bool is_forged;
};

struct world {
	struct crypto *crypto;
	struct crypto_worker *worker;
	struct slot slots[SLOTS], opening;
	unsigned count; // slots in the engine
	uint32_t generation;
	uint16_t key; // makes each new one another
	uint64_t now_ns;
	uint8_t last[STREAMS][PACKET_PAYLOAD_MAX + CRYPTO_ROOM]; // sealed, by sealing stream
	uint16_t last_size[STREAMS], last_clear[STREAMS];
	uint32_t ssrcs[STREAMS][SSRCS]; // that were to be sealed
	uint8_t ssrc_count[STREAMS]; // SSRCS: or more
};

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static uint8_t *take_page(void)
{
	uint8_t *pages =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	require(pages != MAP_FAILED && mprotect(pages + PAGE, PAGE, PROT_NONE) == 0);
	return pages;
}

static void start(struct world *world)
{
	const char *engine = getenv("TRUNKD_ENGINE");
	struct crypto_plan plan = { engine ? engine : "auto", 1, STREAMS };
	require(crypto_start(&plan, &world->crypto) == OK);
	world->worker = crypto_of_worker(world->crypto, 0);
	for (unsigned i = 0; i < SLOTS; i++)
		world->slots[i].page = take_page();
	world->opening.page = take_page();
	world->now_ns = 1;
}

static void set_key(struct world *world, unsigned stream, uint16_t key)
{
	unsigned sealing = stream & ~(unsigned)OPENING;
	struct message message = { .kind = MESSAGE_STREAM_KEY,
				   .stream = { stream, world->generation } };
	message.key.suite = (uint8_t)(SUITE_NONE + 1 + stream / 4);
	message.key.way = stream == sealing ? KEY_LEAVES : KEY_ARRIVES;
	for (unsigned i = 0; i < sizeof(message.key.octets); i++)
		message.key.octets[i] = (uint8_t)((key >> i % 2 * 8) + sealing * 7 + i);
	require(crypto_set_key(world->worker, &message, world->now_ns));
	require(crypto_has_key(world->worker, message.stream, message.key.way));
}

static void begin(struct world *world)
{
	world->generation++;
	world->generation += world->generation == 0;
	for (unsigned i = 0; i < STREAMS; i++) {
		crypto_forget(world->worker, i);
		world->last_size[i] = 0;
		world->ssrc_count[i] = 0;
		set_key(world, i, 0);
	}
}

// As packet_parse has it. 0: no such packet gets here.
static uint16_t clear_size_of(const uint8_t *media, size_t size, bool is_rtcp)
{
	size_t least = is_rtcp ? PACKET_RTCP_CLEAR_SIZE : PACKET_RTP_SIZE;
	if (size < least || is_rtcp)
		return size < least ? 0 : (uint16_t)least;
	least += 4u * (media[0] & 0x0f);
	if (media[0] & 0x10) {
		if (size < least + 4)
			return 0;
		least += 4u + 4u * (unsigned)(media[least + 2] << 8 | media[least + 3]);
	}
	return least > size ? 0 : (uint16_t)least;
}

static struct crypto_job *fill(struct world *world, struct slot *slot, unsigned stream,
			       const uint8_t *octets, uint16_t size)
{
	memset(slot->page, CANARY, PAGE);
	uint8_t *media = slot->page + PAGE - CRYPTO_ROOM - size;
	memcpy(media, octets, size);
	memcpy(slot->was, octets, size < sizeof(slot->was) ? size : sizeof(slot->was));
	slot->size = size;
	slot->is_forged = false;
	slot->job = (struct crypto_job){ .media = media,
					 .size = size,
					 .way = stream & OPENING ? KEY_ARRIVES : KEY_LEAVES,
					 .is_rtcp = stream % 2,
					 .stream = { stream, world->generation },
					 .now_ns = world->now_ns,
					 .owner = slot };
	return &slot->job;
}

static void check_front(const struct slot *slot)
{
	for (const uint8_t *octet = slot->page; octet < slot->job.media; octet++)
		require(*octet == CANARY);
}

// A sealed packet at the side it is for.
static enum verdict open_one(struct world *world, unsigned stream, const uint8_t *octets,
			     uint16_t size, uint16_t clear_size)
{
	struct crypto_job *job = fill(world, &world->opening, stream + OPENING, octets, size);
	struct crypto_job *done = NULL;
	job->clear_size = clear_size;
	require(crypto_submit(world->worker, &job, 1) == 1);
	while (crypto_collect(world->worker, &done, 1) == 0)
		;
	require(done == job && crypto_in_flight(world->worker) == 0);
	check_front(&world->opening);
	return job->verdict;
}

static void note_ssrc(struct world *world, unsigned stream, const uint8_t *media)
{
	uint32_t ssrc;
	memcpy(&ssrc, media + (stream % 2 ? 4 : 8), sizeof(ssrc));
	for (unsigned i = 0; i < world->ssrc_count[stream]; i++)
		if (world->ssrcs[stream][i] == ssrc)
			return;
	if (world->ssrc_count[stream] < SSRCS)
		world->ssrcs[stream][world->ssrc_count[stream]++] = ssrc;
}

// Of many SSRCs the two ends may remember others: who was forgotten begins with ROC 0 again, or is not
// heard any more.
static bool may_be_lost(const struct world *world, const struct crypto_job *job)
{
	return world->ssrc_count[job->stream.index] == SSRCS;
}

static void check_sealed(struct world *world, const struct slot *slot)
{
	const struct crypto_job *job = &slot->job;
	unsigned stream = job->stream.index;
	const struct suite_facts *facts = suite_facts((enum suite)(SUITE_NONE + 1 + stream / 4));
	unsigned added = stream % 2 ? facts->rtcp_tag_size + 4u : facts->tag_size;
	if (job->verdict != VERDICT_FORWARDED)
		return; // it would use an index twice
	require(job->size == slot->size + added);
	memcpy(world->last[stream], job->media, job->size);
	world->last_size[stream] = job->size;
	world->last_clear[stream] = job->clear_size;
	enum verdict verdict =
		open_one(world, stream, world->last[stream], job->size, job->clear_size);
	const struct crypto_job *opened = &world->opening.job;
	if (verdict != VERDICT_FORWARDED && may_be_lost(world, job))
		return;
	require(verdict == VERDICT_FORWARDED && opened->size == slot->size);
	require(opened->rollover == job->rollover && opened->sequence == job->sequence);
	bool is_renumbered = stream % 2 == 0; // where its sender began again
	require(memcmp(opened->media, slot->was, 2) == 0);
	require(is_renumbered || memcmp(opened->media + 2, slot->was + 2, 2) == 0);
	require(memcmp(opened->media + 4, slot->was + 4, slot->size - 4u) == 0);
	verdict = open_one(world, stream, world->last[stream], job->size, job->clear_size);
	// While a former key is there it was tried as well, and changes nothing.
	require(verdict == VERDICT_DROP_REPLAY);
}

static void check_opened(const struct slot *slot)
{
	const struct suite_facts *facts =
		suite_facts((enum suite)(SUITE_NONE + 1 + slot->job.stream.index / 4));
	bool is_sure = slot->job.is_rtcp || facts->tag_size >= SURE_TAG;
	require(slot->job.verdict != VERDICT_FORWARDED || (!is_sure && slot->is_forged));
	require(slot->job.size == slot->size || slot->job.verdict == VERDICT_FORWARDED);
}

static void flush(struct world *world)
{
	struct crypto_job *done[SLOTS];
	unsigned count = 0;
	while (count < world->count)
		count += crypto_collect(world->worker, done + count, SLOTS - count);
	require(crypto_in_flight(world->worker) == 0);
	for (unsigned i = 0; i < count; i++) {
		struct slot *slot = done[i]->owner;
		require(slot == &world->slots[i]); // in their order, which is more than is promised
		check_front(slot);
		if (slot->job.way == KEY_LEAVES)
			check_sealed(world, slot);
		else
			check_opened(slot);
	}
	world->count = 0;
}

static void submit(struct world *world, unsigned stream, const uint8_t *octets, uint16_t size,
		   uint16_t clear_size)
{
	struct slot *slot = &world->slots[world->count];
	struct crypto_job *job = fill(world, slot, stream, octets, size);
	job->clear_size = clear_size;
	slot->is_forged = stream & OPENING;
	if (!(stream & OPENING))
		note_ssrc(world, stream, octets);
	require(crypto_submit(world->worker, &job, 1) == 1);
	if (++world->count == SLOTS)
		flush(world);
}

// The packet sealed last, with one bit turned, or as it is: once more, and refused.
static void submit_again(struct world *world, unsigned stream, uint8_t which)
{
	static uint8_t octets[PACKET_PAYLOAD_MAX + CRYPTO_ROOM];
	uint16_t size = world->last_size[stream];
	if (size == 0)
		return;
	memcpy(octets, world->last[stream], size);
	if (which > 0)
		octets[which * 7u % size] ^= (uint8_t)(1 << which % 8);
	uint16_t clear_size = clear_size_of(octets, size, stream % 2);
	if (clear_size > 0)
		submit(world, stream + OPENING, octets, size, clear_size);
}

static void rekey(struct world *world, unsigned stream)
{
	world->key++;
	set_key(world, stream, world->key);
	set_key(world, stream + OPENING, world->key);
}

// Behind its key, as it comes when a dataplane was lost: both ends go on at the same index.
static void roll_over(struct world *world, unsigned stream, const uint8_t *octets, size_t size)
{
	struct message message = { .kind = MESSAGE_STREAM_ROLLOVER,
				   .stream = { stream, world->generation } };
	rekey(world, stream);
	memcpy(&message.rollover, octets,
	       size < sizeof(message.rollover) ? size : sizeof(message.rollover));
	message.rollover.arrives = message.rollover.leaves;
	message.rollover.arrives_sequence = message.rollover.leaves_sequence;
	require(crypto_set_rollover(world->worker, &message));
	message.stream.index += OPENING;
	require(crypto_set_rollover(world->worker, &message));
}

static void take_step(struct world *world, uint8_t what, uint8_t aux, const uint8_t *octets,
		      uint16_t size)
{
	unsigned stream = (what & 3u) * 4 + (what & IS_RTCP ? 1 : 0);
	uint16_t clear_size = clear_size_of(octets, size, stream % 2);
	enum step step = (enum step)(what >> 3 & 7);
	if (step >= REKEY)
		flush(world);
	switch (step) {
	case SEAL:
	case SEAL_TOO:
		if (clear_size > 0)
			submit(world, stream, octets, size, clear_size);
		break;
	case ARRIVE:
		if (clear_size > 0)
			submit(world, stream + OPENING, octets, size, clear_size);
		break;
	case AGAIN:
		submit_again(world, stream, aux);
		break;
	case REKEY:
		rekey(world, stream);
		break;
	case ROLLOVER:
		roll_over(world, stream, octets, size);
		break;
	case BEGIN_ANEW:
		begin(world);
		break;
	case FLUSH:
		world->now_ns += aux * 100000000ull;
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	static uint8_t octets[UINT8_MAX * 7];
	if (!world.crypto)
		start(&world);
	world.key = 0;
	begin(&world);
	while (size >= 4) {
		const uint8_t *head = data;
		size_t given = data[2] < size - 4 ? data[2] : size - 4;
		size_t whole = given + data[3] * 6u;
		whole = whole < PACKET_PAYLOAD_MAX ? whole : PACKET_PAYLOAD_MAX;
		memset(octets, head[3], sizeof(octets));
		memcpy(octets, data + 4, given);
		data += 4 + given;
		size -= 4 + given;
		take_step(&world, head[0], head[1], octets, (uint16_t)whole);
	}
	flush(&world);
	return 0;
}
