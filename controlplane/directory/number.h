#pragma once

// The rules of telephone numbers: what excludes what, and what a number in stock cannot have.
// Runs on: control thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

struct directory_object;
struct directory_problem;

// After a field was set by somebody: what answers its calls is one thing alone (NUM-008, NUM-009).
void directory_number_settle(struct directory_object *object, struct text field);
#define DIRECTORY_MONTH_SIZE 8 // "2026-11"

struct directory_claim { // the last month that was claimed to be charged, and by whom (NUM-013)
	char month[DIRECTORY_MONTH_SIZE];
	uint64_t month_ms; // when it was claimed, wall clock
	char node[65];
	char account_sid[35]; // who owned the number then
};

// By the node, for who owns it now.
enum status directory_number_claim(struct directory_object *object, const char *month,
				   struct text node);
bool directory_number_claimed(const struct directory_object *object,
			      struct directory_claim *out_claim); // false: none was yet
// The month in which its account got it; false: that is not known.
bool directory_number_bought(const struct directory_object *object,
			     char month[static DIRECTORY_MONTH_SIZE]);
void directory_number_month_after(const char *month, char room[static DIRECTORY_MONTH_SIZE]);
// Bought at this time: of the month's claim too, so that not a day is free.
enum status directory_number_note_purchase(struct directory_object *object, uint64_t wall_ms,
					   struct text node, struct directory_problem *out_problem);
enum status directory_number_check(const struct directory_object *object,
				   struct directory_problem *out_problem);
