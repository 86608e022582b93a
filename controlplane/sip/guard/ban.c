// Bans in a table of fixed size. Runs on the control thread.

#include "sip/guard/ban.h"

#include <assert.h>

#define MEMORY_MS 3600000 // how long after its end a ban makes the next one longer
#define DOUBLINGS_MAX 20

static const struct {
	const char *label, *text;
} causes[SIP_GUARD_CAUSE_COUNT] = {
#define SIP_GUARD_CAUSE_ROW(name, label, what) [SIP_GUARD_CAUSE_##name] = { label, what },
	SIP_GUARD_CAUSE_LIST(SIP_GUARD_CAUSE_ROW)
#undef SIP_GUARD_CAUSE_ROW
};

const char *sip_guard_cause_label(enum sip_guard_cause cause)
{
	return cause < SIP_GUARD_CAUSE_COUNT ? causes[cause].label : NULL;
}

const char *sip_guard_cause_text(enum sip_guard_cause cause)
{
	assert(cause < SIP_GUARD_CAUSE_COUNT);
	return causes[cause].text;
}

uint64_t sip_guard_ban_length(const struct sip_guard_term *term, unsigned strikes)
{
	unsigned doublings = strikes > 0 ? strikes - 1 : 0;
	uint64_t length_ms = term->first_ms
			     << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
	return length_ms < term->longest_ms ? length_ms : term->longest_ms;
}

static bool holds(const struct sip_guard_ban *ban, uint64_t now_ms)
{
	return ban->until_ms > now_ms;
}

struct sip_guard_ban *sip_guard_ban_add(struct sip_guard_table *bans, const struct address *address,
					const struct sip_guard_term *term, uint64_t now_ms)
{
	struct sip_guard_key key = sip_guard_key_of(address);
	struct sip_guard_ban *ban = sip_guard_table_find(bans, key);
	bool is_operators = term->cause == SIP_GUARD_CAUSE_OPERATOR;
	if (ban != NULL && holds(ban, now_ms) && ban->cause == SIP_GUARD_CAUSE_OPERATOR &&
	    !is_operators)
		return ban; // the operator's word stands
	unsigned strikes = ban != NULL && ban->slot.keep_ms > now_ms ? ban->strikes + 1 : 1;
	uint64_t length_ms = is_operators ? term->first_ms : sip_guard_ban_length(term, strikes);
	uint64_t keep_ms = now_ms + length_ms + MEMORY_MS;
	if (ban == NULL)
		ban = sip_guard_table_take(bans, key, is_operators ? UINT64_MAX - 1 : keep_ms);
	if (ban == NULL)
		return NULL;
	ban->slot.keep_ms = keep_ms;
	ban->address = *address;
	ban->address.port = 0;
	ban->cause = term->cause;
	ban->is_proven = term->is_proven;
	ban->strikes = strikes;
	ban->since_ms = now_ms;
	ban->until_ms = now_ms + length_ms;
	ban->dropped = 0;
	return ban;
}

struct sip_guard_ban *sip_guard_ban_find(const struct sip_guard_table *bans,
					 struct sip_guard_key key, bool is_stream, uint64_t now_ms)
{
	if (bans->used == 0)
		return NULL;
	struct sip_guard_ban *ban = sip_guard_table_find(bans, key);
	if (ban == NULL || !holds(ban, now_ms) || (is_stream && !ban->is_proven))
		return NULL;
	return ban;
}
