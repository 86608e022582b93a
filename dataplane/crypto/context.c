// The keys of streams: set, moved aside, wiped. Runs on: the worker whose streams they are.
// Never allocates, never leaves a key behind that nobody may use any more.

#include "dataplane/crypto/context.h"

#include <string.h>

#include "base/secret.h"

#define LINE 64
// What a lost worker may have sent after its last word: SRTCP skips as many indexes.
#define RESTORE_MARGIN CRYPTO_JOBS_MAX

size_t crypto_context_size(const struct crypto_engine *engine)
{
	return (sizeof(struct crypto_context) + engine->key_size + LINE - 1) / LINE * LINE;
}

size_t crypto_context_stream_size(const struct crypto_engine *engine)
{
	return sizeof(struct crypto_stream) + CRYPTO_PLACES * crypto_context_size(engine);
}

static void wipe(struct crypto_contexts *contexts, struct crypto_context *context)
{
	if (context->suite != SUITE_NONE)
		contexts->engine->clear_key(contexts->engine_worker, context->key);
	secret_wipe(context, contexts->context_size);
}

static void enqueue_former(struct crypto_contexts *contexts, uint32_t index)
{
	struct crypto_stream *stream = crypto_context_stream(contexts, index);
	if (stream->is_queued)
		return;
	stream->is_queued = true;
	if (contexts->queue_count++ == 0)
		contexts->queue_first = index;
	else
		crypto_context_stream(contexts, contexts->queue_last)->next = index;
	contexts->queue_last = index;
}

bool crypto_context_next_expired(const struct crypto_contexts *contexts, uint64_t now_ns,
				 uint32_t *out_stream)
{
	if (contexts->queue_count == 0)
		return false;
	*out_stream = contexts->queue_first;
	return crypto_context_at(contexts, *out_stream, CRYPTO_FORMER)->until_ns <= now_ns;
}

// A stream whose key changed again meanwhile waits once more, at the end.
void crypto_context_expire(struct crypto_contexts *contexts, uint64_t now_ns)
{
	uint32_t index = contexts->queue_first;
	struct crypto_stream *stream = crypto_context_stream(contexts, index);
	struct crypto_context *former = crypto_context_at(contexts, index, CRYPTO_FORMER);
	contexts->queue_first = stream->next;
	contexts->queue_count--;
	stream->is_queued = false;
	if (former->until_ns <= now_ns)
		wipe(contexts, former);
	else
		enqueue_former(contexts, index);
}

void crypto_context_forget(struct crypto_contexts *contexts, uint32_t stream)
{
	for (unsigned place = 0; place < CRYPTO_PLACES; place++)
		wipe(contexts, crypto_context_at(contexts, stream, place));
	crypto_context_stream(contexts, stream)->heard_count = 0;
	memset(crypto_context_stream(contexts, stream)->forgotten, 0,
	       sizeof(crypto_context_stream(contexts, stream)->forgotten));
}

static void forget_older(struct crypto_contexts *contexts, const struct stream_id *stream)
{
	for (unsigned place = 0; place < CRYPTO_PLACES; place++) {
		const struct crypto_context *context =
			crypto_context_at(contexts, stream->index, place);
		if (context->suite != SUITE_NONE && context->generation != stream->generation) {
			crypto_context_forget(contexts, stream->index);
			return;
		}
	}
}

static bool fill(struct crypto_contexts *contexts, struct crypto_context *context,
		 const struct message *message)
{
	const struct message_key *key = &message->key;
	const struct suite_facts *facts = suite_facts(key->suite);
	bool is_rtcp = message->stream.index % MEDIA_PORT_COUNT % 2;
	struct crypto_key taken = { key->suite, key->way, is_rtcp, key->octets };
	if (!contexts->engine->set_key(contexts->engine_worker, context->key, &taken))
		return false;
	memcpy(context->salt, key->octets + facts->key_size, facts->salt_size);
	context->generation = message->stream.generation;
	context->suite = key->suite;
	context->tag_size = is_rtcp ? facts->rtcp_tag_size : facts->tag_size;
	context->is_rtcp = is_rtcp;
	context->is_aead = suite_is_aead(key->suite);
	return true;
}

static void move_aside(struct crypto_contexts *contexts, uint32_t stream, uint64_t now_ns)
{
	struct crypto_context *current = crypto_context_at(contexts, stream, CRYPTO_ARRIVES);
	struct crypto_context *former = crypto_context_at(contexts, stream, CRYPTO_FORMER);
	wipe(contexts, former);
	memcpy(former, current, contexts->context_size);
	secret_wipe(current, contexts->context_size);
	former->until_ns = now_ns + CRYPTO_OLD_KEY_NS;
	enqueue_former(contexts, stream);
}

