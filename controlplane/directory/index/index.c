// The tables that calls use. Runs on the control thread. Allocates nothing but slots.

#include "directory/index/index.h"

#include <assert.h>
#include <string.h>

#include "base/map.h"
#include "directory/mirror.h"
#include "directory/value.h"

#define DIGITS_MAX 15 // E.164
#define EXPECTED_LENGTHS 2 // a hash each; most lists have one

// "+14155550100" as four bits a digit, none of them 0. 0: it is no number.
static uint64_t digits_of(struct text e164)
{
	uint64_t key = 0;
	if (e164.size < 2 || e164.size > 1 + DIGITS_MAX || e164.data[0] != '+')
		return 0;
	for (size_t i = 1; i < e164.size; i++) {
		if (e164.data[i] < '0' || e164.data[i] > '9')
			return 0;
		key = key << 4 | (uint64_t)(e164.data[i] - '0' + 1);
	}
	return key;
}

static uint64_t hash_of_key(uint64_t key)
{
	return map_hash((struct text){ (const char *)&key, sizeof(key) });
}

// ---- prefixes of lists

struct prefix_key {
	uint64_t list;
	uint8_t octets[16];
	uint8_t bits, family, reserved[6];
};

static_assert(sizeof(struct prefix_key) == 32);

static uint64_t list_key(const struct mirror_group *list)
{
	return (uint64_t)(uintptr_t)list;
}

static void cut(const struct address *address, unsigned bits, struct prefix_key *key)
{
	*key = (struct prefix_key){ .list = key->list,
				    .bits = (uint8_t)bits,
				    .family = address->family };
	memcpy(key->octets, address->octets, bits / 8);
	if (bits % 8 != 0)
		key->octets[bits / 8] = (uint8_t)(address->octets[bits / 8] & (0xff00 >> bits % 8));
}

static uint64_t hash_of_prefix(const struct prefix_key *key)
{
	return map_hash((struct text){ (const char *)key, sizeof(*key) });
}

static unsigned length_bit(const struct address *address, unsigned bits)
{
	return address->family == ADDRESS_IPV4 ? bits : 33 + bits; // 0 to 32, 33 to 161
}

static bool prefix_is_equal(const struct directory_entry *entry, const void *wanted)
{
	const struct prefix *prefix = &entry->view.prefix;
	const struct prefix_key *key = wanted;
	struct prefix_key own = { .list = entry->place.key };
	if (own.list != key->list || prefix->bits != key->bits)
		return false;
	cut(&prefix->address, prefix->bits, &own);
	return memcmp(&own, key, sizeof(own)) == 0;
}

static uint64_t place_prefix(struct directory_entry *entry)
{
	const struct prefix *prefix = &entry->view.prefix;
	if (prefix->address.family == ADDRESS_NONE || entry->link_count == 0)
		return 0;
	struct mirror_group *list = entry->links[0].group;
	struct prefix_key key = { .list = list_key(list) };
	unsigned bit = length_bit(&prefix->address, prefix->bits);
	list->lengths.words[bit / 64] |= 1ull << bit % 64;
	entry->place.key = key.list;
	cut(&prefix->address, prefix->bits, &key);
	return hash_of_prefix(&key);
}

bool directory_index_has_address(const struct directory *directory, const struct mirror_group *list,
				 const struct address *address)
{
	const struct directory_table *table = &directory->index.tables[DIRECTORY_ACL_ADDRESS];
	unsigned bits = address->family == ADDRESS_IPV4 ? 32 : 128;
	struct prefix_key key = { .list = list_key(list) };
	if (address->family == ADDRESS_NONE)
		return false;
	for (unsigned next = bits + 1; next-- > 0;) {
		unsigned bit = length_bit(address, next);
		if ((list->lengths.words[bit / 64] >> bit % 64 & 1) == 0)
			continue;
		cut(address, next, &key);
		if (directory_table_find(table, hash_of_prefix(&key), prefix_is_equal, &key))
			return true;
	}
	return false;
}

void directory_index_expect_address(const struct directory *directory,
				    const struct mirror_group *list, const struct address *address)
{
	const struct directory_table *table = &directory->index.tables[DIRECTORY_ACL_ADDRESS];
	struct prefix_key key = { .list = list_key(list) };
	unsigned bits = address->family == ADDRESS_IPV4 ? 32 : 128;
	if (address->family == ADDRESS_NONE)
		return;
	for (unsigned next = bits + 1, found = 0; next-- > 0 && found < EXPECTED_LENGTHS;) {
		unsigned bit = length_bit(address, next);
		if ((list->lengths.words[bit / 64] >> bit % 64 & 1) == 0)
			continue;
		cut(address, next, &key);
		directory_table_expect(table, hash_of_prefix(&key));
		found++;
	}
}

// ---- trunks, numbers, credentials

// The second line, while the first is waited for.
static void expect_second(const struct directory_entry *entry)
{
	__builtin_prefetch((const char *)&entry->place);
	__builtin_prefetch((const char *)&entry->place + DIRECTORY_LINE);
}

