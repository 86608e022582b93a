#pragma once

// A table of sources whose size never changes: sets of eight places, chosen by a hash under a key of
// this process, so that no flood of forged addresses makes it grow, makes a look-up long, or can aim
// at somebody else's place.
// Runs on: control thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/text.h"

#define SIP_GUARD_TABLE_WAYS 8
#define SIP_GUARD_FOR_EVER UINT64_MAX

// Whose entry: an IPv4 address, or the /64 of an IPv6 address, which one peer can use as it likes.
struct sip_guard_key {
	uint64_t prefix;
	uint64_t kind; // family; of an OPTIONS counter also a hash of the host asked for
};

// The beginning of every entry.
struct sip_guard_slot {
	struct sip_guard_key key;
	uint64_t keep_ms; // worth keeping until then; 0: empty
};

struct sip_guard_table {
	char *slots;
	size_t slot_size;
	uint32_t set_count; // a power of two
	unsigned used; // places not empty
};

struct sip_guard_key sip_guard_key_of(const struct address *address);
// The same for one host that it asks.
struct sip_guard_key sip_guard_key_of_host(const struct address *address, struct text host);

// `count` entries, rounded up to a power of two; all memory is taken here. False: no memory.
bool sip_guard_table_init(struct sip_guard_table *table, size_t slot_size, unsigned count);
void sip_guard_table_touch(
	struct sip_guard_table *table); // an empty one: the kernel gives its pages
void sip_guard_table_clear(struct sip_guard_table *table);
// NULL: not there. What is past its time is still found, until its place is needed.
void *sip_guard_table_find(const struct sip_guard_table *table, struct sip_guard_key key);
// Finds it, or makes a new entry, zero behind its slot: in an empty place, or in that of the entry
// least worth keeping. NULL: all its places are worth keeping longer than this one.
void *sip_guard_table_take(struct sip_guard_table *table, struct sip_guard_key key,
			   uint64_t keep_ms);
void sip_guard_table_drop(struct sip_guard_table *table, void *entry);
unsigned sip_guard_table_size(const struct sip_guard_table *table); // places
// NULL: that place is empty, or there is none.
void *sip_guard_table_at(const struct sip_guard_table *table, uint32_t place);
// Walking over all that is not empty: start with 0; NULL at the end. Entries may be dropped meanwhile.
void *sip_guard_table_next(const struct sip_guard_table *table, uint32_t *at);