bool crypto_context_set_key(struct crypto_contexts *contexts, const struct message *message,
			    uint64_t now_ns)
{
	const struct message_key *key = &message->key;
	uint32_t stream = message->stream.index;
	if (stream >= contexts->count || message->stream.generation == 0 ||
	    key->suite == SUITE_NONE || key->suite >= SUITE_COUNT || key->way >= KEY_WAYS)
		return false;
	forget_older(contexts, &message->stream);
	enum crypto_place place = key->way == KEY_ARRIVES ? CRYPTO_ARRIVES : CRYPTO_LEAVES;
	struct crypto_context *context = crypto_context_at(contexts, stream, place);
	if (place == CRYPTO_ARRIVES && context->suite != SUITE_NONE)
		move_aside(contexts, stream, now_ns);
	wipe(contexts, context);
	if (place == CRYPTO_ARRIVES)
		crypto_context_stream(contexts, stream)->heard_count = 0;
	if (place == CRYPTO_LEAVES)
		memset(crypto_context_stream(contexts, stream)->forgotten, 0,
		       sizeof(crypto_context_stream(contexts, stream)->forgotten));
	if (!fill(contexts, context, message))
		return false;
	if (place == CRYPTO_ARRIVES)
		context->until_ns = crypto_context_at(contexts, stream, CRYPTO_FORMER)->until_ns;
	return true;
}

// All of the window counts as seen: what the lost worker passed must not pass again. false: it would go
// back, and what left would leave a second time under the same index (RFC 3711 9.1).
static bool restore(struct crypto_stream *stream, struct crypto_context *context, uint32_t ssrc,
		    uint64_t index)
{
	struct crypto_rollover *state = &context->rollovers[0], forgotten = { 0 };
	bool is_one = stream && context->is_rtcp; // SRTCP that leaves: one index, whatever the SSRC
	const struct crypto_rollover *known =
		is_one ? state : crypto_rollover_find(context->rollovers, ssrc);
	if (known && known->is_used && index < crypto_rollover_highest(known))
		return false;
	if (!is_one)
		state = crypto_rollover_use(context->rollovers, ssrc, &forgotten);
	if (stream && forgotten.is_used)
		crypto_context_note_forgotten(stream, forgotten.ssrc);
	*state = (struct crypto_rollover){
		.window = { ~0ull, ~0ull },
		.ssrc = ssrc,
		.roc = (uint32_t)(index >> 16),
		.s_l = (uint16_t)index,
		.is_used = true,
	};
	return true;
}

bool crypto_context_set_rollover(struct crypto_contexts *contexts, const struct message *message)
{
	const struct message_rollover *rollover = &message->rollover;
	uint32_t stream = message->stream.index;
	if (stream >= contexts->count)
		return false;
	struct crypto_context *arrives = crypto_context_at(contexts, stream, CRYPTO_ARRIVES);
	struct crypto_context *leaves = crypto_context_at(contexts, stream, CRYPTO_LEAVES);
	uint32_t generation = message->stream.generation;
	bool has_arrives = arrives->suite != SUITE_NONE && arrives->generation == generation;
	bool has_leaves = leaves->suite != SUITE_NONE && leaves->generation == generation;
	bool is_rtcp = stream % MEDIA_PORT_COUNT % 2;
	uint64_t arrived = (uint64_t)rollover->arrives << 16 | rollover->arrives_sequence;
	uint64_t left = (uint64_t)rollover->leaves << 16 | rollover->leaves_sequence;
	if (is_rtcp) {
		arrived = rollover->arrives;
		left = (uint64_t)rollover->leaves + RESTORE_MARGIN;
	}
	if (has_arrives)
		has_arrives = restore(NULL, arrives, rollover->ssrc, arrived);
	if (has_leaves)
		has_leaves = restore(crypto_context_stream(contexts, stream), leaves,
				     rollover->ssrc, left);
	return has_arrives || has_leaves;
}

// Four bits an SSRC. The hash is no secret: who chooses the SSRCs also chooses what he says.
static uint32_t bit_of(uint32_t ssrc, unsigned which)
{
	uint64_t mixed = (ssrc + 1ull) * 0x9e3779b97f4a7c15ull;
	mixed = (mixed ^ mixed >> 29) * 0xbf58476d1ce4e5b9ull;
	return (uint32_t)((mixed >> 16 * which & 0xffff) * 320 >> 16);
}

bool crypto_context_was_forgotten(const struct crypto_stream *stream, uint32_t ssrc)
{
	bool was = true;
	for (unsigned i = 0; i < 4; i++)
		was &= stream->forgotten[bit_of(ssrc, i) / 64] >> bit_of(ssrc, i) % 64 & 1;
	return was;
}

void crypto_context_note_forgotten(struct crypto_stream *stream, uint32_t ssrc)
{
	for (unsigned i = 0; i < 4; i++)
		stream->forgotten[bit_of(ssrc, i) / 64] |= 1ull << bit_of(ssrc, i) % 64;
}

#define HEARD_MAX (sizeof(((struct crypto_stream *)0)->heard) / sizeof(uint32_t))

bool crypto_context_was_heard(const struct crypto_stream *stream, uint32_t ssrc)
{
	for (unsigned i = 0; i < stream->heard_count; i++)
		if (stream->heard[i] == ssrc)
			return true;
	return false;
}

void crypto_context_note_heard(struct crypto_stream *stream, uint32_t ssrc)
{
	memmove(&stream->heard[1], &stream->heard[0], (HEARD_MAX - 1) * sizeof(stream->heard[0]));
	stream->heard[0] = ssrc;
	stream->heard_count = (uint8_t)(stream->heard_count + (stream->heard_count < HEARD_MAX));
}
