// Searches in the database: a statement is made of the conditions that are asked for, so that an index
// serves it. Runs on: history thread. Must never put what was asked into the text of a statement.

#include <string.h>

#include "base/text.h"
#include "history/sql.h"

enum parameter { // of every statement here, by number
	SID = 1,
	ACCOUNT,
	TRUNK,
	DIRECTION,
	NUMBER,
	STATUS_MIN,
	STATUS_MAX,
	FROM,
	TO,
	CODE,
	SEVERITY,
	MONTH,
	MAX,
	CAUSE,
};

struct condition {
	bool is_asked;
	const char *calls, *alerts, *usage; // NULL: not for these; notifications are as alerts
};

static const char *sql_of(const struct condition *condition, enum history_find_kind kind)
{
	if (kind == HISTORY_FIND_CALLS)
		return condition->calls;
	return kind == HISTORY_FIND_USAGE ? condition->usage : condition->alerts;
}

static void write_conditions(struct writer *sql, enum history_find_kind kind,
			     const struct history_filter *filter)
{
	const struct condition conditions[] = {
		{ filter->sid[0] != 0, "sid=?1", "call_sid=?1", NULL },
		{ filter->account_sid[0] != 0, "account_sid=?2", "account_sid=?2",
		  "account_sid=?2" },
		{ filter->trunk_sid[0] != 0, "trunk_sid=?3", "trunk_sid=?3", NULL },
		{ filter->direction[0] != 0, "direction=?4", NULL, NULL },
		{ filter->number[0] != 0, "(from_number=?5 OR to_number=?5)", NULL, NULL },
		{ filter->status_min > 0, "sip_status>=?6", NULL, NULL },
		{ filter->status_max > 0, "sip_status<=?7", NULL, NULL },
		{ filter->from_ms > 0, "start_ms>=?8", "at_ms>=?8", NULL },
		{ filter->to_ms > 0, "start_ms<?9", "at_ms<?9", NULL },
		{ filter->code > 0, "alert_code=?10", "code=?10", NULL },
		{ filter->cause[0] != 0, NULL, "cause=?14", NULL },
		{ filter->severity > 0, NULL, "severity=?11", NULL },
		{ filter->month[0] != 0, NULL, NULL, "month=?12" },
	};
	const char *word = " WHERE ";
	for (unsigned i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		const char *text = sql_of(&conditions[i], kind);
		if (!conditions[i].is_asked || !text)
			continue;
		writer_string(sql, word);
		writer_string(sql, text);
		word = " AND ";
	}
}

// NULL: the sums of usage, which are no table of records.
static const struct history_table *table_of(enum history_find_kind kind)
{
	switch (kind) {
	case HISTORY_FIND_CALLS:
		return history_column_calls();
	case HISTORY_FIND_ALERTS:
		return history_column_alerts();
	case HISTORY_FIND_NOTIFICATIONS:
		return history_column_notifications();
	case HISTORY_FIND_USAGE:
		break;
	}
	return NULL;
}

static void write_statement(struct writer *sql, enum history_find_kind kind,
			    const struct history_filter *filter)
{
	static const char *const ORDERS[] = {
		[HISTORY_FIND_CALLS] = " ORDER BY start_ms DESC, rowid DESC LIMIT ?13",
		[HISTORY_FIND_ALERTS] = " ORDER BY at_ms DESC, rowid DESC LIMIT ?13",
		[HISTORY_FIND_NOTIFICATIONS] = " ORDER BY at_ms DESC, rowid DESC LIMIT ?13",
		[HISTORY_FIND_USAGE] = " ORDER BY month DESC, account_sid, category LIMIT ?13",
	};
	const struct history_table *table = table_of(kind);
	writer_string(sql, "SELECT ");
	if (table)
		history_sql_columns(sql, table);
	else
		writer_string(sql,
			      "account_sid,month,category,count,quantity,price_micro,unpriced");
	writer_format(sql, " FROM %s", table ? table->name : "usage_months");
	write_conditions(sql, kind, filter);
	writer_string(sql, ORDERS[kind]);
}

