// Routes of calls to groups of carriers. Runs on the control thread; reads memory only.

#include "directory/routing/routing.h"

#include "directory/mirror.h"
#include "directory/value.h"

// One look-up for each digit at most, and none while there are no routes.
static const struct directory_route *longest(const struct directory *directory, struct text trunk,
					     struct text called)
{
	const struct directory_entry *entry = NULL;
	for (size_t size = called.size; size > 0 && !entry; size--)
		entry = directory_index_route(directory, trunk, (struct text){ called.data, size });
	return entry ? &entry->view.route : NULL;
}

const struct directory_route *directory_route_of(const struct directory *directory,
						 const char *trunk_sid, const char *called)
{
	struct text number = text_of(called), trunk = text_of(trunk_sid);
	const struct directory_route *route = NULL;
	if (directory->kinds[DIRECTORY_ROUTE].count == 0)
		return NULL;
	if (trunk.size > 0 && directory_mirror_group(directory, trunk, DIRECTORY_ROUTE))
		route = longest(directory, trunk, number);
	return route ? route : longest(directory, TEXT_NONE, number);
}

unsigned directory_group(const struct directory *directory, struct text group,
			 const struct carrier *out_carriers[DIRECTORY_CARRIERS_MAX])
{
	const struct carrier *all[DIRECTORY_CARRIERS_MAX];
	unsigned count = directory_carriers(directory, all), kept = 0;
	for (unsigned i = 0; i < count; i++)
		if (text_is_equal(text_of(all[i]->group), group))
			out_carriers[kept++] = all[i];
	return kept;
}

bool directory_group_next(struct text *rest, unsigned *nth, struct text *out_group)
{
	*out_group = directory_value_next(rest);
	return (*nth)++ == 0 || out_group->size > 0;
}
