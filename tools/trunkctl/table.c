// Columns as wide as their widest cell.

#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"

void table_init(struct table *table, unsigned columns)
{
	memset(table, 0, sizeof(*table));
	table->columns = columns < TABLE_COLUMNS_MAX ? columns : TABLE_COLUMNS_MAX;
}

void table_clear(struct table *table)
{
	for (unsigned i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->count = table->room = 0;
}

void table_add(struct table *table, const char *cell)
{
	if (table->count == table->room) {
		unsigned room = table->room > 0 ? 2 * table->room : 64;
		char **cells = realloc(table->cells, room * sizeof(*cells));
		if (!cells)
			return; // a table with cells missing is better than none
		table->cells = cells;
		table->room = room;
	}
	char *copy = strdup(cell ? cell : "-");
	if (copy)
		table->cells[table->count++] = copy;
}

static void print_cell(FILE *out, const char *cell, unsigned width, bool is_right, bool is_last)
{
	unsigned used = format_width(cell), gap = used < width ? width - used : 0;
	if (is_right)
		fprintf(out, "%*s%s", (int)gap, "", cell);
	else
		fprintf(out, "%s%*s", cell, is_last ? 0 : (int)gap, "");
	fputs(is_last ? "\n" : "  ", out);
}

void table_print(const struct table *table, FILE *out, const char *indent)
{
	unsigned widths[TABLE_COLUMNS_MAX] = { 0 };
	for (unsigned i = 0; i < table->count; i++) {
		unsigned width = format_width(table->cells[i]), column = i % table->columns;
		widths[column] = width > widths[column] ? width : widths[column];
	}
	for (unsigned i = 0; i < table->count; i++) {
		unsigned column = i % table->columns;
		if (column == 0)
			fputs(indent, out);
		print_cell(out, table->cells[i], widths[column], table->is_right[column],
			   column + 1 == table->columns || i + 1 == table->count);
	}
}
