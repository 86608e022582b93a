// Open addressing with linear probing; what is removed leaves no hole (Knuth 6.4, algorithm R).
// Runs on the control thread.

#include "directory/index/table.h"

#include "base/memory.h"
#include "directory/index/index.h"

#define SMALLEST 16

static size_t next_of(const struct directory_table *table, size_t at)
{
	return (at + 1) & (table->slot_count - 1);
}

static void put(struct directory_table *table, struct directory_slot slot)
{
	size_t at = slot.hash & (table->slot_count - 1);
	while (table->slots[at].entry)
		at = next_of(table, at);
	table->slots[at] = slot;
}

// All at once: 100,000 entries take a few milliseconds, and double only once.
static bool grow(struct directory_table *table)
{
	size_t count = table->slot_count > 0 ? 2 * table->slot_count : SMALLEST;
	struct directory_table larger = { .slots = memory_take(count * sizeof(*larger.slots)),
					  .slot_count = count,
					  .count = table->count };
	if (!larger.slots)
		return false;
	for (size_t at = 0; at < table->slot_count; at++)
		if (table->slots[at].entry)
			put(&larger, table->slots[at]);
	memory_give(table->slots, table->slot_count * sizeof(*table->slots));
	*table = larger;
	return true;
}

bool directory_table_add(struct directory_table *table, struct directory_entry *entry,
			 uint64_t hash)
{
	if (2 * (table->count + 1) > table->slot_count && !grow(table))
		return false;
	put(table, (struct directory_slot){ hash, entry });
	table->count++;
	return true;
}

// Moves back what would no longer be found past the hole.
static void close_hole(struct directory_table *table, size_t hole)
{
	for (size_t at = next_of(table, hole); table->slots[at].entry; at = next_of(table, at)) {
		size_t home = table->slots[at].hash & (table->slot_count - 1);
		size_t from_home = (at - home) & (table->slot_count - 1);
		size_t from_hole = (at - hole) & (table->slot_count - 1);
		if (from_home < from_hole)
			continue;
		table->slots[hole] = table->slots[at];
		hole = at;
	}
	table->slots[hole] = (struct directory_slot){ 0 };
}

void directory_table_remove(struct directory_table *table, const struct directory_entry *entry,
			    uint64_t hash)
{
	if (table->count == 0)
		return;
	size_t at = hash & (table->slot_count - 1);
	while (table->slots[at].entry && table->slots[at].entry != entry)
		at = next_of(table, at);
	if (!table->slots[at].entry)
		return;
	close_hole(table, at);
	table->count--;
}

struct directory_entry *directory_table_find(const struct directory_table *table, uint64_t hash,
					     directory_equal_fn equal, const void *key)
{
	if (table->count == 0)
		return NULL;
	size_t at = hash & (table->slot_count - 1);
	for (; table->slots[at].entry; at = next_of(table, at)) {
		if (table->slots[at].hash != hash)
			continue;
		if (equal(table->slots[at].entry, key))
			return table->slots[at].entry;
	}
	return NULL;
}

void directory_table_expect(const struct directory_table *table, uint64_t hash)
{
	if (table->count > 0)
		__builtin_prefetch(&table->slots[hash & (table->slot_count - 1)]);
}

void directory_table_expect_entry(const struct directory_table *table, uint64_t hash)
{
	if (table->count == 0)
		return;
	const struct directory_slot *slot = &table->slots[hash & (table->slot_count - 1)];
	if (slot->entry)
		directory_index_prefetch(slot->entry);
}

void directory_table_clear(struct directory_table *table)
{
	memory_give(table->slots, table->slot_count * sizeof(*table->slots));
	*table = (struct directory_table){ 0 };
}
