#pragma once

// The inside of the mirror, for the sources of this folder alone: entries, their indexes, their views.
// Runs on: control thread.

#include "base/address.h"
#include "base/map.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "directory/origination/origination.h"
#include "directory/index/index.h"
#include "directory/index/pool.h"
#include "directory/index/peers.h"
#include "directory/relation.h"
#include "directory/routing/routing.h"
#include "directory/stock.h"

#define MIRROR_UNIQUES_MAX 2 // unique fields of one kind

struct mirror_unique { // one unique value
	struct map_node node;
	struct directory_entry *entry;
	char key[DIRECTORY_KEY_SIZE];
};

struct mirror_link { // one reference; also a sub-domain's to its parent domain
	struct mirror_link *next, *previous;
	struct directory_entry *entry; // that refers
	struct mirror_group *group;
	bool is_released; // by the schema
};

// All entries of one kind that refer to one SID (or one parent domain), there or not.
struct mirror_group {
	_Alignas(DIRECTORY_LINE) struct map_node node;
	struct directory_lengths lengths; // of an ACL's prefixes
	enum directory_kind kind; // of those who refer
	struct mirror_link *first;
	char target[DIRECTORY_NAME_SIZE];
};

// What a trunk leads to, found once after each change of the directory and kept with it.
struct mirror_memo {
	uint64_t changes; // the directory's, when it was found; 0: never
	const struct account *account; // NULL: not there
	const struct mirror_group *acl; // prefixes of its only ACL; NULL: none, or several
	const struct mirror_group *users; // of its only credential list; NULL: none, or several
	const char *acls, *credential_lists; // as the object says, from the start
};

union directory_view {
	struct account account;
	struct {
		struct mirror_memo memo;
		struct trunk trunk;
	};
	struct prefix prefix;
	struct credential credential;
	struct {
		char trunk_sid[DIRECTORY_SID_SIZE]; // of a route; "": of all
		struct directory_route route;
	};
	struct number number;
	struct carrier carrier;
	struct origination_uri origination;
};

struct directory_entry {
	_Alignas(DIRECTORY_LINE) struct map_node by_sid;
	char sid[DIRECTORY_SID_SIZE]; // the object's, and its kind
	uint8_t kind;
	struct directory_entry *next, *previous; // of its kind
	struct directory_object *object;
	struct mirror_unique uniques[MIRROR_UNIQUES_MAX];
	unsigned unique_count;
	struct mirror_link *links;
	unsigned link_count;
	struct directory_peer peer;
	size_t stock_at; // place in the stock and one; 0: not in it
	struct index_node place, owned; // in the index
	_Alignas(DIRECTORY_LINE) union directory_view view; // of its kind: no more is allocated
};

struct mirror_list {
	struct directory_entry *first, *last;
	unsigned count;
	uint64_t generation;
};

struct directory {
	char base_domain[DIRECTORY_HOST_SIZE]; // lower case
	struct directory_rules rules;
	uint64_t changes; // another number after each
	struct map by_sid, uniques, groups;
	struct directory_index index;
	struct directory_pool entries[DIRECTORY_KIND_COUNT], group_pool;
	struct directory_peers peers;
	struct directory_stock stock;
	struct mirror_list kinds[DIRECTORY_KIND_COUNT];
	const struct carrier *carriers[DIRECTORY_CARRIERS_MAX]; // enabled, in order
	unsigned carrier_count;
	unsigned deprecated_tls_count; // accounts that allow it
};

struct directory_entry *directory_mirror_entry(const struct directory *directory, struct text sid);
struct directory_entry *directory_mirror_unique(const struct directory *directory, struct text key);
const struct mirror_group *directory_mirror_group(const struct directory *directory,
						  struct text target, enum directory_kind kind);

// Takes the object over, also when it fails. An entry of the same SID stays; the caller destroys it.
enum status directory_mirror_create_entry(struct directory *directory,
					  struct directory_object *object,
					  struct directory_entry **out_entry);
void directory_mirror_destroy_entry(struct directory *directory, struct directory_entry *entry);

// Fills the typed form of an object; false: something required is missing. The room needs to be of the
// size for the kind.
bool directory_view_fill(const struct directory_object *object, union directory_view *out_view);
size_t directory_view_size(enum directory_kind kind);
