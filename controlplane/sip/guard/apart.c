// A set of callers as bits under a keyed hash, in two halves that take turns, so that nothing is ever
// locked. Written on the control thread, read on any.

#include "sip/guard/apart.h"

#include "base/hash/hash.h"

static uint32_t bit_of(const struct address *source, struct text host)
{
	struct hash hash = hash_start();
	hash_text(&hash, (struct text){ (const char *)source->octets, sizeof(source->octets) });
	hash_text_same(&hash, host);
	return (uint32_t)hash_finish(&hash) % SIP_GUARD_APART_BITS;
}

static bool has(const _Atomic uint64_t *words, uint32_t bit)
{
	uint64_t word = atomic_load_explicit(&words[bit / 64], memory_order_acquire);
	return (word >> bit % 64 & 1) != 0;
}

static void clear(_Atomic uint64_t *words)
{
	for (unsigned i = 0; i < SIP_GUARD_APART_WORDS; i++)
		atomic_store_explicit(&words[i], 0, memory_order_relaxed);
}

void sip_guard_apart_follow(struct sip_guard_apart *apart, unsigned most_waiting,
			    unsigned peer_rate, uint64_t now_ms)
{
	atomic_store_explicit(&apart->most_waiting, most_waiting, memory_order_relaxed);
	atomic_store_explicit(&apart->peer_rate, peer_rate, memory_order_relaxed);
	if (now_ms - apart->turned_ms < SIP_GUARD_APART_TURN_MS)
		return;
	apart->turned_ms = now_ms;
	apart->turn = !apart->turn;
	clear(apart->callers[apart->turn]);
}

void sip_guard_apart_note(struct sip_guard_apart *apart, const struct address *source,
			  struct text host)
{
	uint32_t bit = bit_of(source, host);
	_Atomic uint64_t *words = apart->callers[apart->turn];
	if (!has(words, bit))
		atomic_fetch_or_explicit(&words[bit / 64], 1ull << bit % 64, memory_order_release);
}

void sip_guard_apart_give_up(struct sip_guard_apart *apart)
{
	atomic_store(&apart->is_served, false);
}

void sip_guard_apart_forget(struct sip_guard_apart *apart)
{
	clear(apart->callers[0]);
	clear(apart->callers[1]);
}

bool sip_guard_apart_knows(const struct sip_guard_apart *apart, const struct address *source,
			   struct text host)
{
	uint32_t bit = bit_of(source, host);
	return has(apart->callers[0], bit) || has(apart->callers[1], bit);
}
