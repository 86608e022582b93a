// The mirror as a whole: objects come, are replaced and go, in any order; and the operator finds them.
// Runs on: control thread. Never checks a rule, never waits, never calls the store.

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "directory/mirror.h"

#define EXPECTED 64

struct directory *directory_create(struct text base_domain)
{
	struct directory *directory = calloc(1, sizeof(*directory));
	if (!directory)
		return NULL;
	directory->changes = 1;
	if (!text_copy(base_domain, directory->base_domain, sizeof(directory->base_domain)) ||
	    !directory_peers_init(&directory->peers) || !map_init(&directory->by_sid, EXPECTED) ||
	    !map_init(&directory->uniques, EXPECTED) || !map_init(&directory->groups, EXPECTED)) {
		directory_destroy(directory);
		return NULL;
	}
	for (char *at = directory->base_domain; *at; at++)
		*at = *at >= 'A' && *at <= 'Z' ? (char)(*at + ('a' - 'A')) : *at;
	return directory;
}

void directory_destroy(struct directory *directory)
{
	if (!directory)
		return;
	directory_empty(directory);
	map_clear(&directory->by_sid);
	map_clear(&directory->uniques);
	map_clear(&directory->groups);
	directory_peers_clear(&directory->peers);
	directory_index_clear(&directory->index);
	directory_stock_clear(&directory->stock);
	free(directory);
}

struct text directory_base_domain(const struct directory *directory)
{
	return text_of(directory->base_domain);
}

void directory_follow(struct directory *directory, const struct directory_rules *rules)
{
	directory->rules = *rules;
}

static void append(struct mirror_list *list, struct directory_entry *entry)
{
	entry->previous = list->last;
	if (list->last)
		list->last->next = entry;
	else
		list->first = entry;
	list->last = entry;
	list->count++;
}

// Takes `old` out of the list; `entry`, when there is one, gets its place.
static void replace(struct mirror_list *list, struct directory_entry *old,
		    struct directory_entry *entry)
{
	struct directory_entry *next = entry ? entry : old->next;
	struct directory_entry *previous = entry ? entry : old->previous;
	if (old->previous)
		old->previous->next = next;
	else
		list->first = next;
	if (old->next)
		old->next->previous = previous;
	else
		list->last = previous;
	if (entry) {
		entry->next = old->next;
		entry->previous = old->previous;
	} else {
		list->count--;
	}
}

static bool is_before(const struct carrier *a, const struct carrier *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->weight != b->weight ? a->weight > b->weight : strcmp(a->sid, b->sid) < 0;
}

// Insertion into a short sorted array; what does not fit behind the best is left out, which the
// check of a new carrier refuses to let happen.
static void sort_carriers(struct directory *directory)
{
	const struct directory_entry *entry = directory->kinds[DIRECTORY_CARRIER].first;
	directory->carrier_count = 0;
	for (; entry; entry = entry->next) {
		unsigned at = directory->carrier_count;
		if (!entry->view.carrier.is_enabled)
			continue;
		while (at > 0 && is_before(&entry->view.carrier, directory->carriers[at - 1])) {
			if (at < DIRECTORY_CARRIERS_MAX)
				directory->carriers[at] = directory->carriers[at - 1];
			at--;
		}
		if (at < DIRECTORY_CARRIERS_MAX)
			directory->carriers[at] = &entry->view.carrier;
		if (directory->carrier_count < DIRECTORY_CARRIERS_MAX)
			directory->carrier_count++;
	}
}

static void count_deprecated(struct directory *directory, const struct directory_entry *entry,
			     int change)
{
	if (entry && entry->object->kind == DIRECTORY_ACCOUNT &&
	    entry->view.account.allows_deprecated_tls)
		directory->deprecated_tls_count += (unsigned)change;
}

enum status directory_put(struct directory *directory, struct directory_object *object)
{
	struct mirror_list *list = &directory->kinds[object->kind];
	struct directory_entry *old = directory_mirror_entry(directory, text_of(object->sid));
	struct directory_entry *entry;
	enum status status = directory_mirror_create_entry(directory, object, &entry);
	if (status != OK)
		return status;
	list->generation++;
	directory->changes++;
	count_deprecated(directory, old, -1);
	count_deprecated(directory, entry, 1);
	if (old) {
		replace(list, old, entry);
		directory_mirror_destroy_entry(directory, old);
	} else {
		append(list, entry);
	}
	if (object->kind == DIRECTORY_CARRIER)
		sort_carriers(directory);
	return OK;
}

