// The SQLite file behind the history: statements are made from the tables of columns.
// Runs on: history thread. Must never be used by another, and must never lose what it said OK to:
// WAL with synchronous=FULL, one transaction per batch.

#include "history/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history/column.h"

#define BUSY_MS 1000
#define SQL_SIZE 4096

struct history_database {
	sqlite3 *sqlite;
	sqlite3_stmt *insert_call, *insert_alert, *call_by_sid, *calls, *alerts;
	char file[512];
	dev_t device;
	ino_t inode;
};

static const char INDEXES[] =
	"CREATE INDEX IF NOT EXISTS calls_start ON calls(start_ms);"
	"CREATE INDEX IF NOT EXISTS calls_account ON calls(account_sid, start_ms);"
	"CREATE INDEX IF NOT EXISTS calls_trunk ON calls(trunk_sid, start_ms);"
	"CREATE INDEX IF NOT EXISTS calls_from ON calls(from_number, start_ms);"
	"CREATE INDEX IF NOT EXISTS calls_to ON calls(to_number, start_ms);"
	"CREATE INDEX IF NOT EXISTS alerts_at ON alerts(at_ms);"
	"CREATE INDEX IF NOT EXISTS alerts_call ON alerts(call_sid);"
	"CREATE INDEX IF NOT EXISTS alerts_code ON alerts(code, at_ms);";

static enum status refuse(struct history_database *database, const char *what,
			  struct history_database_problem *out_problem)
{
	snprintf(out_problem->text, sizeof(out_problem->text), "%s: %s", what,
		 database->sqlite ? sqlite3_errmsg(database->sqlite) : strerror(errno));
	return ERR_SYSTEM;
}

