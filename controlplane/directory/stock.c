// A dense array of what a search looks at. Runs on the control thread; a search never allocates.

#include "directory/stock.h"

#include <stdlib.h>
#include <string.h>

#include "directory/mirror.h"

#define ROOM_FIRST 64

struct directory_stock_item {
	struct directory_entry *entry;
	uint64_t rests_until_s;
	char e164[17];
	char country[3];
	bool has_voice, has_sms, has_mms;
};

static bool fits_at(struct text pattern, struct text digits)
{
	if (digits.size < pattern.size)
		return false;
	for (size_t i = 0; i < pattern.size; i++)
		if (pattern.data[i] != '*' && pattern.data[i] != digits.data[i])
			return false;
	return true;
}

static bool is_anchor(char octet)
{
	return octet == '+' || octet == '^';
}

static bool fits(struct text pattern, struct text digits)
{
	bool is_at_start = pattern.size > 0 && is_anchor(pattern.data[0]);
	bool is_at_end = pattern.size > 0 && pattern.data[pattern.size - 1] == '$';
	pattern = is_at_start ? text_cut(pattern, 1) : pattern;
	pattern.size -= is_at_end;
	if (is_at_end && digits.size < pattern.size)
		return false;
	if (is_at_end && is_at_start && digits.size != pattern.size)
		return false;
	if (is_at_end)
		return fits_at(pattern, text_cut(digits, digits.size - pattern.size));
	if (is_at_start || pattern.size == 0)
		return fits_at(pattern, digits);
	for (; digits.size >= pattern.size; digits = text_cut(digits, 1))
		if (fits_at(pattern, digits))
			return true;
	return false;
}

bool directory_stock_is_pattern(struct text pattern)
{
	size_t from = pattern.size > 0 && is_anchor(pattern.data[0]);
	size_t to = pattern.size > from && pattern.data[pattern.size - 1] == '$' ? pattern.size - 1
										 : pattern.size;
	for (size_t i = from; i < to; i++)
		if (pattern.data[i] != '*' && (pattern.data[i] < '0' || pattern.data[i] > '9'))
			return false;
	return to > from && to - from <= 15;
}

static bool make_room(struct directory_stock *stock)
{
	if (stock->count < stock->room)
		return true;
	size_t room = stock->room > 0 ? 2 * stock->room : ROOM_FIRST;
	struct directory_stock_item *items = realloc(stock->items, room * sizeof(*items));
	if (!items)
		return false;
	stock->items = items;
	stock->room = room;
	return true;
}

// Without memory the number is in the mirror all the same, and only cannot be found by a search.
void directory_stock_add(struct directory_stock *stock, struct directory_entry *entry)
{
	const struct directory_object *object = entry->object;
	if (object->kind != DIRECTORY_NUMBER || entry->view.number.account_sid[0] ||
	    !make_room(stock))
		return;
	const struct number *number = &entry->view.number;
	struct directory_stock_item *item = &stock->items[stock->count++];
	*item = (struct directory_stock_item){ .entry = entry,
					       .has_voice = number->has_voice,
					       .has_sms = number->has_sms,
					       .has_mms = number->has_mms };
	memcpy(item->e164, number->e164, sizeof(item->e164));
	memcpy(item->country, number->country, sizeof(item->country));
	(void)text_to_unsigned(directory_object_get(object, "rests_until_s"), UINT64_MAX,
			       &item->rests_until_s);
	entry->stock_at = stock->count;
}

// The last one takes its place.
void directory_stock_remove(struct directory_stock *stock, struct directory_entry *entry)
{
	if (entry->stock_at == 0)
		return;
	struct directory_stock_item *item = &stock->items[entry->stock_at - 1];
	*item = stock->items[--stock->count];
	if (item != &stock->items[stock->count])
		item->entry->stock_at = entry->stock_at;
	entry->stock_at = 0;
}

void directory_stock_clear(struct directory_stock *stock)
{
	free(stock->items);
	*stock = (struct directory_stock){ 0 };
}

static bool is_wanted(const struct directory_stock_item *item,
		      const struct directory_stock_query *query)
{
	bool is_able = (!query->has_voice || item->has_voice) &&
		       (!query->has_sms || item->has_sms) && (!query->has_mms || item->has_mms);
	if (!is_able || item->rests_until_s > query->now_s)
		return false;
	if (query->country.size > 0 && !text_is_same(query->country, text_of(item->country)))
		return false;
	if (query->pattern.size > 0 && !fits(query->pattern, text_of(item->e164 + 1)))
		return false;
	return query->type.size == 0 ||
	       text_is_equal(query->type, directory_object_get(item->entry->object, "type"));
}

static const char *number_of(const struct directory_object *object)
{
	return directory_object_get(object, "e164").data;
}

// Sorted insertion into the best so far.
static void insert(const struct directory_object **found, unsigned *count, unsigned max,
		   const struct directory_object *object)
{
	unsigned at = *count;
	if (at == max && (max == 0 || strcmp(number_of(found[at - 1]), number_of(object)) < 0))
		return;
	if (at < max)
		++*count;
	else
		at--;
	for (; at > 0 && strcmp(number_of(found[at - 1]), number_of(object)) > 0; at--)
		found[at] = found[at - 1];
	found[at] = object;
}

unsigned directory_stock_search(const struct directory *directory,
				const struct directory_stock_query *query,
				const struct directory_object **out_found, unsigned max,
				size_t *out_total)
{
	const struct directory_stock *stock = &directory->stock;
	unsigned count = 0;
	*out_total = 0;
	for (size_t i = 0; i < stock->count; i++) {
		if (!is_wanted(&stock->items[i], query))
			continue;
		++*out_total;
		insert(out_found, &count, max, stock->items[i].entry->object);
	}
	return count;
}

size_t directory_stock_count(const struct directory *directory)
{
	return directory->stock.count;
}
