#pragma once

// An import of numbers under way: rows come with one request after the other, are checked as they come,
// and are taken as a whole or not at all. One at a time.
// Runs on: control thread.

#include "base/text.h"

struct admin_context;
struct directory_object;
struct directory_problem;

void admin_import_abandon(
	struct admin_context *context); // at the end, or when nobody goes on with it

// cell.c: one cell of a CSV line (RFC 4180); false: a quote without its end, or too long.
#define ADMIN_CELL_SIZE 300
bool admin_cell_take(struct text *rest, char room[static ADMIN_CELL_SIZE]);
// The name of a column as it is kept; NULL: there is none like it.
const char *admin_cell_column(struct text name);
// Puts a cell into the object. NULL, or what is wrong, which may be the problem's text.
const char *admin_cell_set(struct directory_object *object, const char *column, struct text value,
			   struct directory_problem *problem);
