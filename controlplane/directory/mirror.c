// The mirror's entries and the three ways to them: by SID, by unique value, by what they refer to. What
// an entry refers to need not be there: it may come later.
// Runs on: control thread. Never checks a rule.

#include "directory/mirror.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "directory/value.h"

static bool sid_is_equal(const struct map_node *node, const void *key)
{
	const struct directory_entry *entry = map_entry(node, struct directory_entry, by_sid);
	return text_is_equal(*(const struct text *)key, text_of(entry->sid));
}

static bool unique_is_equal(const struct map_node *node, const void *key)
{
	const struct mirror_unique *unique = map_entry(node, struct mirror_unique, node);
	return text_is_equal(*(const struct text *)key, text_of(unique->key));
}

struct group_key {
	struct text target;
	enum directory_kind kind;
};

static bool group_is_equal(const struct map_node *node, const void *key)
{
	const struct mirror_group *group = map_entry(node, struct mirror_group, node);
	const struct group_key *wanted = key;
	return group->kind == wanted->kind && text_is_equal(wanted->target, text_of(group->target));
}

static uint64_t group_hash(struct text target, enum directory_kind kind)
{
	return map_hash_pair(target, text_of(directory_schema(kind)->prefix));
}

struct directory_entry *directory_mirror_entry(const struct directory *directory, struct text sid)
{
	struct map_node *node = map_find(&directory->by_sid, map_hash(sid), sid_is_equal, &sid);
	return node ? map_entry(node, struct directory_entry, by_sid) : NULL;
}

struct directory_entry *directory_mirror_unique(const struct directory *directory, struct text key)
{
	struct map_node *node = map_find(&directory->uniques, map_hash(key), unique_is_equal, &key);
	return node ? map_entry(node, struct mirror_unique, node)->entry : NULL;
}

const struct mirror_group *directory_mirror_group(const struct directory *directory,
						  struct text target, enum directory_kind kind)
{
	struct group_key key = { target, kind };
	struct map_node *node =
		map_find(&directory->groups, group_hash(target, kind), group_is_equal, &key);
	return node ? map_entry(node, struct mirror_group, node) : NULL;
}

static struct mirror_group *group_for(struct directory *directory, struct text target,
				      enum directory_kind kind)
{
	struct group_key key = { target, kind };
	uint64_t hash = group_hash(target, kind);
	struct map_node *node = map_find(&directory->groups, hash, group_is_equal, &key);
	if (node)
		return map_entry(node, struct mirror_group, node);
	struct mirror_group *group = directory_pool_take(&directory->group_pool, sizeof(*group));
	if (!group)
		return NULL;
	(void)text_copy(target, group->target, sizeof(group->target));
	group->kind = kind;
	map_add(&directory->groups, &group->node, hash);
	return group;
}

static void unlink_reference(struct directory *directory, struct mirror_link *link)
{
	struct mirror_group *group = link->group;
	if (link->previous)
		link->previous->next = link->next;
	else
		group->first = link->next;
	if (link->next)
		link->next->previous = link->previous;
	if (group->first)
		return;
	map_remove(&directory->groups, &group->node);
	directory_pool_give(&directory->group_pool, group);
}

static bool add_link(struct directory *directory, struct directory_entry *entry, struct text target,
		     bool is_released)
{
	struct mirror_group *group = group_for(directory, target, entry->object->kind);
	if (!group)
		return false;
	struct mirror_link *link = &entry->links[entry->link_count++];
	*link = (struct mirror_link){
		.next = group->first, .entry = entry, .group = group, .is_released = is_released
	};
	if (group->first)
		group->first->previous = link;
	group->first = link;
	return true;
}

static unsigned count_targets(const struct directory_object *object)
{
	const struct directory_schema *schema = directory_schema(object->kind);
	unsigned count = directory_relation_parent(object).size > 0;
	for (unsigned i = 0; i < schema->field_count; i++) {
		enum directory_type type = schema->fields[i].type;
		struct text rest = text_of(object->values[i]);
		if (type != DIRECTORY_REFERENCE && type != DIRECTORY_REFERENCES)
			continue;
		while (directory_value_next(&rest).size > 0)
			count++;
	}
	return count;
}

