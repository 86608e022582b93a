// A set of marks under a keyed hash, of lines that each forget their oldest. Nothing is ever locked.

#include "sip/guard/taken.h"

#include "base/hash/hash.h"

#define LINES (SIP_GUARD_TAKEN / SIP_GUARD_TAKEN_WAYS)

static uint64_t mark_of(const struct address *source, struct text via, struct text call_id)
{
	struct hash hash = hash_start();
	hash_text(&hash, (struct text){ (const char *)source->octets, sizeof(source->octets) });
	hash_text(&hash, via);
	hash_text(&hash, call_id);
	uint64_t mark = hash_finish(&hash);
	return mark != 0 ? mark : 1;
}

static bool line_has(const _Atomic uint64_t *line, uint64_t mark)
{
	for (unsigned i = 0; i < SIP_GUARD_TAKEN_WAYS; i++)
		if (atomic_load_explicit(&line[i], memory_order_acquire) == mark)
			return true;
	return false;
}

// From the last to the first: who reads meanwhile, from the first to the last, misses none that stays.
void sip_guard_taken_note(struct sip_guard_taken *taken, const struct address *source,
			  struct text via, struct text call_id)
{
	uint64_t mark = mark_of(source, via, call_id);
	_Atomic uint64_t *line = &taken->marks[mark % LINES * SIP_GUARD_TAKEN_WAYS];
	if (line_has(line, mark))
		return;
	for (unsigned i = SIP_GUARD_TAKEN_WAYS - 1; i > 0; i--)
		atomic_store_explicit(&line[i],
				      atomic_load_explicit(&line[i - 1], memory_order_relaxed),
				      memory_order_release);
	atomic_store_explicit(&line[0], mark, memory_order_release);
}

bool sip_guard_taken_has(const struct sip_guard_taken *taken, const struct address *source,
			 struct text via, struct text call_id)
{
	uint64_t mark = mark_of(source, via, call_id);
	return line_has(&taken->marks[mark % LINES * SIP_GUARD_TAKEN_WAYS], mark);
}
