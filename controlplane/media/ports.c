// The ledger of media ports. Every pair hangs in exactly one list: free in its bucket (one per address
// and worker), held, resting or orphan; so taking and giving cost the same however many there are.
// Runs on: control thread. Never hands a pair out twice, never one that has not rested.

#include "media/ports.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "dataplane/dataplane.h"

#define PAIRS_PER_ADDRESS (MEDIA_PORT_COUNT / 2) // 20000 has no odd port above it
#define NO_PAIR UINT32_MAX

struct pair {
	uint32_t next, previous;
	uint32_t bucket;
	uint8_t state; // enum media_port_state
	bool is_ours; // both of its ports belong to one worker
	uint64_t since_ms;
	void *holder;
	char call_sid[RANDOM_SID_SIZE];
};

struct list {
	uint32_t first, last, count;
};

struct media_ports {
	struct address addresses[MEDIA_ADDRESSES_MAX];
	unsigned address_count, worker_count;
	uint64_t quarantine_ms;
	uint32_t pair_count;
	uint32_t turn; // bucket asked first next time
	struct pair *pairs;
	struct list *free; // by bucket: address * worker_count + worker
	struct list lists[MEDIA_PORT_STATES]; // the free ones only count here
};

static uint32_t index_of(uint32_t pair)
{
	return pair / PAIRS_PER_ADDRESS * MEDIA_PORT_COUNT + pair % PAIRS_PER_ADDRESS * 2;
}

// The pair of an RTP or RTCP stream; NO_PAIR when the index names none.
static uint32_t pair_of(const struct media_ports *ports, uint32_t index)
{
	uint32_t offset = index % MEDIA_PORT_COUNT / 2;
	if (index / MEDIA_PORT_COUNT >= ports->address_count || offset >= PAIRS_PER_ADDRESS)
		return NO_PAIR;
	return index / MEDIA_PORT_COUNT * PAIRS_PER_ADDRESS + offset;
}

static struct list *list_of(struct media_ports *ports, const struct pair *pair)
{
	return pair->state == MEDIA_PORT_FREE ? &ports->free[pair->bucket]
					      : &ports->lists[pair->state];
}

static void unlink_pair(struct media_ports *ports, uint32_t number)
{
	struct pair *pair = &ports->pairs[number];
	struct list *list = list_of(ports, pair);
	*(pair->previous == NO_PAIR ? &list->first : &ports->pairs[pair->previous].next) =
		pair->next;
	*(pair->next == NO_PAIR ? &list->last : &ports->pairs[pair->next].previous) =
		pair->previous;
	list->count--;
	if (pair->state == MEDIA_PORT_FREE)
		ports->lists[MEDIA_PORT_FREE].count--;
}

static void append_pair(struct media_ports *ports, uint32_t number, enum media_port_state state,
			uint64_t now_ms)
{
	struct pair *pair = &ports->pairs[number];
	pair->state = (uint8_t)state;
	pair->since_ms = now_ms;
	struct list *list = list_of(ports, pair);
	pair->next = NO_PAIR;
	pair->previous = list->last;
	*(list->last == NO_PAIR ? &list->first : &ports->pairs[list->last].next) = number;
	list->last = number;
	list->count++;
	if (state == MEDIA_PORT_FREE)
		ports->lists[MEDIA_PORT_FREE].count++;
}

static void move_pair(struct media_ports *ports, uint32_t number, enum media_port_state state,
		      uint64_t now_ms)
{
	unlink_pair(ports, number);
	append_pair(ports, number, state, now_ms);
}

static void hold(struct media_ports *ports, uint32_t number, const struct media_port_user *user)
{
	struct pair *pair = &ports->pairs[number];
	move_pair(ports, number, MEDIA_PORT_HELD, user->now_ms);
	pair->holder = user->holder;
	(void)text_copy(text_of(user->call_sid), pair->call_sid, sizeof(pair->call_sid));
}

// Every pair into its bucket, in an order nobody outside can guess.
static bool fill(struct media_ports *ports, const struct dataplane *dataplane)
{
	uint32_t *order = calloc(ports->pair_count, sizeof(*order));
	if (!order)
		return false;
	for (uint32_t i = 0; i < ports->pair_count; i++) {
		uint32_t other = random_below(i + 1);
		order[i] = order[other];
		order[other] = i;
	}
	for (uint32_t i = 0; i < ports->pair_count; i++) {
		struct pair *pair = &ports->pairs[order[i]];
		uint32_t index = index_of(order[i]);
		unsigned worker = dataplane_worker_of(dataplane, index);
		pair->is_ours = worker < ports->worker_count &&
				worker == dataplane_worker_of(dataplane, index + 1);
		if (!pair->is_ours)
			continue;
		pair->bucket = index / MEDIA_PORT_COUNT * ports->worker_count + worker;
		append_pair(ports, order[i], MEDIA_PORT_FREE, 0);
	}
	free(order);
	return true;
}

