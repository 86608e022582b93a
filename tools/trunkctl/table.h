#pragma once

// Rows of cells, printed in columns.

#include <stdbool.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 24

struct table {
	unsigned columns;
	bool is_right[TABLE_COLUMNS_MAX]; // numbers
	char **cells;
	unsigned count, room; // of cells
};

void table_init(struct table *table, unsigned columns);
void table_clear(struct table *table);
void table_add(struct table *table, const char *cell); // row by row; copies
void table_print(const struct table *table, FILE *out, const char *indent);
