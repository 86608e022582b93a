// Sources in a table of fixed size. Runs on the control thread. Never allocates after its start.

#include "sip/guard/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"

struct sip_guard_key sip_guard_key_of(const struct address *address)
{
	struct sip_guard_key key = { .kind = address->family };
	memcpy(&key.prefix, address->octets, address->family == ADDRESS_IPV6 ? 8 : 4);
	return key;
}

struct sip_guard_key sip_guard_key_of_host(const struct address *address, struct text host)
{
	struct sip_guard_key key = sip_guard_key_of(address);
	key.kind |= map_hash_same(host) << 8;
	return key;
}

bool sip_guard_table_init(struct sip_guard_table *table, size_t slot_size, unsigned count)
{
	uint32_t sets = 1;
	while (sets * SIP_GUARD_TABLE_WAYS < count)
		sets *= 2;
	*table = (struct sip_guard_table){ .slot_size = slot_size, .set_count = sets };
	table->slots = calloc((size_t)sets * SIP_GUARD_TABLE_WAYS, slot_size);
	return table->slots != NULL;
}

void sip_guard_table_touch(struct sip_guard_table *table)
{
	memory_touch(table->slots, (size_t)sip_guard_table_size(table) * table->slot_size);
}

void sip_guard_table_clear(struct sip_guard_table *table)
{
	free(table->slots);
	*table = (struct sip_guard_table){ 0 };
}

static struct sip_guard_slot *slot_at(const struct sip_guard_table *table, uint32_t index)
{
	return (void *)(table->slots + (size_t)index * table->slot_size);
}

static uint32_t set_of(const struct sip_guard_table *table, const struct sip_guard_key *key)
{
	uint64_t hash = map_hash((struct text){ (const char *)key, sizeof(*key) });
	return (uint32_t)(hash & (table->set_count - 1)) * SIP_GUARD_TABLE_WAYS;
}

static bool is_of(const struct sip_guard_slot *slot, const struct sip_guard_key *key)
{
	return slot->key.prefix == key->prefix && slot->key.kind == key->kind && slot->keep_ms != 0;
}

void *sip_guard_table_find(const struct sip_guard_table *table, struct sip_guard_key key)
{
	uint32_t set = set_of(table, &key);
	for (uint32_t way = 0; way < SIP_GUARD_TABLE_WAYS; way++) {
		struct sip_guard_slot *slot = slot_at(table, set + way);
		if (is_of(slot, &key))
			return slot;
	}
	return NULL;
}

void *sip_guard_table_take(struct sip_guard_table *table, struct sip_guard_key key,
			   uint64_t keep_ms)
{
	uint32_t set = set_of(table, &key);
	struct sip_guard_slot *least = slot_at(table, set);
	for (uint32_t way = 0; way < SIP_GUARD_TABLE_WAYS; way++) {
		struct sip_guard_slot *slot = slot_at(table, set + way);
		if (is_of(slot, &key))
			return slot;
		if (slot->keep_ms < least->keep_ms)
			least = slot;
	}
	if (least->keep_ms > keep_ms || least->keep_ms == SIP_GUARD_FOR_EVER)
		return NULL;
	if (least->keep_ms == 0)
		table->used++;
	memset(least, 0, table->slot_size);
	*least = (struct sip_guard_slot){ .key = key, .keep_ms = keep_ms };
	return least;
}

void sip_guard_table_drop(struct sip_guard_table *table, void *entry)
{
	memset(entry, 0, table->slot_size);
	table->used--;
}

unsigned sip_guard_table_size(const struct sip_guard_table *table)
{
	return table->set_count * SIP_GUARD_TABLE_WAYS;
}

void *sip_guard_table_at(const struct sip_guard_table *table, uint32_t place)
{
	if (place >= sip_guard_table_size(table))
		return NULL;
	struct sip_guard_slot *slot = slot_at(table, place);
	return slot->keep_ms != 0 ? slot : NULL;
}

void *sip_guard_table_next(const struct sip_guard_table *table, uint32_t *at)
{
	void *entry = NULL;
	while (entry == NULL && *at < sip_guard_table_size(table))
		entry = sip_guard_table_at(table, (*at)++);
	return entry;
}