struct media_ports *media_ports_create(const struct dataplane *dataplane, uint64_t quarantine_ms)
{
	const struct dataplane_facts *facts = dataplane_facts(dataplane);
	struct media_ports *ports = calloc(1, sizeof(*ports));
	if (!ports)
		return NULL;
	assert(facts->address_count <= MEDIA_ADDRESSES_MAX);
	ports->address_count = facts->address_count;
	ports->worker_count = facts->worker_count;
	ports->quarantine_ms = quarantine_ms;
	ports->pair_count = ports->address_count * PAIRS_PER_ADDRESS;
	memcpy(ports->addresses, facts->addresses, sizeof(ports->addresses));
	size_t buckets = (size_t)ports->address_count * ports->worker_count;
	ports->pairs = calloc(ports->pair_count + 1, sizeof(*ports->pairs));
	ports->free = calloc(buckets + 1, sizeof(*ports->free));
	if (!ports->pairs || !ports->free)
		goto fail;
	memory_touch(ports->pairs, (ports->pair_count + 1) * sizeof(*ports->pairs));
	for (size_t i = 0; i < buckets; i++)
		ports->free[i] = (struct list){ NO_PAIR, NO_PAIR, 0 };
	for (size_t i = 0; i < MEDIA_PORT_STATES; i++)
		ports->lists[i] = (struct list){ NO_PAIR, NO_PAIR, 0 };
	if (!fill(ports, dataplane))
		goto fail;
	return ports;
fail:
	media_ports_destroy(ports);
	return NULL;
}

void media_ports_destroy(struct media_ports *ports)
{
	if (!ports)
		return;
	free(ports->pairs);
	free(ports->free);
	free(ports);
}

enum status media_ports_take(struct media_ports *ports, uint8_t family,
			     const struct media_port_user *user, uint32_t out_indexes[static 2])
{
	uint32_t buckets = ports->address_count * ports->worker_count;
	bool has_family = false;
	media_ports_tick(ports, user->now_ms);
	for (uint32_t i = 0; i < buckets; i++) {
		uint32_t bucket = (ports->turn + i) % buckets;
		if (ports->addresses[bucket / ports->worker_count].family != family)
			continue;
		has_family = true;
		if (ports->free[bucket].count < 2)
			continue;
		for (unsigned side = 0; side < 2; side++) {
			uint32_t number = ports->free[bucket].first;
			hold(ports, number, user);
			out_indexes[side] = index_of(number);
		}
		ports->turn = bucket + 1;
		return OK;
	}
	return has_family ? ERR_LIMIT : ERR_NOT_ACCEPTABLE;
}

bool media_port_is_in(const struct media_port_place *place, const struct address *address)
{
	bool is_in = place->prefix_count == 0;
	for (unsigned i = 0; i < place->prefix_count; i++)
		is_in |= prefix_contains(&place->prefixes[i], address);
	return is_in && address->family == place->family;
}

enum status media_ports_take_beside(struct media_ports *ports, uint32_t beside,
				    const struct media_port_place *place,
				    const struct media_port_user *user, uint32_t *out_index)
{
	uint32_t neighbour = pair_of(ports, beside);
	bool has_address = false;
	assert(neighbour != NO_PAIR);
	media_ports_tick(ports, user->now_ms);
	uint32_t worker = ports->pairs[neighbour].bucket % ports->worker_count;
	for (unsigned i = 0; i < ports->address_count; i++) {
		uint32_t bucket = i * ports->worker_count + worker;
		if (!media_port_is_in(place, &ports->addresses[i]))
			continue;
		has_address = true;
		if (ports->free[bucket].count == 0)
			continue;
		uint32_t number = ports->free[bucket].first;
		hold(ports, number, user);
		*out_index = index_of(number);
		return OK;
	}
	return has_address ? ERR_LIMIT : ERR_NOT_ACCEPTABLE;
}

bool media_ports_is_beside(const struct media_ports *ports, uint32_t index, uint32_t other)
{
	uint32_t first = pair_of(ports, index), second = pair_of(ports, other);
	return first != NO_PAIR && second != NO_PAIR &&
	       ports->pairs[first].bucket % ports->worker_count ==
		       ports->pairs[second].bucket % ports->worker_count;
}

void media_ports_pass(struct media_ports *ports, uint32_t index, const struct media_port_user *user)
{
	uint32_t number = pair_of(ports, index);
	if (number != NO_PAIR && ports->pairs[number].state == MEDIA_PORT_HELD)
		hold(ports, number, user);
}

// The pair of this index if it is in one of two states.
static uint32_t find_in(const struct media_ports *ports, uint32_t index,
			enum media_port_state state, enum media_port_state other_state)
{
	uint32_t number = pair_of(ports, index);
	if (number == NO_PAIR || !ports->pairs[number].is_ours)
		return NO_PAIR;
	uint8_t present = ports->pairs[number].state;
	return present == state || present == other_state ? number : NO_PAIR;
}

