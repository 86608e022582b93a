#pragma once

// Entries by hash, in one array: what is looked for and not there costs one cache line, what is there that
// and the entry itself. Several entries may have one hash.
// Runs on: control thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct directory_entry;

struct directory_slot {
	uint64_t hash;
	struct directory_entry *entry; // NULL: free
};

struct directory_table { // all zero: empty
	struct directory_slot *slots;
	size_t slot_count; // a power of two, twice as many as entries or more
	size_t count;
};

typedef bool (*directory_equal_fn)(const struct directory_entry *entry, const void *key);

bool directory_table_add(struct directory_table *table, struct directory_entry *entry,
			 uint64_t hash); // false: no memory
void directory_table_remove(struct directory_table *table, const struct directory_entry *entry,
			    uint64_t hash); // harmless when absent
// The first that is equal. NULL: none.
struct directory_entry *directory_table_find(const struct directory_table *table, uint64_t hash,
					     directory_equal_fn equal, const void *key);
// Has the slot of a hash fetched while something else is done.
void directory_table_expect(const struct directory_table *table, uint64_t hash);
// The same of the first entry in that slot, which should be there by now.
void directory_table_expect_entry(const struct directory_table *table, uint64_t hash);
void directory_table_clear(struct directory_table *table);
