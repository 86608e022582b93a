// The SQLite file behind the history: statements are made from the tables of columns.
// Runs on: history thread. Must never be used by another, and must never lose what it said OK to:
// WAL with synchronous=FULL, one transaction per batch.

#include "history/database.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "history/sql.h"

#define BUSY_MS 1000
#define PAGE_SIZE 4096 // as SQLite makes them
#define PAGES 512 // its cache of 2,000 kB, and some

// Sums of usage, kept by the transaction that writes an item, so that they outlive it.
static const char SUMS[] =
	"CREATE TABLE IF NOT EXISTS usage_months(account_sid TEXT NOT NULL, month TEXT NOT NULL, "
	"category TEXT NOT NULL, count INTEGER, quantity INTEGER, price_micro INTEGER, "
	"unpriced INTEGER, PRIMARY KEY(account_sid, month, category)) WITHOUT ROWID;";

static const char INDEXES[] =
	"CREATE INDEX IF NOT EXISTS calls_start ON calls(start_ms);"
	"CREATE INDEX IF NOT EXISTS calls_account ON calls(account_sid, start_ms);"
	"CREATE INDEX IF NOT EXISTS calls_trunk ON calls(trunk_sid, start_ms);"
	"CREATE INDEX IF NOT EXISTS calls_from ON calls(from_number, start_ms);"
	"CREATE INDEX IF NOT EXISTS calls_to ON calls(to_number, start_ms);"
	"CREATE INDEX IF NOT EXISTS alerts_at ON alerts(at_ms);"
	"CREATE INDEX IF NOT EXISTS alerts_call ON alerts(call_sid);"
	"CREATE INDEX IF NOT EXISTS alerts_code ON alerts(code, at_ms);"
	"CREATE INDEX IF NOT EXISTS alerts_account ON alerts(account_sid, at_ms);"
	"CREATE INDEX IF NOT EXISTS notifications_at ON notifications(at_ms);"
	"CREATE INDEX IF NOT EXISTS usage_at ON usage(at_ms);";

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
	bool is_text = column->kind == HISTORY_COLUMN_TEXT || column->kind == HISTORY_COLUMN_END ||
		       column->kind == HISTORY_COLUMN_CATEGORY;
	return is_text ? "TEXT" : "INTEGER";
}

// The columns that this version brought: a new table, or new columns of one that was there.
static bool upgrade_table(struct history_database *database, const struct history_table *table,
			  unsigned version)
{
	char room[HISTORY_SQL_SIZE];
	struct writer sql = writer_of(room, sizeof(room));
	bool is_new = version == table->since;
	if (is_new)
		writer_format(&sql, "CREATE TABLE IF NOT EXISTS %s(", table->name);
	bool is_first = true;
	for (unsigned i = 0; i < table->column_count; i++) {
		const struct history_column *column = &table->columns[i];
		if (column->since != version)
			continue;
		if (!is_new)
			writer_format(&sql, "ALTER TABLE %s ADD COLUMN ", table->name);
		else if (!is_first)
			writer_string(&sql, ", ");
		is_first = false;
		writer_format(&sql, "%s %s %s", column->name, type_of(column), column->constraint);
		writer_string(&sql, is_new ? "" : ";");
	}
	writer_string(&sql, is_new ? ")" : "");
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
		    !upgrade_table(database, history_column_alerts(), version) ||
		    !upgrade_table(database, history_column_notifications(), version) ||
		    !upgrade_table(database, history_column_usage(), version))
			return false;
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d", HISTORY_SCHEMA_VERSION);
	return run(database, SUMS) && run(database, INDEXES) && run(database, pragma) &&
	       run(database, "COMMIT");
}

static bool prepare(struct history_database *database, const char *sql,
		    sqlite3_stmt **out_statement)
{
	return sqlite3_prepare_v3(database->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT,
				  out_statement, NULL) == SQLITE_OK;
}

void history_sql_columns(struct writer *sql, const struct history_table *table)
{
	for (unsigned i = 0; i < table->column_count; i++)
		writer_format(sql, "%s%s", i > 0 ? "," : "", table->columns[i].name);
}

// A crash between the commit and giving the slot back writes a record twice: the first stays.
#define ONCE ") ON CONFLICT DO NOTHING"
// A notification is written again when its delivery has ended; the spool keeps no order.
#define NEWEST                                                                                     \
	") ON CONFLICT(sid) DO UPDATE SET revision=excluded.revision, webhook=excluded.webhook, "  \
	"webhook_status=excluded.webhook_status, webhook_attempts=excluded.webhook_attempts, "     \
	"webhook_problem=excluded.webhook_problem, mail=excluded.mail, "                           \
	"mail_status=excluded.mail_status, mail_attempts=excluded.mail_attempts, "                 \
	"mail_problem=excluded.mail_problem WHERE excluded.revision>notifications.revision"