bool media_ports_claim(struct media_ports *ports, uint32_t index,
		       const struct media_port_user *user)
{
	uint32_t number = find_in(ports, index, MEDIA_PORT_FREE, MEDIA_PORT_ORPHAN);
	if (number == NO_PAIR)
		return false;
	hold(ports, number, user);
	return true;
}

bool media_ports_mark_orphan(struct media_ports *ports, uint32_t index, uint64_t now_ms)
{
	uint32_t number = find_in(ports, index, MEDIA_PORT_FREE, MEDIA_PORT_FREE);
	if (number == NO_PAIR)
		return false;
	move_pair(ports, number, MEDIA_PORT_ORPHAN, now_ms);
	return true;
}

void media_ports_abandon(struct media_ports *ports, uint32_t index, uint64_t now_ms)
{
	uint32_t number = find_in(ports, index, MEDIA_PORT_HELD, MEDIA_PORT_HELD);
	assert(number != NO_PAIR);
	ports->pairs[number].holder = NULL;
	move_pair(ports, number, MEDIA_PORT_ORPHAN, now_ms);
}

void media_ports_give_unused(struct media_ports *ports, uint32_t index, uint64_t now_ms)
{
	uint32_t number = find_in(ports, index, MEDIA_PORT_HELD, MEDIA_PORT_HELD);
	assert(number != NO_PAIR);
	ports->pairs[number].holder = NULL;
	move_pair(ports, number, MEDIA_PORT_FREE, now_ms);
}

void media_ports_give(struct media_ports *ports, uint32_t index, uint64_t now_ms)
{
	uint32_t number = find_in(ports, index, MEDIA_PORT_HELD, MEDIA_PORT_ORPHAN);
	assert(number != NO_PAIR);
	ports->pairs[number].holder = NULL;
	move_pair(ports, number, MEDIA_PORT_RESTING, now_ms);
}

void media_ports_tick(struct media_ports *ports, uint64_t now_ms)
{
	struct list *resting = &ports->lists[MEDIA_PORT_RESTING];
	while (resting->first != NO_PAIR &&
	       now_ms >= ports->pairs[resting->first].since_ms + ports->quarantine_ms)
		move_pair(ports, resting->first, MEDIA_PORT_FREE, now_ms);
}

void *media_ports_holder(const struct media_ports *ports, uint32_t index)
{
	uint32_t number = pair_of(ports, index);
	return number == NO_PAIR ? NULL : ports->pairs[number].holder;
}

struct address media_ports_address(const struct media_ports *ports, uint32_t index)
{
	assert(index / MEDIA_PORT_COUNT < ports->address_count);
	struct address address = ports->addresses[index / MEDIA_PORT_COUNT];
	address.port = (uint16_t)(MEDIA_PORT_FIRST + index % MEDIA_PORT_COUNT);
	return address;
}

bool media_ports_has(const struct media_ports *ports, uint32_t index, const struct address *address)
{
	uint32_t place = index / MEDIA_PORT_COUNT;
	return place < ports->address_count &&
	       address_is_same_host(&ports->addresses[place], address);
}

uint32_t media_ports_find(const struct media_ports *ports, const struct address *address)
{
	if (address->port < MEDIA_PORT_FIRST || address->port > MEDIA_PORT_LAST)
		return MEDIA_PORTS_NONE;
	for (uint32_t place = 0; place < ports->address_count; place++) {
		if (address_is_same_host(&ports->addresses[place], address))
			return place * MEDIA_PORT_COUNT + address->port - MEDIA_PORT_FIRST;
	}
	return MEDIA_PORTS_NONE;
}

unsigned media_ports_count(const struct media_ports *ports, enum media_port_state state)
{
	return ports->lists[state].count;
}

// Free pairs hang in several lists: their walk is over the array instead, in the order of ports.
static uint32_t next_free(const struct media_ports *ports, uint32_t position)
{
	uint32_t number = position == MEDIA_PORTS_START ? 0 : position + 1;
	while (number < ports->pair_count &&
	       (!ports->pairs[number].is_ours || ports->pairs[number].state != MEDIA_PORT_FREE))
		number++;
	return number < ports->pair_count ? number : NO_PAIR;
}

bool media_ports_next(const struct media_ports *ports, enum media_port_state state,
		      uint32_t *position)
{
	uint32_t next;
	if (state == MEDIA_PORT_FREE)
		next = next_free(ports, *position);
	else if (*position == MEDIA_PORTS_START)
		next = ports->lists[state].first;
	else
		next = ports->pairs[*position].next;
	if (next == NO_PAIR)
		return false;
	*position = next;
	return true;
}

void media_ports_read(const struct media_ports *ports, uint32_t position,
		      struct media_port_facts *out_facts)
{
	const struct pair *pair = &ports->pairs[position];
	*out_facts = (struct media_port_facts){
		.local = media_ports_address(ports, index_of(position)),
		.rtp_index = index_of(position),
		.worker = pair->bucket % ports->worker_count,
		.state = (enum media_port_state)pair->state,
		.since_ms = pair->since_ms,
	};
	memcpy(out_facts->call_sid, pair->call_sid, sizeof(out_facts->call_sid));
}
