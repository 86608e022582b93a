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
		if ((octets[at] | 0x20) != word.data[0] ||
		    !text_is_same((struct text){ octets + at, word.size }, word))
			continue;
		at += word.size;
		while (at < size && (octets[at] == '"' || octets[at] == ' ' || octets[at] == '='))
			at++;
		for (; at < size && is_letter(octets[at]); at++)
			octets[at] = with;
	}
}

// Where in the copy a part of the message is.
static char *part_of(struct replay_entry *entry, const struct sip_message *invite, struct text part)
{
	bool is_inside = part.size > 0 && part.data >= invite->raw.data &&
			 part.data + part.size <= invite->raw.data + invite->raw.size;
	return is_inside ? entry->octets + (part.data - invite->raw.data) : NULL;
}

static void strike_header(struct replay_entry *entry, const struct sip_message *invite,
			  const char *name)
{
	struct text value;
	for (unsigned nth = 0; (value = sip_message_header(invite, name, nth)).data != NULL;
	     nth++) {
		char *octets = part_of(entry, invite, value);
		if (octets != NULL)
			strike(octets, value.size, TEXT("response"), '0');
	}
}

static void strike_secrets(struct replay_entry *entry, const struct sip_message *invite)
{
	char *body = part_of(entry, invite, invite->body);
	strike_header(entry, invite, "Proxy-Authorization");
	strike_header(entry, invite, "Authorization");
	if (body != NULL && memmem(body, invite->body.size, "crypto", 6) != NULL)
		strike(body, invite->body.size, TEXT("inline:"), 'A');
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
	strike_secrets(entry, invite);
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
