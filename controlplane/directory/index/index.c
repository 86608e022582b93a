// The tables that calls use. Runs on the control thread. Allocates nothing but buckets.

#include "directory/index/index.h"

#include <string.h>

#include "directory/mirror.h"

#define EXPECTED 16 // entries of a kind, at first
#define LENGTHS_AT_ONCE 4 // of prefixes, whose lines are waited for together

static struct hash_words key_of_text(struct text text)
{
	struct hash hash = hash_start();
	hash_text(&hash, text);
	return hash_finish_words(&hash);
}

// ---- prefixes of lists

static uint64_t word_at(const uint8_t *octets)
{
	uint64_t word;
	memcpy(&word, octets, sizeof(word));
	return __builtin_bswap64(word);
}

static unsigned lowest_bit(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? 0 : 33; // 0 to 32, 33 to 161
}

static unsigned longest(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? 32 : 128;
}

static uint64_t first_bits(unsigned count)
{
	return count == 0 ? 0 : count < 64 ? ~(UINT64_MAX >> count) : UINT64_MAX;
}

static struct hash hash_of_list(const struct mirror_group *list)
{
	struct hash hash = hash_start();
	hash_number(&hash, (uintptr_t)list);
	return hash;
}

// What is behind the prefix counts as 0.
static struct hash_words key_of_prefix(struct hash of_list, const struct address *address,
				       unsigned bits)
{
	uint64_t upper = word_at(address->octets) & first_bits(bits);
	uint64_t lower = word_at(address->octets + 8) & first_bits(bits > 64 ? bits - 64 : 0);
	if (address->family == ADDRESS_IPV4) { // half of a word is free
		hash_number(&of_list, upper | bits);
	} else {
		hash_number(&of_list, upper);
		hash_number(&of_list, lower);
		hash_number(&of_list, bits);
	}
	return hash_finish_words(&of_list);
}

// The longest length that the list has among those whose bits are below `end`; -1: none.
static int length_below(const struct directory_lengths *lengths, unsigned end)
{
	while (end > 0) {
		unsigned last = end - 1;
		uint64_t word = lengths->words[last / 64] << (63 - last % 64);
		if (word != 0)
			return (int)last - __builtin_clzll(word);
		end = last - last % 64;
	}
	return -1;
}

// Of the prefixes that may hold the address, longest first: the next few below `end`, whose lines are then
// waited for together.
static unsigned next_keys(const struct mirror_group *list, const struct address *address,
			  unsigned *end, struct hash_words out_keys[static LENGTHS_AT_ONCE])
{
	struct hash of_list = hash_of_list(list);
	int lowest = (int)lowest_bit(address), bit;
	unsigned count = 0;
	while (count < LENGTHS_AT_ONCE && (bit = length_below(&list->lengths, *end)) >= lowest) {
		out_keys[count++] = key_of_prefix(of_list, address, (unsigned)(bit - lowest));
		*end = (unsigned)bit;
	}
	return count;
}

static unsigned end_of_lengths(const struct address *address)
{
	return lowest_bit(address) + longest(address) + 1;
}

bool directory_index_has_address(const struct directory *directory, const struct mirror_group *list,
				 const struct address *address)
{
	const struct index *index = &directory->index.kinds[DIRECTORY_ACL_ADDRESS];
	struct hash_words keys[LENGTHS_AT_ONCE];
	unsigned end = end_of_lengths(address), count = LENGTHS_AT_ONCE;
	bool is_in = false;
	while (!is_in && count == LENGTHS_AT_ONCE && address->family != ADDRESS_NONE) {
		count = next_keys(list, address, &end, keys);
		for (unsigned i = 0; i < count; i++)
			index_expect(index, keys[i]);
		for (unsigned i = 0; i < count && !is_in; i++)
			is_in = index_find(index, keys[i]) != NULL;
	}
	return is_in;
}

void directory_index_expect_address(const struct directory *directory,
				    const struct mirror_group *list, const struct address *address)
{
	struct hash_words keys[LENGTHS_AT_ONCE];
	unsigned end = end_of_lengths(address);
	unsigned count = address->family != ADDRESS_NONE ? next_keys(list, address, &end, keys) : 0;
	for (unsigned i = 0; i < count; i++)
		index_expect(&directory->index.kinds[DIRECTORY_ACL_ADDRESS], keys[i]);
}

// ---- trunks, numbers, credentials, routes

static struct directory_entry *find(const struct directory *directory, enum directory_kind kind,
				    struct hash_words key)
{
	struct index_node *node = index_find(&directory->index.kinds[kind], key);
	return node ? index_entry(node, struct directory_entry, place) : NULL;
}

struct directory_entry *directory_index_trunk(const struct directory *directory, struct text domain)
{
	return find(directory, DIRECTORY_TRUNK, key_of_text(domain));
}