void directory_drop(struct directory *directory, const char *sid)
{
	struct directory_entry *entry = directory_mirror_entry(directory, text_of(sid));
	if (!entry)
		return;
	enum directory_kind kind = entry->object->kind;
	directory->kinds[kind].generation++;
	directory->changes++;
	count_deprecated(directory, entry, -1);
	replace(&directory->kinds[kind], entry, NULL);
	directory_mirror_destroy_entry(directory, entry);
	if (kind == DIRECTORY_CARRIER)
		sort_carriers(directory);
}

bool directory_shrink(struct directory *directory, unsigned count)
{
	directory->carrier_count = 0;
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++) {
		struct mirror_list *list = &directory->kinds[kind];
		for (; count > 0 && list->first; count--) {
			struct directory_entry *entry = list->first;
			list->generation++;
			directory->changes++;
			replace(list, entry, NULL);
			count_deprecated(directory, entry, -1);
			directory_mirror_destroy_entry(directory, entry);
		}
		if (list->first)
			return false;
	}
	return true;
}

void directory_empty(struct directory *directory)
{
	(void)directory_shrink(directory, UINT_MAX);
}

void directory_swap(struct directory *a, struct directory *b)
{
	struct directory held = *a;
	*a = *b;
	*b = held;
	b->rules = a->rules; // those of each stay
	a->rules = held.rules;
	for (unsigned kind = 0; kind < DIRECTORY_KIND_COUNT; kind++) { // as neither had before
		uint64_t *of_a = &a->kinds[kind].generation, *of_b = &b->kinds[kind].generation;
		*of_a = *of_b = (*of_a > *of_b ? *of_a : *of_b) + 1;
	}
}

unsigned directory_referrers(const struct directory *directory, const char *sid,
			     enum directory_kind kind, const struct directory_object **out_found,
			     unsigned max)
{
	const struct mirror_group *group = directory_mirror_group(directory, text_of(sid), kind);
	const struct mirror_link *link = group ? group->first : NULL;
	unsigned count = 0;
	for (; link && count < max; link = link->next)
		out_found[count++] = link->entry->object;
	return count;
}

uint64_t directory_generation(const struct directory *directory, enum directory_kind kind)
{
	return directory->kinds[kind].generation;
}

static const struct directory_object *find_by_name(const struct directory *directory,
						   enum directory_kind kind, unsigned field,
						   struct text word)
{
	const struct directory_object *found = NULL;
	const struct directory_entry *entry = directory->kinds[kind].first;
	for (; entry; entry = entry->next) {
		if (!text_is_equal(text_of(entry->object->values[field]), word))
			continue;
		if (found)
			return NULL;
		found = entry->object;
	}
	return found;
}

static const struct directory_object *find_by_field(const struct directory *directory,
						    enum directory_kind kind, unsigned field,
						    struct text word)
{
	const struct directory_field *row = &directory_schema(kind)->fields[field];
	char room[DIRECTORY_KEY_SIZE];
	struct writer key = writer_of(room, sizeof(room));
	if (!row->is_unique || row->scope)
		return find_by_name(directory, kind, field, word);
	if (!directory_relation_key(kind, row, TEXT_NONE, word, &key))
		return NULL;
	struct directory_entry *entry = directory_mirror_unique(directory, writer_done(&key));
	return entry ? entry->object : NULL;
}

const struct directory_object *directory_find(const struct directory *directory,
					      enum directory_kind kind, struct text word)
{
	const struct directory_schema *schema = directory_schema(kind);
	struct directory_entry *entry = directory_mirror_entry(directory, word);
	if (entry && entry->object->kind == kind)
		return entry->object;
	if (word.size == 0 || directory_kind_of_sid(word) != DIRECTORY_KIND_COUNT)
		return NULL; // a SID is no name; the walk below is for people
	const struct directory_object *found = NULL;
	for (unsigned i = 0; !found && i < schema->field_count; i++) {
		if (schema->fields[i].is_unique)
			found = find_by_field(directory, kind, i, word);
	}
	unsigned name = directory_field_index(schema, TEXT("name"));
	if (!found && name < schema->field_count)
		found = find_by_field(directory, kind, name, word);
	return found;
}

const struct directory_object *directory_next(const struct directory *directory,
					      enum directory_kind kind,
					      const struct directory_object *after)
{
	struct directory_entry *entry =
		after ? directory_mirror_entry(directory, text_of(after->sid)) : NULL;
	entry = entry ? entry->next : after ? NULL : directory->kinds[kind].first;
	return entry ? entry->object : NULL;
}

unsigned directory_count(const struct directory *directory, enum directory_kind kind)
{
	return directory->kinds[kind].count;
}
