#pragma once

// The SQLite file: opening it, bringing its schema up to date, writing batches, searching. The only
// user of sqlite3. Runs on: history thread; it may wait for the disk.

#include <stdbool.h>

#include "base/status.h"
#include "history/find.h"
#include "history/spool.h"

struct history_database;

struct history_database_problem {
	char text[192];
};

// Creates the file (mode 0600) when there is none; migrates an older schema; refuses a newer one.
// Takes the memory of the page cache for all databases of this process, once; before the first is opened.
void history_database_reserve(void);
enum status history_database_open(const char *file, struct history_database **out_database,
				  struct history_database_problem *out_problem);
void history_database_close(struct history_database *database);
// Still the file of that name? Someone may have moved or removed it.
bool history_database_is_in_place(const struct history_database *database);
// All of them in one transaction, on the disk when it returns OK, or none. Writing one again is
// harmless.
enum status history_database_write(struct history_database *database,
				   struct history_slot *const *slots, unsigned count,
				   struct history_database_problem *out_problem);

enum history_find_kind {
	HISTORY_FIND_CALLS,
	HISTORY_FIND_ALERTS,
	HISTORY_FIND_NOTIFICATIONS,
	HISTORY_FIND_USAGE
};

union history_record {
	struct history_call call;
	struct history_alert alert;
	struct history_notification notification;
	struct history_usage_total total;
};

typedef void (*history_database_found_fn)(void *context, const union history_record *record);
void history_database_find(struct history_database *database, enum history_find_kind kind,
			   const struct history_filter *filter, history_database_found_fn found,
			   void *context); // search.c; newest first
// Deletes some of what is too old or too much; how many rows went. 0: nothing is, for now.
unsigned history_database_retain(struct history_database *database,
				 const struct history_retention *retention, uint64_t now_ms);
