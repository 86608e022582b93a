#pragma once

// The SQLite file: opening it, bringing its schema up to date, writing batches, searching. The only
// user of sqlite3. Runs on: history thread; it may wait for the disk.

#include <stdbool.h>

#include "base/status.h"
#include "history/spool.h"

struct history_database;

struct history_database_problem {
	char text[192];
};

// Creates the file (mode 0600) when there is none; migrates an older schema; refuses a newer one.
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

typedef void (*history_database_call_fn)(void *context, const struct history_call *call);
// Newest first; sid NULL or empty: any.
void history_database_calls(struct history_database *database, const char *sid, unsigned max,
			    history_database_call_fn found, void *context);
typedef void (*history_database_alert_fn)(void *context, const struct history_alert *alert);
void history_database_alerts(struct history_database *database, uint64_t before_ms, unsigned max,
			     history_database_alert_fn found, void *context);
