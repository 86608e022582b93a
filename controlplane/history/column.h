#pragma once

// What a row of the database is made of: one row here per column, so that the schema, its
// migrations, what is written and what is read cannot differ.
// Runs on: history thread; constant.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3_stmt;

enum history_column_kind {
	HISTORY_COLUMN_TEXT,
	HISTORY_COLUMN_NUMBER,
	HISTORY_COLUMN_TIME, // milliseconds since 1970 UTC; NULL: did not happen
	HISTORY_COLUMN_SIGNED, // an int32_t
	HISTORY_COLUMN_TTL, // NULL: no packet seen
	HISTORY_COLUMN_END, // enum history_end as a word
	HISTORY_COLUMN_CATEGORY, // enum history_category as a word
};

struct history_column {
	const char *name;
	enum history_column_kind kind;
	uint16_t offset, size; // of the field
	uint8_t since; // the schema version that brought it
	const char *constraint;
};

struct history_table {
	const char *name;
	const struct history_column *columns;
	unsigned column_count;
	uint8_t since; // the schema version that brought the table
};

#define HISTORY_SCHEMA_VERSION 6

const struct history_table *history_column_calls(void);
const struct history_table *history_column_alerts(void); // its first column is the slot's alert_sid
const struct history_table *history_column_notifications(void);
const struct history_table *history_column_usage(void); // its first column is the key
// False when SQLite refuses. Parameters count from 1, columns of a result from 0.
bool history_column_bind(struct sqlite3_stmt *statement, int number,
			 const struct history_column *column, const void *record);
void history_column_read(struct sqlite3_stmt *statement, int number,
			 const struct history_column *column, void *record);
