#pragma once

// The keys of streams, with what was seen under each of them. All lie in one array taken at the start:
// three contexts a stream. Keys are wiped when they are replaced, forgotten, or their time is over.
// Runs on: the worker whose streams they are.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/crypto/engine.h"
#include "dataplane/crypto/rollover.h"

enum crypto_place { CRYPTO_ARRIVES, CRYPTO_LEAVES, CRYPTO_FORMER, CRYPTO_PLACES };

struct crypto_context { // on cache lines of its own
	uint8_t salt[16]; // rest zero
	uint64_t until_ns; // a former key's; what arrives knows its former key's too
	uint32_t generation;
	uint8_t suite; // enum suite; SUITE_NONE: no key
	uint8_t tag_size;
	bool is_rtcp;
	bool is_aead;
	// SRTCP that leaves has one index whatever the SSRC, in the first of these.
	struct crypto_rollover rollovers[CRYPTO_SOURCES];
	_Alignas(64) uint8_t key[]; // the engine's area; it may move, by copying
};

_Static_assert(sizeof(struct crypto_context) == 128, "two cache lines and the key");

struct crypto_stream { // in front of a stream's contexts
	// SSRCs that left under the present key and are no longer remembered, as a Bloom filter: one that
	// comes back would begin at index 0 again, and use its key stream twice.
	uint64_t forgotten[5];
	// The last ones that arrived under it and are no longer remembered: what was recorded of them would
	// be new again.
	uint32_t heard[4];
	uint32_t next; // of the queue of former keys
	bool is_queued;
	uint8_t heard_count;
};

_Static_assert(sizeof(struct crypto_stream) == 64, "one cache line");

struct crypto_contexts { // one worker's way to all of them
	const struct crypto_engine *engine;
	void *engine_worker;
	uint8_t *memory; // of all workers; only the own streams are touched
	size_t context_size, stream_size;
	uint32_t count;
	uint32_t queue_first, queue_last; // streams with a former key, the oldest first
	uint32_t queue_count;
};

size_t crypto_context_size(const struct crypto_engine *engine); // of one
size_t crypto_context_stream_size(const struct crypto_engine *engine); // of one stream's

static inline struct crypto_stream *crypto_context_stream(const struct crypto_contexts *contexts,
							  uint32_t stream)
{
	return (struct crypto_stream *)(contexts->memory + stream * contexts->stream_size);
}

static inline struct crypto_context *crypto_context_at(const struct crypto_contexts *contexts,
						       uint32_t stream, enum crypto_place place)
{
	return (struct crypto_context *)(contexts->memory + stream * contexts->stream_size +
					 sizeof(struct crypto_stream) +
					 place * contexts->context_size);
}

// As crypto_set_key and its sisters in crypto.h say. No job of this stream is under way.
bool crypto_context_set_key(struct crypto_contexts *contexts, const struct message *message,
			    uint64_t now_ns);
bool crypto_context_set_rollover(struct crypto_contexts *contexts, const struct message *message);
void crypto_context_forget(struct crypto_contexts *contexts, uint32_t stream);
// false: no former key's time is over.
bool crypto_context_next_expired(const struct crypto_contexts *contexts, uint64_t now_ns,
				 uint32_t *out_stream);
void crypto_context_expire(struct crypto_contexts *contexts, uint64_t now_ns); // the first of them

bool crypto_context_was_forgotten(const struct crypto_stream *stream, uint32_t ssrc);
bool crypto_context_was_heard(const struct crypto_stream *stream, uint32_t ssrc);
void crypto_context_note_heard(struct crypto_stream *stream, uint32_t ssrc);
void crypto_context_note_forgotten(struct crypto_stream *stream, uint32_t ssrc);