static bool add_links(struct directory *directory, struct directory_entry *entry)
{
	const struct directory_object *object = entry->object;
	const struct directory_schema *schema = directory_schema(object->kind);
	unsigned count = count_targets(object);
	entry->links = count > 0 ? calloc(count, sizeof(*entry->links)) : NULL;
	if (count > 0 && !entry->links)
		return false;
	for (unsigned i = 0; i < schema->field_count; i++) {
		const struct directory_field *row = &schema->fields[i];
		struct text rest = text_of(object->values[i]), word;
		if (row->type != DIRECTORY_REFERENCE && row->type != DIRECTORY_REFERENCES)
			continue;
		while ((word = directory_value_next(&rest)).size > 0) {
			if (!add_link(directory, entry, word, row->is_released))
				return false;
		}
	}
	struct text parent = directory_relation_parent(object);
	return parent.size == 0 || add_link(directory, entry, parent, false);
}

static bool add_uniques(struct directory *directory, struct directory_entry *entry)
{
	const struct directory_schema *schema = directory_schema(entry->object->kind);
	for (unsigned i = 0; i < schema->field_count; i++) {
		if (!schema->fields[i].is_unique || !entry->object->values[i])
			continue;
		assert(entry->unique_count < MIRROR_UNIQUES_MAX);
		struct mirror_unique *unique = &entry->uniques[entry->unique_count];
		struct writer key = writer_of(unique->key, sizeof(unique->key));
		if (!directory_relation_key_of(entry->object, i, &key) || !writer_string_done(&key))
			return false;
		unique->entry = entry;
		map_add(&directory->uniques, &unique->node, map_hash(writer_done(&key)));
		entry->unique_count++;
	}
	return true;
}

// A number is a tenth of a carrier, and there may be a hundred thousand of them.
static size_t entry_size(enum directory_kind kind)
{
	return offsetof(struct directory_entry, view) + directory_view_size(kind);
}

void directory_mirror_destroy_entry(struct directory *directory, struct directory_entry *entry)
{
	enum directory_kind kind = (enum directory_kind)entry->kind;
	directory_stock_remove(&directory->stock, entry);
	map_remove(&directory->by_sid, &entry->by_sid);
	directory_index_remove(&directory->index, entry);
	directory_peers_remove(&directory->peers, entry);
	for (unsigned i = 0; i < entry->unique_count; i++)
		map_remove(&directory->uniques, &entry->uniques[i].node);
	for (unsigned i = 0; i < entry->link_count; i++)
		unlink_reference(directory, &entry->links[i]);
	directory_object_destroy(entry->object);
	free(entry->links);
	secret_wipe(&entry->view, directory_view_size(kind)); // may hold a password's hashes
	directory_pool_give(&directory->entries[kind], entry);
}

enum status directory_mirror_create_entry(struct directory *directory,
					  struct directory_object *object,
					  struct directory_entry **out_entry)
{
	struct text sid = text_of(object->sid);
	struct directory_entry *entry =
		directory_pool_take(&directory->entries[object->kind], entry_size(object->kind));
	enum status status = ERR_MEMORY;
	if (!entry) {
		directory_object_destroy(object);
		return status;
	}
	entry->object = object;
	entry->kind = (uint8_t)object->kind;
	memcpy(entry->sid, object->sid, sizeof(entry->sid));
	status = ERR_MALFORMED;
	if (directory_kind_of_sid(sid) != object->kind ||
	    !directory_view_fill(object, &entry->view))
		goto fail;
	status = ERR_MEMORY;
	if (!add_links(directory, entry) || !add_uniques(directory, entry))
		goto fail;
	status = directory_index_add(&directory->index, entry);
	if (status != OK)
		goto fail;
	map_add(&directory->by_sid, &entry->by_sid, map_hash(sid));
	directory_peers_add(&directory->peers, entry);
	directory_stock_add(&directory->stock, entry);
	*out_entry = entry;
	return OK;
fail:
	directory_mirror_destroy_entry(directory, entry);
	return status;
}
