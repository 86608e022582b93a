#pragma once

// Whose address is this? An index of all provisioned addresses, those of ACLs and of carriers, that
// is asked before any work is spent on a packet: a hash for each length of prefix in use.
// Runs on: control thread. Inside directory/ but for the functions of directory.h.

#include <stdbool.h>

#include "base/address.h"
#include "base/map.h"

#define DIRECTORY_PREFIX_LENGTHS 129

struct directory_entry;

struct directory_peer { // in the entry of an ACL's address, or of a carrier
	struct map_node node;
	struct prefix prefix; // its host bits are 0
	bool is_in;
};

struct directory_peers {
	struct map by_prefix;
	unsigned lengths4[33], lengths6[DIRECTORY_PREFIX_LENGTHS]; // how many have it
};

bool directory_peers_is_wide(const struct prefix *prefix); // nobody is known by it
bool directory_peers_init(struct directory_peers *peers); // false: no memory
void directory_peers_clear(struct directory_peers *peers);
void directory_peers_add(struct directory_peers *peers, struct directory_entry *entry);
void directory_peers_remove(struct directory_peers *peers, struct directory_entry *entry);
