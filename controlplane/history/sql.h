#pragma once

// The database's insides, for the files of this folder that run statements on it.
// Runs on: history thread.

#include <sqlite3.h>
#include <sys/stat.h>

#include "history/column.h"
#include "history/database.h"

#define HISTORY_SQL_SIZE 4096

struct history_database {
	sqlite3 *sqlite;
	sqlite3_stmt *insert_call, *insert_alert, *insert_notification, *insert_usage, *add_usage;
	char file[512];
	dev_t device;
	ino_t inode;
};

struct writer;
void history_sql_columns(struct writer *sql, const struct history_table *table); // "a,b,c"
