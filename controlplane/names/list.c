// A growing array of domains. Runs on any thread; pure but for its memory.

#include "names/list.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64

struct names_list *names_list_create(void)
{
	return calloc(1, sizeof(struct names_list));
}

void names_list_destroy(struct names_list *list)
{
	if (list)
		free(list->domains);
	free(list);
}

bool names_list_add(struct names_list *list, struct text domain)
{
	if (list->count == list->room) {
		unsigned room = list->room > 0 ? 2 * list->room : ROOM_FIRST;
		void *domains = realloc(list->domains, room * sizeof(*list->domains));
		if (!domains)
			return false;
		list->domains = domains;
		list->room = room;
	}
	if (!text_copy(domain, list->domains[list->count], NAMES_DOMAIN_SIZE))
		return false;
	list->count++;
	return true;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void names_list_sort(struct names_list *list)
{
	unsigned kept = 0;
	if (list->count > 0)
		qsort(list->domains, list->count, sizeof(*list->domains), compare);
	for (unsigned i = 0; i < list->count; i++) {
		if (kept > 0 && strcmp(list->domains[kept - 1], list->domains[i]) == 0)
			continue;
		if (kept != i)
			memcpy(list->domains[kept], list->domains[i], sizeof(*list->domains));
		kept++;
	}
	list->count = kept;
}

bool names_list_is_equal(const struct names_list *a, const struct names_list *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (strcmp(a->domains[i], b->domains[i]) != 0)
			return false;
	return true;
}