static bool bind_text(sqlite3_stmt *statement, enum parameter parameter, const char *text)
{
	int result = sqlite3_bind_text(statement, (int)parameter, text, -1, SQLITE_STATIC);
	return result == SQLITE_OK || result == SQLITE_RANGE; // a statement has those it names
}

static bool bind_number(sqlite3_stmt *statement, enum parameter parameter, uint64_t number)
{
	int result = sqlite3_bind_int64(statement, (int)parameter, (sqlite3_int64)number);
	return result == SQLITE_OK || result == SQLITE_RANGE;
}

static bool bind(sqlite3_stmt *statement, const struct history_filter *filter)
{
	unsigned max =
		filter->max > 0 && filter->max < HISTORY_FIND_MAX ? filter->max : HISTORY_FIND_MAX;
	return bind_text(statement, SID, filter->sid) &&
	       bind_text(statement, ACCOUNT, filter->account_sid) &&
	       bind_text(statement, TRUNK, filter->trunk_sid) &&
	       bind_text(statement, DIRECTION, filter->direction) &&
	       bind_text(statement, NUMBER, filter->number) &&
	       bind_text(statement, MONTH, filter->month) &&
	       bind_text(statement, CAUSE, filter->cause) &&
	       bind_number(statement, STATUS_MIN, filter->status_min) &&
	       bind_number(statement, STATUS_MAX, filter->status_max) &&
	       bind_number(statement, FROM, filter->from_ms) &&
	       bind_number(statement, TO, filter->to_ms) &&
	       bind_number(statement, CODE, filter->code) &&
	       bind_number(statement, SEVERITY, filter->severity) &&
	       bind_number(statement, MAX, max);
}

static void read_total(sqlite3_stmt *statement, struct history_usage_total *total)
{
	const struct history_column account = { .kind = HISTORY_COLUMN_TEXT,
						.size = sizeof(total->account_sid) };
	const struct history_column month = { .kind = HISTORY_COLUMN_TEXT,
					      .size = sizeof(total->month) };
	const struct history_column category = { .kind = HISTORY_COLUMN_CATEGORY, .size = 1 };
	history_column_read(statement, 0, &account, total->account_sid);
	history_column_read(statement, 1, &month, total->month);
	history_column_read(statement, 2, &category, &total->category);
	total->count = (uint64_t)sqlite3_column_int64(statement, 3);
	total->quantity = (uint64_t)sqlite3_column_int64(statement, 4);
	total->price_micro = (uint64_t)sqlite3_column_int64(statement, 5);
	total->unpriced = (uint64_t)sqlite3_column_int64(statement, 6);
}

static void read_row(sqlite3_stmt *statement, enum history_find_kind kind,
		     union history_record *record)
{
	const struct history_table *table = table_of(kind);
	memset(record, 0, sizeof(*record));
	if (!table) {
		read_total(statement, &record->total);
		return;
	}
	for (unsigned i = kind == HISTORY_FIND_ALERTS; i < table->column_count; i++)
		history_column_read(statement, (int)i, &table->columns[i], record);
}

void history_database_find(struct history_database *database, enum history_find_kind kind,
			   const struct history_filter *filter, history_database_found_fn found,
			   void *context)
{
	char room[HISTORY_SQL_SIZE];
	struct writer sql = writer_of(room, sizeof(room));
	sqlite3_stmt *statement = NULL;
	write_statement(&sql, kind, filter);
	const char *text = writer_string_done(&sql);
	if (!text || sqlite3_prepare_v2(database->sqlite, text, -1, &statement, NULL) != SQLITE_OK)
		return;
	union history_record record;
	bool is_bound = bind(statement, filter);
	while (is_bound && sqlite3_step(statement) == SQLITE_ROW) {
		read_row(statement, kind, &record);
		found(context, &record);
	}
	sqlite3_finalize(statement);
}
