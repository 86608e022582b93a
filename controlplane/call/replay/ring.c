// Two rings in one block, the strangers' and the others'. Runs on the control thread; no allocation after
// the start.

#include "call/replay/ring.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define LOOKED_BACK 256 // calls that may begin while one is decided on

enum lane { STRANGERS, OTHERS, LANES };

// Messages stand in their octets in the order of the entries, each in one piece, from the oldest's on
// around to `head`.
struct lane_state {
	struct replay_entry *entries;
	unsigned room, first, count;
	char *octets;
	size_t size, head;
};

struct replay_ring {
	struct lane_state lanes[LANES];
	uint64_t crowded;
};

// Room for the largest message, whatever the number. The kernel gives all pages now, so that no calls make
// memory grow later.
static bool init_lane(struct lane_state *lane, unsigned room)
{
	size_t size = (size_t)room * REPLAY_MESSAGE_ROOM;
	lane->room = room;
	lane->size = size > SIP_MESSAGE_MAX ? size : SIP_MESSAGE_MAX;
	lane->entries = calloc(room, sizeof *lane->entries);
	lane->octets = calloc(1, lane->size);
	if (lane->entries == NULL || lane->octets == NULL)
		return false;
	memory_touch(lane->entries, room * sizeof *lane->entries);
	memory_touch(lane->octets, lane->size);
	return true;
}

struct replay_ring *replay_ring_create(unsigned count)
{
	if (count == 0)
		return NULL;
	struct replay_ring *ring = calloc(1, sizeof *ring);
	if (ring != NULL && init_lane(&ring->lanes[STRANGERS], count / 4 + 1) &&
	    init_lane(&ring->lanes[OTHERS], count))
		return ring;
	replay_ring_destroy(ring);
	return NULL;
}

void replay_ring_destroy(struct replay_ring *ring)
{
	for (unsigned i = 0; ring != NULL && i < LANES; i++) {
		free(ring->lanes[i].entries);
		free(ring->lanes[i].octets);
	}
	free(ring);
}

static void drop_oldest(struct lane_state *lane)
{
	lane->first = (lane->first + 1) % lane->room;
	lane->count--;
}

// Where so many octets fit without touching a message that is kept.
static bool find_gap(const struct lane_state *lane, size_t size, size_t *out_at)
{
	if (lane->count == 0) {
		*out_at = 0;
		return true;
	}
	size_t tail = (size_t)(lane->entries[lane->first].octets - lane->octets);
	bool is_around = lane->head <= tail; // equal: full
	size_t end = is_around ? tail : lane->size;
	*out_at = lane->head;
	if (size <= end - lane->head)
		return true;
	*out_at = 0;
	return !is_around && size <= tail;
}

static struct replay_entry *take_place(struct replay_ring *ring, struct lane_state *lane,
				       size_t size)
{
	size_t at;
	if (lane->count == lane->room)
		drop_oldest(lane);
	while (!find_gap(lane, size, &at)) {
		drop_oldest(lane);
		ring->crowded++;
	}
	struct replay_entry *entry = &lane->entries[(lane->first + lane->count++) % lane->room];
	entry->octets = lane->octets + at;
	lane->head = at + size;
	return entry;
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
	if (invite->raw.size > SIP_MESSAGE_MAX)
		return; // nothing that arrived is
	struct replay_entry *entry = take_place(
		ring, &ring->lanes[fate->is_stranger ? STRANGERS : OTHERS], invite->raw.size);
	entry->now_ms = fate->now_ms;
	entry->wall_ms = fate->wall_ms;
	entry->flow = invite->flow;
	entry->cause = fate->cause;
	entry->has_digest = !fate->is_stranger &&
			    sip_message_header(invite, "Proxy-Authorization", 0).data != NULL;
	(void)text_copy(text_of(fate->sid), entry->sid, sizeof entry->sid);
	entry->size = (uint32_t)invite->raw.size;
	memcpy(entry->octets, invite->raw.data, invite->raw.size);
	entry->call_id.data = part_of(entry, invite, invite->call_id);
	entry->call_id.size = entry->call_id.data != NULL ? invite->call_id.size : 0;
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

unsigned replay_ring_find_call_id(const struct replay_ring *ring, struct text call_id,
				  const struct replay_entry **out_entries, unsigned max)
{
	const struct replay_entry *entry;
	unsigned count = 0;
	for (unsigned nth = 0; (entry = replay_ring_at(ring, nth)) != NULL; nth++) {
		if (call_id.size == 0 || !text_is_equal(entry->call_id, call_id))
			continue;
		if (count < max)
			out_entries[count] = entry;
		count++;
	}
	return count;
}

uint64_t replay_ring_crowded(const struct replay_ring *ring)
{
	return ring != NULL ? ring->crowded : 0;
}
