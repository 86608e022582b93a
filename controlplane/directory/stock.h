#pragma once

// The numbers that nobody has yet, side by side in memory: a search of 100,000 of them is one walk of a
// millisecond, whatever the pattern (NUM-001, NUM-002).
// Runs on: control thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct directory;
struct directory_entry;
struct directory_object;
struct directory_stock_item;

struct directory_stock { // inside of the mirror
	struct directory_stock_item *items;
	size_t count, room;
};

void directory_stock_add(struct directory_stock *stock, struct directory_entry *entry);
void directory_stock_remove(struct directory_stock *stock, struct directory_entry *entry);
void directory_stock_clear(struct directory_stock *stock);

struct directory_stock_query { // what is empty or false does not matter
	struct text country; // two letters
	// Digits, * for any one digit; a plus sign, or ^, at its start: from the first digit on; $ at its
	// end: to the last one.
	struct text pattern;
	struct text type;
	bool has_voice, has_sms, has_mms;
	uint64_t now_s; // wall clock: numbers that rest until later are left out
};

// Is it a pattern?
bool directory_stock_is_pattern(struct text pattern);
// The lowest numbers that fit, in order; returns how many. *out_total: how many fit in all.
unsigned directory_stock_search(const struct directory *directory,
				const struct directory_stock_query *query,
				const struct directory_object **out_found, unsigned max,
				size_t *out_total);
size_t directory_stock_count(const struct directory *directory);
