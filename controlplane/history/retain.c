// Old rows go, some at a time, so that what waits for the disk never waits long. Sums of usage stay.
// Runs on: history thread.

#include "base/text.h"
#include "history/sql.h"

#define ROWS_AT_ONCE 500
#define DAY_MS 86400000ull
#define USAGE_DAYS_MIN 93 // the key of a month's item lives longer than whoever may tell it again

static int delete_rows(struct history_database *database, const char *sql_text, uint64_t limit)
{
	sqlite3_stmt *statement = NULL;
	if (!sql_text ||
	    sqlite3_prepare_v2(database->sqlite, sql_text, -1, &statement, NULL) != SQLITE_OK)
		return 0;
	bool is_good = sqlite3_bind_int64(statement, 1, (sqlite3_int64)limit) == SQLITE_OK &&
		       sqlite3_step(statement) == SQLITE_DONE;
	int count = is_good ? sqlite3_changes(database->sqlite) : 0;
	sqlite3_finalize(statement);
	return count;
}

static int delete_old(struct history_database *database, const char *table, const char *time,
		      uint64_t before_ms)
{
	char room[256];
	struct writer sql = writer_of(room, sizeof(room));
	writer_format(&sql,
		      "DELETE FROM %s WHERE rowid IN (SELECT rowid FROM %s WHERE %s<?1 ORDER BY "
		      "%s LIMIT %d)",
		      table, table, time, time, ROWS_AT_ONCE);
	return delete_rows(database, writer_string_done(&sql), before_ms);
}

// Rows are numbered as they come, so this counts them without reading them all.
static int delete_surplus(struct history_database *database, const char *table, uint64_t rows)
{
	char room[256];
	struct writer sql = writer_of(room, sizeof(room));
	writer_format(&sql,
		      "DELETE FROM %s WHERE rowid IN (SELECT rowid FROM %s WHERE rowid<=(SELECT "
		      "max(rowid) FROM %s)-?1 ORDER BY rowid LIMIT %d)",
		      table, table, table, ROWS_AT_ONCE);
	return delete_rows(database, writer_string_done(&sql), rows);
}

static uint64_t age_limit(uint64_t now_ms, unsigned days)
{
	return days * DAY_MS < now_ms ? now_ms - days * DAY_MS : 0;
}

unsigned history_database_retain(struct history_database *database,
				 const struct history_retention *retention, uint64_t now_ms)
{
	unsigned usage_days = retention->days < USAGE_DAYS_MIN ? USAGE_DAYS_MIN : retention->days;
	const struct {
		const char *table, *time;
		unsigned days;
	} tables[] = {
		{ "calls", "start_ms", retention->days },
		{ "alerts", "at_ms", retention->alerts_days },
		{ "notifications", "at_ms", retention->alerts_days },
		{ "usage", "at_ms", retention->days > 0 ? usage_days : 0 },
	};
	int count = 0;
	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (tables[i].days > 0)
			count += delete_old(database, tables[i].table, tables[i].time,
					    age_limit(now_ms, tables[i].days));
		if (retention->rows > 0)
			count += delete_surplus(database, tables[i].table, retention->rows);
	}
	return (unsigned)count;
}