static bool run(struct history_database *database, const char *sql)
{
	return sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static const char *type_of(const struct history_column *column)
{
	bool is_text = column->kind == HISTORY_COLUMN_TEXT || column->kind == HISTORY_COLUMN_END;
	return is_text ? "TEXT" : "INTEGER";
}

// The columns that this version brought: a new table, or new columns of one that was there.
static bool upgrade_table(struct history_database *database, const struct history_table *table,
			  unsigned version)
{
	char room[SQL_SIZE];
	struct writer sql = writer_of(room, sizeof(room));
	if (version == 1)
		writer_format(&sql, "CREATE TABLE IF NOT EXISTS %s(", table->name);
	bool is_first = true;
	for (unsigned i = 0; i < table->column_count; i++) {
		const struct history_column *column = &table->columns[i];
		if (column->since != version)
			continue;
		if (version > 1)
			writer_format(&sql, "ALTER TABLE %s ADD COLUMN ", table->name);
		else if (!is_first)
			writer_string(&sql, ", ");
		is_first = false;
		writer_format(&sql, "%s %s %s", column->name, type_of(column), column->constraint);
		writer_string(&sql, version > 1 ? ";" : "");
	}
	writer_string(&sql, version == 1 ? ")" : "");
	const char *text = writer_string_done(&sql);
	return text && run(database, text);
}

static unsigned schema_version(struct history_database *database)
{
	sqlite3_stmt *statement = NULL;
	unsigned version = 0;
	if (sqlite3_prepare_v2(database->sqlite, "PRAGMA user_version", -1, &statement, NULL) ==
		    SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		version = (unsigned)sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return version;
}

static bool upgrade(struct history_database *database, unsigned from)
{
	char pragma[64];
	if (!run(database, "BEGIN IMMEDIATE"))
		return false;
	for (unsigned version = from + 1; version <= HISTORY_SCHEMA_VERSION; version++)
		if (!upgrade_table(database, history_column_calls(), version) ||
		    !upgrade_table(database, history_column_alerts(), version))
			return false;
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d", HISTORY_SCHEMA_VERSION);
	return run(database, INDEXES) && run(database, pragma) && run(database, "COMMIT");
}

static bool prepare(struct history_database *database, const char *sql,
		    sqlite3_stmt **out_statement)
{
	return sqlite3_prepare_v3(database->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
				  out_statement, NULL) == SQLITE_OK;
}

static void write_columns(struct writer *sql, const struct history_table *table)
{
	for (unsigned i = 0; i < table->column_count; i++)
		writer_format(sql, "%s%s", i > 0 ? "," : "", table->columns[i].name);
}

static bool prepare_insert(struct history_database *database, const struct history_table *table,
			   sqlite3_stmt **out_statement)
{
	char room[SQL_SIZE];
	struct writer sql = writer_of(room, sizeof(room));
	writer_format(&sql, "INSERT INTO %s(", table->name);
	write_columns(&sql, table);
	writer_string(&sql, ") VALUES(");
	for (unsigned i = 0; i < table->column_count; i++)
		writer_string(&sql, i > 0 ? ",?" : "?");
	// A crash between the commit and giving the slot back writes a record twice: the first stays.
	writer_string(&sql, ") ON CONFLICT(sid) DO NOTHING");
	const char *text = writer_string_done(&sql);
	return text && prepare(database, text, out_statement);
}

static bool prepare_select(struct history_database *database, const struct history_table *table,
			   const char *condition, sqlite3_stmt **out_statement)
{
	char room[SQL_SIZE];
	struct writer sql = writer_of(room, sizeof(room));
	writer_string(&sql, "SELECT ");
	write_columns(&sql, table);
	writer_format(&sql, " FROM %s %s", table->name, condition);
	const char *text = writer_string_done(&sql);
	return text && prepare(database, text, out_statement);
}

static bool prepare_all(struct history_database *database)
{
	const struct history_table *calls = history_column_calls(),
				   *alerts = history_column_alerts();
	return prepare_insert(database, calls, &database->insert_call) &&
	       prepare_insert(database, alerts, &database->insert_alert) &&
	       prepare_select(database, calls, "WHERE sid=?1", &database->call_by_sid) &&
	       prepare_select(database, calls, "ORDER BY start_ms DESC, rowid DESC LIMIT ?1",
			      &database->calls) &&
	       prepare_select(database, alerts,
			      "WHERE at_ms<?1 ORDER BY at_ms DESC, rowid DESC LIMIT ?2",
			      &database->alerts);
}

// The file is made here for its mode; SQLite gives the same to its -wal and -shm.
static bool make_file(struct history_database *database)
{
	struct stat facts;
	int fd = open(database->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool is_good = fstat(fd, &facts) == 0;
	database->device = facts.st_dev;
	database->inode = facts.st_ino;
	close(fd);
	return is_good;
}

static enum status set_up(struct history_database *database,
			  struct history_database_problem *out_problem)
{
	sqlite3_busy_timeout(database->sqlite, BUSY_MS);
	if (!run(database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"))
		return refuse(database, "journal", out_problem);
	unsigned version = schema_version(database);
	if (version > HISTORY_SCHEMA_VERSION) {
		snprintf(out_problem->text, sizeof(out_problem->text),
			 "schema version %u is newer than this trunkd's %d", version,
			 HISTORY_SCHEMA_VERSION);
		return ERR_UNSUPPORTED;
	}
	if (version < HISTORY_SCHEMA_VERSION && !upgrade(database, version))
		return refuse(database, "schema", out_problem);
	return prepare_all(database) ? OK : refuse(database, "statements", out_problem);
}

enum status history_database_open(const char *file, struct history_database **out_database,
				  struct history_database_problem *out_problem)
{
	struct history_database *database = calloc(1, sizeof(*database));
	if (!database)
		return ERR_MEMORY;
	enum status status = ERR_SYSTEM;
	if (!text_copy(text_of(file), database->file, sizeof(database->file)) ||
	    !make_file(database)) {
		(void)refuse(database, "open", out_problem);
		goto fail;
	}
	if (sqlite3_open_v2(file, &database->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		(void)refuse(database, "open", out_problem);
		goto fail;
	}
	status = set_up(database, out_problem);
	if (status != OK)
		goto fail;
	*out_database = database;
	return OK;
fail:
	history_database_close(database);
	return status;
}

void history_database_close(struct history_database *database)
{
	if (!database)
		return;
	sqlite3_finalize(database->insert_call);
	sqlite3_finalize(database->insert_alert);
	sqlite3_finalize(database->call_by_sid);
	sqlite3_finalize(database->calls);
	sqlite3_finalize(database->alerts);
	sqlite3_close(database->sqlite);
	free(database);
}

bool history_database_is_in_place(const struct history_database *database)
{
	struct stat facts;
	return stat(database->file, &facts) == 0 && facts.st_dev == database->device &&
	       facts.st_ino == database->inode;
}

static bool insert(sqlite3_stmt *statement, const struct history_table *table, const void *record,
		   const char *sid)
{
	bool is_good = true;
	for (unsigned i = 0; i < table->column_count && is_good; i++) {
		const struct history_column *column = &table->columns[i];
		bool is_sid = sid && i == 0; // an alert's is not in the record
		is_good = history_column_bind(statement, (int)i + 1, column, is_sid ? sid : record);
	}
	is_good = is_good && sqlite3_step(statement) == SQLITE_DONE;
	sqlite3_reset(statement);
	return is_good;
}

static bool insert_slot(struct history_database *database, const struct history_slot *slot)
{
	if (slot->kind == HISTORY_SLOT_CALL)
		return insert(database->insert_call, history_column_calls(), &slot->call, NULL);
	return insert(database->insert_alert, history_column_alerts(), &slot->alert,
		      slot->alert_sid);
}

enum status history_database_write(struct history_database *database,
				   struct history_slot *const *slots, unsigned count,
				   struct history_database_problem *out_problem)
{
	if (!run(database, "BEGIN IMMEDIATE"))
		return refuse(database, "begin", out_problem);
	for (unsigned i = 0; i < count; i++)
		if (!insert_slot(database, slots[i])) {
			enum status status = refuse(database, "insert", out_problem);
			(void)run(database, "ROLLBACK");
			return status;
		}
	if (run(database, "COMMIT"))
		return OK;
	enum status status = refuse(database, "commit", out_problem);
	(void)run(database, "ROLLBACK");
	return status;
}

static void read_row(sqlite3_stmt *statement, const struct history_table *table, unsigned first,
		     void *record)
{
	for (unsigned i = first; i < table->column_count; i++)
		history_column_read(statement, (int)i, &table->columns[i], record);
}

void history_database_calls(struct history_database *database, const char *sid, unsigned max,
			    history_database_call_fn found, void *context)
{
	bool is_one = sid && sid[0];
	sqlite3_stmt *statement = is_one ? database->call_by_sid : database->calls;
	if (is_one)
		sqlite3_bind_text(statement, 1, sid, -1, SQLITE_STATIC);
	else
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)max);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		struct history_call call = { 0 };
		read_row(statement, history_column_calls(), 0, &call);
		found(context, &call);
	}
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

void history_database_alerts(struct history_database *database, uint64_t before_ms, unsigned max,
			     history_database_alert_fn found, void *context)
{
	sqlite3_bind_int64(database->alerts, 1, (sqlite3_int64)before_ms);
	sqlite3_bind_int64(database->alerts, 2, (sqlite3_int64)max);
	while (sqlite3_step(database->alerts) == SQLITE_ROW) {
		struct history_alert alert = { 0 };
		read_row(database->alerts, history_column_alerts(), 1, &alert);
		found(context, &alert);
	}
	sqlite3_reset(database->alerts);
}
