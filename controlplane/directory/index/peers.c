// The index of provisioned addresses. Runs on the control thread. Never allocates but for its buckets.

#include "directory/index/peers.h"

#include <string.h>

#include "directory/mirror.h"

// A wider prefix says "from anywhere": it may place calls with a password, but nobody is known by it.
#define WIDEST4 16
#define WIDEST6 32

static unsigned widest_of(const struct address *address)
{
	return address->family == ADDRESS_IPV4 ? WIDEST4 : WIDEST6;
}

bool directory_peers_is_wide(const struct prefix *prefix)
{
	return prefix->bits < widest_of(&prefix->address);
}

bool directory_peers_init(struct directory_peers *peers)
{
	return map_init(&peers->by_prefix, 64);
}

void directory_peers_clear(struct directory_peers *peers)
{
	map_clear(&peers->by_prefix);
}

static struct prefix cut(const struct address *address, unsigned bits)
{
	struct prefix prefix = { .address = { .family = address->family }, .bits = (uint8_t)bits };
	memcpy(prefix.address.octets, address->octets, bits / 8);
	if (bits % 8 != 0)
		prefix.address.octets[bits / 8] =
			(uint8_t)(address->octets[bits / 8] & (0xff00 >> bits % 8));
	return prefix;
}

static uint64_t hash_of(const struct prefix *prefix)
{
	char key[18] = { (char)prefix->address.family, (char)prefix->bits };
	memcpy(key + 2, prefix->address.octets, 16);
	return map_hash((struct text){ key, sizeof(key) });
}

static bool is_equal(const struct map_node *node, const void *key)
{
	const struct directory_peer *peer =
		map_entry((struct map_node *)node, struct directory_peer, node);
	const struct prefix *prefix = key;
	return peer->prefix.bits == prefix->bits &&
	       address_is_same_host(&peer->prefix.address, &prefix->address);
}

static unsigned *length_of(struct directory_peers *peers, const struct prefix *prefix)
{
	return prefix->address.family == ADDRESS_IPV4 ? &peers->lengths4[prefix->bits]
						      : &peers->lengths6[prefix->bits];
}

// What an entry says of addresses; of no family: nothing. A carrier given by name is known by the guard
// once it was asked something.
static struct prefix prefix_of(const struct directory_entry *entry)
{
	struct address carrier;
	if (entry->object->kind == DIRECTORY_ACL_ADDRESS)
		return cut(&entry->view.prefix.address, entry->view.prefix.bits);
	if (entry->object->kind == DIRECTORY_CARRIER &&
	    address_parse(text_of(entry->view.carrier.host), &carrier))
		return cut(&carrier, carrier.family == ADDRESS_IPV4 ? 32 : 128);
	return (struct prefix){ 0 };
}

void directory_peers_add(struct directory_peers *peers, struct directory_entry *entry)
{
	struct directory_peer *peer = &entry->peer;
	peer->prefix = prefix_of(entry);
	if (peer->prefix.address.family == ADDRESS_NONE)
		return;
	peer->is_in = true;
	map_add(&peers->by_prefix, &peer->node, hash_of(&peer->prefix));
	(*length_of(peers, &peer->prefix))++;
}

void directory_peers_remove(struct directory_peers *peers, struct directory_entry *entry)
{
	struct directory_peer *peer = &entry->peer;
	if (!peer->is_in)
		return;
	peer->is_in = false;
	map_remove(&peers->by_prefix, &peer->node);
	(*length_of(peers, &peer->prefix))--;
}

// The narrowest first.
static const struct directory_entry *find(const struct directory_peers *peers,
					  const struct address *address, unsigned widest)
{
	bool is_four = address->family == ADDRESS_IPV4;
	const unsigned *lengths = is_four ? peers->lengths4 : peers->lengths6;
	for (unsigned bits = (is_four ? 32 : 128) + 1; bits-- > widest;) {
		if (lengths[bits] == 0)
			continue;
		struct prefix prefix = cut(address, bits);
		struct map_node *node =
			map_find(&peers->by_prefix, hash_of(&prefix), is_equal, &prefix);
		if (node != NULL)
			return map_entry(map_entry(node, struct directory_peer, node),
					 struct directory_entry, peer);
	}
	return NULL;
}

bool directory_knows_address(const struct directory *directory, const struct address *address)
{
	unsigned widest = widest_of(address);
	return find(&directory->peers, address, widest) != NULL;
}

// Of an address in an ACL: the first trunk that uses the list.
const struct trunk *directory_trunk_by_address(const struct directory *directory,
					       const struct address *address)
{
	const struct directory_entry *entry = find(&directory->peers, address, 0);
	if (entry == NULL || entry->object->kind != DIRECTORY_ACL_ADDRESS)
		return NULL;
	const struct mirror_group *group = directory_mirror_group(
		directory, directory_object_get(entry->object, "acl"), DIRECTORY_TRUNK);
	return group != NULL && group->first != NULL ? &group->first->entry->view.trunk : NULL;
}

static const struct account *account_of(const struct directory *directory,
					const struct directory_entry *entry)
{
	const struct directory_entry *list = NULL;
	if (entry->object->kind == DIRECTORY_ACL_ADDRESS)
		list = directory_mirror_entry(directory,
					      directory_object_get(entry->object, "acl"));
	return list ? directory_account(directory,
					directory_object_get(list->object, "account").data)
		    : NULL;
}

// The same prefix may be in many lists: those of two accounts end the walk.
static bool is_of_one(const struct directory *directory, const struct prefix *prefix,
		      const struct account **found)
{
	uint64_t hash = hash_of(prefix);
	struct map_node *node = map_find(&directory->peers.by_prefix, hash, is_equal, prefix);
	for (; node != NULL; node = node->next) {
		struct directory_peer *peer = map_entry(node, struct directory_peer, node);
		if (node->hash != hash || !is_equal(node, prefix))
			continue;
		const struct account *account =
			account_of(directory, map_entry(peer, struct directory_entry, peer));
		if (account && *found && account != *found)
			return false;
		*found = account ? account : *found;
	}
	return true;
}

const struct account *directory_account_by_source(const struct directory *directory,
						  const struct address *source)
{
	const struct directory_peers *peers = &directory->peers;
	const struct account *found = NULL;
	bool is_four = source->family == ADDRESS_IPV4, is_one = source->family != ADDRESS_NONE;
	const unsigned *lengths = is_four ? peers->lengths4 : peers->lengths6;
	for (unsigned bits = (is_four ? 32 : 128) + 1; is_one && bits-- > 0;) {
		if (lengths[bits] == 0)
			continue;
		struct prefix prefix = cut(source, bits);
		is_one = is_of_one(directory, &prefix, &found);
	}
	return is_one ? found : NULL;
}