static bool prepare_insert(struct history_database *database, const struct history_table *table,
			   const char *conflict, sqlite3_stmt **out_statement)
{
	char room[HISTORY_SQL_SIZE];
	struct writer sql = writer_of(room, sizeof(room));
	writer_format(&sql, "INSERT INTO %s(", table->name);
	history_sql_columns(&sql, table);
	writer_string(&sql, ") VALUES(");
	for (unsigned i = 0; i < table->column_count; i++)
		writer_string(&sql, i > 0 ? ",?" : "?");
	writer_string(&sql, conflict);
	const char *text = writer_string_done(&sql);
	return text && prepare(database, text, out_statement);
}

static bool prepare_all(struct history_database *database)
{
	static const char ADD[] =
		"INSERT INTO usage_months SELECT account_sid, strftime('%Y-%m', at_ms / 1000, "
		"'unixepoch'), category, 1, quantity, price_micro, 1 - priced FROM usage WHERE "
		"key=?1 ON CONFLICT DO UPDATE SET count=count+1, "
		"quantity=quantity+excluded.quantity, "
		"price_micro=price_micro+excluded.price_micro, "
		"unpriced=unpriced+excluded.unpriced";
	return prepare_insert(database, history_column_calls(), ONCE, &database->insert_call) &&
	       prepare_insert(database, history_column_alerts(), ONCE, &database->insert_alert) &&
	       prepare_insert(database, history_column_notifications(), NEWEST,
			      &database->insert_notification) &&
	       prepare_insert(database, history_column_usage(), ONCE, &database->insert_usage) &&
	       prepare(database, ADD, &database->add_usage);
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

static void reserve(void)
{
	int header = 0;
	if (sqlite3_config(SQLITE_CONFIG_PCACHE_HDRSZ, &header) != SQLITE_OK)
		return; // it runs already
	int size = (PAGE_SIZE + header + 7) & ~7;
	void *room = malloc((size_t)size * PAGES);
	if (!room)
		return;
	memory_touch(room, (size_t)size * PAGES);
	if (sqlite3_config(SQLITE_CONFIG_PAGECACHE, room, size, PAGES) != SQLITE_OK)
		free(room);
}

// Once in a process: SQLite keeps it to the end. Else it would take a page for each that it reads or writes,
// up to the same number.
void history_database_reserve(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, reserve);
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
	sqlite3_finalize(database->insert_notification);
	sqlite3_finalize(database->insert_usage);
	sqlite3_finalize(database->add_usage);
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
		struct history_column column = table->columns[i];
		bool is_sid = sid && i == 0; // an alert's is not in the record
		if (is_sid)
			column.offset = 0;
		is_good =
			history_column_bind(statement, (int)i + 1, &column, is_sid ? sid : record);
	}
	is_good = is_good && sqlite3_step(statement) == SQLITE_DONE;
	sqlite3_reset(statement);
	return is_good;
}

// An item that was there already is in the sums.
static bool insert_usage(struct history_database *database, const struct history_usage *item)
{
	if (!insert(database->insert_usage, history_column_usage(), item, NULL))
		return false;
	if (sqlite3_changes(database->sqlite) == 0)
		return true;
	bool is_good = sqlite3_bind_text(database->add_usage, 1, item->key, -1, SQLITE_STATIC) ==
			       SQLITE_OK &&
		       sqlite3_step(database->add_usage) == SQLITE_DONE;
	sqlite3_reset(database->add_usage);
	return is_good;
}

static bool insert_call(struct history_database *database, const struct history_call *call)
{
	struct history_usage item;
	if (!insert(database->insert_call, history_column_calls(), call, NULL))
		return false;
	if (sqlite3_changes(database->sqlite) == 0 || !history_usage_of_call(call, &item))
		return true;
	return insert_usage(database, &item);
}

static bool insert_slot(struct history_database *database, const struct history_slot *slot)
{
	if (slot->kind == HISTORY_SLOT_CALL)
		return insert_call(database, &slot->call);
	if (slot->kind == HISTORY_SLOT_USAGE)
		return insert_usage(database, &slot->usage);
	if (slot->kind == HISTORY_SLOT_NOTIFICATION) {
		const char *sid = slot->notification.sid;
		return insert(database->insert_notification, history_column_notifications(),
			      &slot->notification, sid[0] ? sid : slot->alert_sid);
	}
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
