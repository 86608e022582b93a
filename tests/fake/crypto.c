// A stand-in for the door to SRTP, for tests of what is around it. A key is one octet, the first of the
// message's; a packet with a tag of that octet is authentic, and a sequence number may come once.
// Runs on: the thread of the test.

#include "tests/fake/crypto.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct fake_stream {
	uint32_t generation;
	bool has_key[KEY_WAYS];
	uint8_t keys[KEY_WAYS];
	bool is_used;
	uint16_t last;
};

struct crypto_worker {
	struct fake_stream *streams;
	struct crypto_job *queue[CRYPTO_JOBS_MAX];
	unsigned due[CRYPTO_JOBS_MAX]; // collects from now
	unsigned count, delay, room;
};

struct crypto {
	struct crypto_worker worker;
};

struct crypto *fake_crypto_create(uint32_t stream_count)
{
	struct crypto *crypto = calloc(1, sizeof(*crypto));
	assert(crypto);
	crypto->worker.streams = calloc(stream_count, sizeof(struct fake_stream));
	crypto->worker.room = CRYPTO_JOBS_MAX;
	assert(crypto->worker.streams);
	return crypto;
}

void fake_crypto_set_delay(struct crypto *crypto, unsigned collects)
{
	crypto->worker.delay = collects;
}

void fake_crypto_set_room(struct crypto *crypto, unsigned jobs)
{
	crypto->worker.room = jobs;
}

static void invert(uint8_t *media, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		media[i] = (uint8_t)~media[i];
}

size_t fake_crypto_protect(uint8_t *media, size_t size, size_t clear_size, uint8_t key)
{
	invert(media, clear_size, size);
	memset(media + size, key, FAKE_CRYPTO_TAG_SIZE);
	return size + FAKE_CRYPTO_TAG_SIZE;
}

void crypto_stop(struct crypto *crypto)
{
	if (crypto)
		free(crypto->worker.streams);
	free(crypto);
}

struct crypto_worker *crypto_of_worker(struct crypto *crypto, unsigned worker)
{
	(void)worker;
	return &crypto->worker;
}

bool crypto_set_key(struct crypto_worker *crypto, const struct message *message, uint64_t now_ns)
{
	struct fake_stream *stream = &crypto->streams[message->stream.index];
	(void)now_ns;
	if (stream->generation != message->stream.generation)
		*stream = (struct fake_stream){ .generation = message->stream.generation };
	stream->has_key[message->key.way] = true;
	stream->keys[message->key.way] = message->key.octets[0];
	stream->is_used = false;
	return true;
}

bool crypto_set_rollover(struct crypto_worker *crypto, const struct message *message)
{
	struct fake_stream *stream = &crypto->streams[message->stream.index];
	stream->last = message->rollover.arrives_sequence;
	return stream->is_used = stream->generation == message->stream.generation;
}

void crypto_forget(struct crypto_worker *crypto, uint32_t stream)
{
	crypto->streams[stream] = (struct fake_stream){ 0 };
}

bool crypto_has_key(const struct crypto_worker *crypto, struct stream_id stream, enum key_way way)
{
	const struct fake_stream *found = &crypto->streams[stream.index];
	return found->generation == stream.generation && found->has_key[way];
}

static enum verdict open(struct fake_stream *stream, struct crypto_job *job)
{
	uint8_t tag[FAKE_CRYPTO_TAG_SIZE];
	memset(tag, stream->keys[KEY_ARRIVES], sizeof(tag));
	if (job->size < job->clear_size + sizeof(tag))
		return VERDICT_DROP_TRUNCATED;
	size_t size = job->size - sizeof(tag);
	if (memcmp(job->media + size, tag, sizeof(tag)) != 0)
		return VERDICT_DROP_AUTHENTICATION;
	if (stream->is_used && job->sequence == stream->last)
		return VERDICT_DROP_REPLAY;
	stream->is_used = true;
	stream->last = job->sequence;
	invert(job->media, job->clear_size, size);
	job->size = (uint16_t)size;
	return VERDICT_FORWARDED;
}

static void run(struct crypto_worker *crypto, struct crypto_job *job)
{
	struct fake_stream *stream = &crypto->streams[job->stream.index];
	job->sequence = (uint16_t)(job->media[2] << 8 | job->media[3]);
	job->rollover = 1;
	if (!crypto_has_key(crypto, job->stream, job->way)) {
		job->verdict = VERDICT_DROP_AUTHENTICATION;
	} else if (job->way == KEY_ARRIVES) {
		job->verdict = open(stream, job);
	} else {
		job->size = (uint16_t)fake_crypto_protect(job->media, job->size, job->clear_size,
							  stream->keys[KEY_LEAVES]);
		job->verdict = VERDICT_FORWARDED;
	}
}

unsigned crypto_submit(struct crypto_worker *crypto, struct crypto_job *const *jobs, unsigned count)
{
	unsigned taken = 0;
	for (; taken < count && crypto->count < crypto->room; taken++) {
		crypto->due[crypto->count] = crypto->delay;
		crypto->queue[crypto->count++] = jobs[taken];
	}
	return taken;
}

unsigned crypto_collect(struct crypto_worker *crypto, struct crypto_job **out_jobs, unsigned max)
{
	unsigned done = 0, left = 0;
	for (unsigned i = 0; i < crypto->count; i++) {
		if (crypto->due[i] == 0 && done < max) {
			run(crypto, crypto->queue[i]);
			out_jobs[done++] = crypto->queue[i];
			continue;
		}
		crypto->due[left] = crypto->due[i] - (crypto->due[i] > 0);
		crypto->queue[left++] = crypto->queue[i];
	}
	crypto->count = left;
	return done;
}

unsigned crypto_in_flight(const struct crypto_worker *crypto)
{
	return crypto->count;
}

// What programs ask at their start.

enum status crypto_start(const struct crypto_plan *plan, struct crypto **out_crypto)
{
	*out_crypto = fake_crypto_create(plan->stream_count);
	return OK;
}

const char *crypto_engine(const struct crypto *crypto)
{
	(void)crypto;
	return "fake";
}

enum key_form crypto_key_form(const struct crypto *crypto)
{
	(void)crypto;
	return KEY_SESSION;
}

const char *crypto_engine_names(void)
{
	return "auto, fake, off";
}
