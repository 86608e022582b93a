// Two rings in one block, the strangers' and the others'. Runs on the control thread; no allocation after
// the start.

#include "call/replay/ring.h"

#include <stdlib.h>
#include <string.h>

#define LOOKED_BACK 256 // calls that may begin while one is decided on

enum lane { STRANGERS, OTHERS, LANES };

struct lane_state {
	struct replay_entry *entries;
	unsigned room, first, count;
};

struct replay_ring {
	struct lane_state lanes[LANES];
	uint64_t skipped;
	struct replay_entry entries[];
};

struct replay_ring *replay_ring_create(unsigned count)
{
	if (count == 0)
		return NULL;
	unsigned strangers = count / 4 + 1;
	size_t size = ((size_t)count + strangers) * sizeof(struct replay_entry);
	struct replay_ring *ring = calloc(1, sizeof *ring + size); // pages come as they are used
	if (ring == NULL)
		return NULL;
	ring->lanes[STRANGERS] = (struct lane_state){ ring->entries, strangers, 0, 0 };
	ring->lanes[OTHERS] = (struct lane_state){ ring->entries + strangers, count, 0, 0 };
	return ring;
}

void replay_ring_destroy(struct replay_ring *ring)
{
	free(ring);
}

static struct replay_entry *take_place(struct lane_state *lane)
{
	if (lane->count < lane->room)
		return &lane->entries[lane->count++];
	struct replay_entry *oldest = &lane->entries[lane->first];
	lane->first = (lane->first + 1) % lane->room;
	return oldest;
}

static bool is_letter(char letter)
{
	return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
	       (letter >= 'A' && letter <= 'Z') || letter == '+' || letter == '/';
}

// Overwrites what follows each such word, quotes aside; lengths stay what they are.
static void strike(char *octets, size_t size, struct text word, char with)
{
	for (size_t at = 0; at + word.size < size; at++) {
		if (!text_is_same((struct text){ octets + at, word.size }, word))
			continue;
		at += word.size;
		while (at < size && (octets[at] == '"' || octets[at] == ' ' || octets[at] == '='))
			at++;
		for (; at < size && is_letter(octets[at]); at++)
			octets[at] = with;
	}
}

// Only where there can be something: few messages have either.
static void strike_secrets(struct replay_entry *entry)
{
	if (memmem(entry->octets, entry->size, "esponse", 7) != NULL)
		strike(entry->octets, entry->size, TEXT("response"), '0');
	if (memmem(entry->octets, entry->size, "nline:", 6) != NULL)
		strike(entry->octets, entry->size, TEXT("inline:"), 'A');
}

void replay_ring_add(struct replay_ring *ring, const struct sip_message *invite,
		     const struct replay_fate *fate)
{
	if (ring == NULL)
		return;
	if (invite->raw.size > REPLAY_MESSAGE_MAX) {
		ring->skipped++;
		return;
	}
	struct replay_entry *entry =
		take_place(&ring->lanes[fate->is_stranger ? STRANGERS : OTHERS]);
	entry->now_ms = fate->now_ms;
	entry->wall_ms = fate->wall_ms;
	entry->flow = invite->flow;
	entry->cause = fate->cause;
	entry->has_digest = !fate->is_stranger &&
			    sip_message_header(invite, "Proxy-Authorization", 0).data != NULL;
	(void)text_copy(text_of(fate->sid), entry->sid, sizeof entry->sid);
	entry->size = (uint16_t)invite->raw.size;
	memcpy(entry->octets, invite->raw.data, invite->raw.size);
	strike_secrets(entry);
}

void replay_ring_settle(struct replay_ring *ring, struct text sid, enum refusal_cause cause)
{
	struct lane_state *lane = ring != NULL ? &ring->lanes[OTHERS] : NULL;
	unsigned count = lane == NULL ? 0 : lane->count < LOOKED_BACK ? lane->count : LOOKED_BACK;
	for (unsigned back = 1; back <= count; back++) {
		unsigned place = (lane->first + lane->count - back) % lane->room;
		if (!text_is_equal(text_of(lane->entries[place].sid), sid))
			continue;
		lane->entries[place].cause = cause;
		return;
	}
}

unsigned replay_ring_count(const struct replay_ring *ring)
{
	return ring != NULL ? ring->lanes[STRANGERS].count + ring->lanes[OTHERS].count : 0;
}

const struct replay_entry *replay_ring_at(const struct replay_ring *ring, unsigned nth)
{
	for (unsigned i = 0; ring != NULL && i < LANES; i++) {
		const struct lane_state *lane = &ring->lanes[i];
		if (nth < lane->count)
			return &lane->entries[(lane->first + nth) % lane->room];
		nth -= lane->count;
	}
	return NULL;
}

const struct replay_entry *replay_ring_find(const struct replay_ring *ring, struct text sid)
{
	const struct replay_entry *entry;
	for (unsigned nth = 0; (entry = replay_ring_at(ring, nth)) != NULL; nth++)
		if (sid.size > 0 && text_is_equal(text_of(entry->sid), sid))
			return entry;
	return NULL;
}

uint64_t replay_ring_skipped(const struct replay_ring *ring)
{
	return ring != NULL ? ring->skipped : 0;
}