static uint64_t place_trunk(struct directory_entry *entry)
{
	struct text domain = text_of(entry->view.trunk.domain);
	entry->place.key = domain.size > 0;
	return map_hash(domain);
}

static bool domain_is_equal(const struct directory_entry *entry, const void *wanted)
{
	expect_second(entry);
	return text_is_equal(text_of(entry->view.trunk.domain), *(const struct text *)wanted);
}

struct directory_entry *directory_index_trunk(const struct directory *directory, struct text domain)
{
	return directory_table_find(&directory->index.tables[DIRECTORY_TRUNK], map_hash(domain),
				    domain_is_equal, &domain);
}

static uint64_t place_number(struct directory_entry *entry)
{
	entry->place.key = digits_of(directory_object_get(entry->object, "e164"));
	return hash_of_key(entry->place.key);
}

static bool key_is_equal(const struct directory_entry *entry, const void *wanted)
{
	return entry->place.key == *(const uint64_t *)wanted;
}

struct directory_entry *directory_index_number(const struct directory *directory,
					       enum directory_kind kind, struct text e164)
{
	uint64_t key = digits_of(e164);
	return key != 0 ? directory_table_find(&directory->index.tables[kind], hash_of_key(key),
					       key_is_equal, &key)
			: NULL;
}

void directory_index_expect_number(const struct directory *directory, enum directory_kind kind,
				   struct text e164)
{
	uint64_t key = digits_of(e164);
	if (key != 0)
		directory_table_expect(&directory->index.tables[kind], hash_of_key(key));
}

void directory_index_expect_entry(const struct directory *directory, enum directory_kind kind,
				  struct text e164)
{
	uint64_t key = digits_of(e164);
	if (key != 0)
		directory_table_expect_entry(&directory->index.tables[kind], hash_of_key(key));
}

void directory_index_prefetch(const struct directory_entry *entry)
{
	__builtin_prefetch(&entry->place);
}

struct scoped_key {
	struct text list, user; // of a route: trunk and prefix
};

static bool user_is_equal(const struct directory_entry *entry, const void *wanted)
{
	const struct scoped_key *key = wanted;
	expect_second(entry);
	return text_is_equal(text_of(entry->view.list), key->list) &&
	       text_is_equal(text_of(entry->view.credential.user), key->user);
}

static uint64_t place_credential(struct directory_entry *entry)
{
	entry->place.key = 1;
	return map_hash_pair(text_of(entry->view.list), text_of(entry->view.credential.user));
}

struct directory_entry *directory_index_credential(const struct directory *directory,
						   struct text list, struct text user)
{
	struct scoped_key key = { list, user };
	return directory_table_find(&directory->index.tables[DIRECTORY_CREDENTIAL],
				    map_hash_pair(list, user), user_is_equal, &key);
}

static bool route_is_equal(const struct directory_entry *entry, const void *wanted)
{
	const struct scoped_key *key = wanted;
	return text_is_equal(text_of(entry->view.list), key->list) &&
	       text_is_equal(text_of(entry->view.route.prefix), key->user);
}

static uint64_t place_route(struct directory_entry *entry)
{
	entry->place.key = 1;
	return map_hash_pair(text_of(entry->view.list), text_of(entry->view.route.prefix));
}

struct directory_entry *directory_index_route(const struct directory *directory, struct text trunk,
					      struct text prefix)
{
	struct scoped_key key = { trunk, prefix };
	return directory_table_find(&directory->index.tables[DIRECTORY_ROUTE],
				    map_hash_pair(trunk, prefix), route_is_equal, &key);
}

// Sets the key and returns the hash of an entry's place.
static uint64_t (*const places[DIRECTORY_KIND_COUNT])(struct directory_entry *entry) = {
	[DIRECTORY_TRUNK] = place_trunk,           [DIRECTORY_ACL_ADDRESS] = place_prefix,
	[DIRECTORY_CREDENTIAL] = place_credential, [DIRECTORY_NUMBER] = place_number,
	[DIRECTORY_BLOCKED_NUMBER] = place_number, [DIRECTORY_ROUTE] = place_route,
};

void directory_index_clear(struct directory_index *index)
{
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++)
		directory_table_clear(&index->tables[kind]);
}

bool directory_index_add(struct directory_index *index, struct directory_entry *entry)
{
	enum directory_kind kind = entry->object->kind;
	entry->place.hash = places[kind] ? places[kind](entry) : 0;
	if (entry->place.key == 0 ||
	    directory_table_add(&index->tables[kind], entry, entry->place.hash))
		return true;
	entry->place.key = 0;
	return false;
}

void directory_index_remove(struct directory_index *index, struct directory_entry *entry)
{
	if (entry->place.key != 0)
		directory_table_remove(&index->tables[entry->object->kind], entry,
				       entry->place.hash);
	entry->place.key = 0;
}