struct directory_entry *directory_index_number(const struct directory *directory,
					       enum directory_kind kind, struct text e164)
{
	return find(directory, kind, key_of_text(e164));
}

void directory_index_expect_number(const struct directory *directory, enum directory_kind kind,
				   struct text e164)
{
	index_expect(&directory->index.kinds[kind], key_of_text(e164));
}

bool directory_index_is_owned(const struct directory *directory, struct text account,
			      struct text e164)
{
	return index_find(&directory->index.owned, hash_of_pair(account, e164)) != NULL;
}

void directory_index_expect_owned(const struct directory *directory, struct text account,
				  struct text e164)
{
	index_expect(&directory->index.owned, hash_of_pair(account, e164));
}

static struct hash_words key_of_user(const struct mirror_group *list, struct text user)
{
	struct hash hash = hash_of_list(list);
	hash_text(&hash, user);
	return hash_finish_words(&hash);
}

struct directory_entry *directory_index_credential(const struct directory *directory,
						   const struct mirror_group *list,
						   struct text user)
{
	struct directory_entry *entry =
		find(directory, DIRECTORY_CREDENTIAL, key_of_user(list, user));
	if (entry)
		__builtin_prefetch(&entry->view); // its hashes are needed last
	return entry;
}

void directory_index_expect_credential(const struct directory *directory,
				       const struct mirror_group *list, struct text user)
{
	index_expect(&directory->index.kinds[DIRECTORY_CREDENTIAL], key_of_user(list, user));
}

struct directory_entry *directory_index_route(const struct directory *directory, struct text trunk,
					      struct text prefix)
{
	return find(directory, DIRECTORY_ROUTE, hash_of_pair(trunk, prefix));
}

// ---- entries come and go

static bool place_trunk(const struct directory_entry *entry, struct hash_words *out_key)
{
	*out_key = key_of_text(text_of(entry->view.trunk.domain));
	return entry->view.trunk.domain[0] != '\0';
}

static bool place_prefix(const struct directory_entry *entry, struct hash_words *out_key)
{
	const struct prefix *prefix = &entry->view.prefix;
	if (prefix->address.family == ADDRESS_NONE || entry->link_count == 0)
		return false;
	struct mirror_group *list = entry->links[0].group;
	unsigned bit = lowest_bit(&prefix->address) + prefix->bits;
	list->lengths.words[bit / 64] |= 1ull << bit % 64;
	*out_key = key_of_prefix(hash_of_list(list), &prefix->address, prefix->bits);
	return true;
}

static bool place_credential(const struct directory_entry *entry, struct hash_words *out_key)
{
	if (entry->link_count == 0)
		return false;
	*out_key = key_of_user(entry->links[0].group, text_of(entry->view.credential.user));
	return true;
}

static bool place_number(const struct directory_entry *entry, struct hash_words *out_key)
{
	*out_key = key_of_text(directory_object_get(entry->object, "e164"));
	return true;
}

static bool place_route(const struct directory_entry *entry, struct hash_words *out_key)
{
	*out_key = hash_of_pair(text_of(entry->view.trunk_sid), text_of(entry->view.route.prefix));
	return true;
}

// Where an entry has its place; false: nowhere.
static bool (*const places[DIRECTORY_KIND_COUNT])(const struct directory_entry *entry,
						  struct hash_words *out_key) = {
	[DIRECTORY_TRUNK] = place_trunk,           [DIRECTORY_ACL_ADDRESS] = place_prefix,
	[DIRECTORY_CREDENTIAL] = place_credential, [DIRECTORY_NUMBER] = place_number,
	[DIRECTORY_BLOCKED_NUMBER] = place_number, [DIRECTORY_ROUTE] = place_route,
};

void directory_index_clear(struct directory_index *index)
{
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++)
		index_clear(&index->kinds[kind]);
	index_clear(&index->owned);
}

static enum status add(struct index *index, struct index_node *node, struct hash_words key)
{
	enum status status = index->bucket_count == 0 ? index_init(index, EXPECTED) : OK;
	if (status == OK)
		index_add(index, node, key);
	return status;
}

enum status directory_index_add(struct directory_index *index, struct directory_entry *entry)
{
	enum directory_kind kind = entry->object->kind;
	const struct number *number = &entry->view.number;
	struct hash_words key;
	enum status status = OK;
	if (places[kind] && places[kind](entry, &key))
		status = add(&index->kinds[kind], &entry->place, key);
	if (status == OK && kind == DIRECTORY_NUMBER && number->account_sid[0] != '\0')
		status = add(&index->owned, &entry->owned,
			     hash_of_pair(text_of(number->account_sid), text_of(number->e164)));
	return status;
}

void directory_index_remove(struct directory_index *index, struct directory_entry *entry)
{
	index_remove(&index->kinds[entry->kind], &entry->place); // harmless when it has no place
	index_remove(&index->owned, &entry->owned);
}
