// The columns of the tables "calls" and "alerts", and how a field becomes a value and back.
// Runs on: history thread. Must never trust what stands in a database file: every text is cut to its
// field.

#include "history/column.h"

#include <sqlite3.h>
#include <string.h>

#include "base/text.h"
#include "history/history.h"

#define FIELD(record, field) offsetof(struct record, field), sizeof(((struct record *)0)->field)

// clang-format off
#define MEDIA(side) \
	{ #side "_packets", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.packets), 1, "" }, \
	{ #side "_octets", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.octets), 1, "" }, \
	{ #side "_lost", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.lost), 1, "" }, \
	{ #side "_drops_ttl", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.drops_ttl), 1, "" }, \
	{ #side "_drops_source", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.drops_source), 1, "" }, \
	{ #side "_drops_other", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.drops_other), 1, "" }, \
	{ #side "_jitter_us", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.jitter_us), 1, "" }, \
	{ #side "_ttl_lowest", HISTORY_COLUMN_TTL, FIELD(history_call, side.ttl_lowest), 1, "" }, \
	{ #side "_payload_type", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.payload_type), 1, "" }, \
	{ #side "_events", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.events), 1, "" }, \
	{ #side "_local_address", HISTORY_COLUMN_TEXT, FIELD(history_call, side.local), 1, "" }, \
	{ #side "_remote_address", HISTORY_COLUMN_TEXT, FIELD(history_call, side.remote), 1, "" }, \
	{ #side "_suite", HISTORY_COLUMN_TEXT, FIELD(history_call, side.suite), 2, "" }, \
	{ #side "_verdict", HISTORY_COLUMN_TEXT, FIELD(history_call, side.verdict), 2, "" }, \
	{ #side "_recovered", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.is_recovered), 2, "" }, \
	{ #side "_payload_changes", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.payload_changes), 2, "" }, \
	{ #side "_mos", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.mos), 2, "" }, \
	{ #side "_reordered", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.reordered), 2, "" }, \
	{ #side "_duplicates", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.duplicates), 2, "" }, \
	{ #side "_ssrc_changes", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.ssrc_changes), 2, "" }, \
	{ #side "_silent", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.silent), 2, "" }, \
	{ #side "_drops_authentication", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.drops_authentication), 2, "" }, \
	{ #side "_drops_replay", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.drops_replay), 2, "" }, \
	{ #side "_drops_payload_type", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.drops_payload_type), 2, "" }, \
	{ #side "_unreachable", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.unreachable), 2, "" }, \
	{ #side "_source_address", HISTORY_COLUMN_TEXT, FIELD(history_call, side.source), 2, "" }, \
	{ #side "_refused_address", HISTORY_COLUMN_TEXT, FIELD(history_call, side.refused), 2, "" }, \
	{ #side "_reports", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.reports), 2, "" }, \
	{ #side "_reports_made", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.generated), 2, "" }, \
	{ #side "_peer_lost", HISTORY_COLUMN_SIGNED, FIELD(history_call, side.peer_lost), 2, "" }, \
	{ #side "_peer_jitter_us", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.peer_jitter_us), 2, "" }, \
	{ #side "_round_trip_us", HISTORY_COLUMN_NUMBER, FIELD(history_call, side.round_trip_us), 2, "" }

static const struct history_column CALL_COLUMNS[] = {
	{ "sid",            HISTORY_COLUMN_TEXT,   FIELD(history_call, sid),         1, "PRIMARY KEY NOT NULL" },
	{ "account_sid",    HISTORY_COLUMN_TEXT,   FIELD(history_call, account_sid), 1, "" },
	{ "trunk_sid",      HISTORY_COLUMN_TEXT,   FIELD(history_call, trunk_sid),   1, "" },
	{ "carrier_sid",    HISTORY_COLUMN_TEXT,   FIELD(history_call, carrier_sid), 1, "" },
	{ "direction",      HISTORY_COLUMN_TEXT,   FIELD(history_call, direction),   1, "" },
	{ "from_number",    HISTORY_COLUMN_TEXT,   FIELD(history_call, from),        1, "" },
	{ "to_number",      HISTORY_COLUMN_TEXT,   FIELD(history_call, to),          1, "" },
	{ "source_address", HISTORY_COLUMN_TEXT,   FIELD(history_call, source),      1, "" },
	{ "carrier_name",   HISTORY_COLUMN_TEXT,   FIELD(history_call, carrier),     1, "" },
	{ "carrier_address", HISTORY_COLUMN_TEXT,  FIELD(history_call, carrier_address), 1, "" },
	{ "call_id_in",     HISTORY_COLUMN_TEXT,   FIELD(history_call, call_id_in),  1, "" },
	{ "call_id_out",    HISTORY_COLUMN_TEXT,   FIELD(history_call, call_id_out), 1, "" },
	{ "start_ms",       HISTORY_COLUMN_TIME,   FIELD(history_call, start_ms),    1, "" },
	{ "ringing_ms",     HISTORY_COLUMN_TIME,   FIELD(history_call, ringing_ms),  1, "" },
	{ "answer_ms",      HISTORY_COLUMN_TIME,   FIELD(history_call, answer_ms),   1, "" },
	{ "end_ms",         HISTORY_COLUMN_TIME,   FIELD(history_call, end_ms),      1, "" },
	{ "sip_status",     HISTORY_COLUMN_NUMBER, FIELD(history_call, sip_status),  1, "" },
	{ "reason",         HISTORY_COLUMN_TEXT,   FIELD(history_call, reason),      1, "" },
	{ "ended_by",       HISTORY_COLUMN_END,    FIELD(history_call, ended_by),    1, "" },
	{ "attempts",       HISTORY_COLUMN_NUMBER, FIELD(history_call, attempts),    1, "" },
	{ "alert_code",     HISTORY_COLUMN_NUMBER, FIELD(history_call, alert_code),  1, "" },
	{ "ladder",         HISTORY_COLUMN_TEXT,   FIELD(history_call, ladder),      1, "" },
	{ "secure",         HISTORY_COLUMN_NUMBER, FIELD(history_call, is_secure),   2, "" },
	{ "parent_sid",     HISTORY_COLUMN_TEXT,   FIELD(history_call, parent_sid),  4, "" },
	{ "billed_seconds", HISTORY_COLUMN_NUMBER, FIELD(history_call, billed_s),    3, "" },
	{ "priced",         HISTORY_COLUMN_NUMBER, FIELD(history_call, is_priced),   3, "" },
	{ "price_micro",    HISTORY_COLUMN_NUMBER, FIELD(history_call, price_micro), 3, "" },
	{ "rate_prefix",    HISTORY_COLUMN_TEXT,   FIELD(history_call, rate_prefix), 3, "" },
	{ "uri",            HISTORY_COLUMN_TEXT,   FIELD(history_call, uri),         3, "" },
	{ "uri_address",    HISTORY_COLUMN_TEXT,   FIELD(history_call, uri_address), 3, "" },
	MEDIA(caller),
	MEDIA(called),
};

static const struct history_column ALERT_COLUMNS[] = {
	{ "sid",            HISTORY_COLUMN_TEXT,   0, 35,                             1, "PRIMARY KEY NOT NULL" },
	{ "call_sid",       HISTORY_COLUMN_TEXT,   FIELD(history_alert, call_sid),    1, "" },
	{ "account_sid",    HISTORY_COLUMN_TEXT,   FIELD(history_alert, account_sid), 1, "" },
	{ "trunk_sid",      HISTORY_COLUMN_TEXT,   FIELD(history_alert, trunk_sid),   1, "" },
	{ "at_ms",          HISTORY_COLUMN_TIME,   FIELD(history_alert, at_ms),       1, "" },
	{ "code",           HISTORY_COLUMN_NUMBER, FIELD(history_alert, code),        1, "" },
	{ "source_address", HISTORY_COLUMN_TEXT,   FIELD(history_alert, source),      1, "" },
	{ "header",         HISTORY_COLUMN_TEXT,   FIELD(history_alert, header),      1, "" },
	{ "seen",           HISTORY_COLUMN_TEXT,   FIELD(history_alert, seen),        1, "" },
	{ "expected",       HISTORY_COLUMN_TEXT,   FIELD(history_alert, expected),    1, "" },
	{ "text",           HISTORY_COLUMN_TEXT,   FIELD(history_alert, text),        1, "" },
	{ "severity",       HISTORY_COLUMN_NUMBER, FIELD(history_alert, severity),    3, "" },
	{ "cause",          HISTORY_COLUMN_TEXT,   FIELD(history_alert, cause),       3, "" },
};

#define DELIVERY(way) \
	{ #way, HISTORY_COLUMN_TEXT, FIELD(history_notification, way.outcome), 6, "" }, \
	{ #way "_status", HISTORY_COLUMN_NUMBER, FIELD(history_notification, way.status), 6, "" }, \
	{ #way "_attempts", HISTORY_COLUMN_NUMBER, FIELD(history_notification, way.attempts), 6, "" }, \
	{ #way "_problem", HISTORY_COLUMN_TEXT, FIELD(history_notification, way.problem), 6, "" }

static const struct history_column NOTIFICATION_COLUMNS[] = {
	{ "sid",            HISTORY_COLUMN_TEXT,   FIELD(history_notification, sid),               5, "PRIMARY KEY NOT NULL" },
	{ "trigger_sid",    HISTORY_COLUMN_TEXT,   FIELD(history_notification, trigger_sid),       5, "" },
	{ "held_back",      HISTORY_COLUMN_NUMBER, FIELD(history_notification, held_back),         5, "" },
	{ "account_sid",    HISTORY_COLUMN_TEXT,   FIELD(history_notification, alert.account_sid), 5, "" },
	{ "trunk_sid",      HISTORY_COLUMN_TEXT,   FIELD(history_notification, alert.trunk_sid),   5, "" },
	{ "call_sid",       HISTORY_COLUMN_TEXT,   FIELD(history_notification, alert.call_sid),    5, "" },
	{ "at_ms",          HISTORY_COLUMN_TIME,   FIELD(history_notification, alert.at_ms),       5, "" },
	{ "code",           HISTORY_COLUMN_NUMBER, FIELD(history_notification, alert.code),        5, "" },
	{ "severity",       HISTORY_COLUMN_NUMBER, FIELD(history_notification, alert.severity),    5, "" },
	{ "header",         HISTORY_COLUMN_TEXT,   FIELD(history_notification, alert.header),      5, "" },
	{ "seen",           HISTORY_COLUMN_TEXT,   FIELD(history_notification, alert.seen),        5, "" },
	{ "expected",       HISTORY_COLUMN_TEXT,   FIELD(history_notification, alert.expected),    5, "" },
	{ "text",           HISTORY_COLUMN_TEXT,   FIELD(history_notification, alert.text),        5, "" },
	{ "revision",       HISTORY_COLUMN_NUMBER, FIELD(history_notification, revision),          6, "NOT NULL DEFAULT 0" },
	DELIVERY(webhook),
	DELIVERY(mail),
};

static const struct history_column USAGE_COLUMNS[] = {
	{ "key",            HISTORY_COLUMN_TEXT,   FIELD(history_usage, key),         3, "PRIMARY KEY NOT NULL" },
	{ "account_sid",    HISTORY_COLUMN_TEXT,   FIELD(history_usage, account_sid), 3, "" },
	{ "trunk_sid",      HISTORY_COLUMN_TEXT,   FIELD(history_usage, trunk_sid),   3, "" },
	{ "subject",        HISTORY_COLUMN_TEXT,   FIELD(history_usage, subject),     3, "" },
	{ "at_ms",          HISTORY_COLUMN_TIME,   FIELD(history_usage, at_ms),       3, "" },
	{ "category",       HISTORY_COLUMN_CATEGORY, FIELD(history_usage, category),  3, "" },
	{ "quantity",       HISTORY_COLUMN_NUMBER, FIELD(history_usage, quantity),    3, "" },
	{ "priced",         HISTORY_COLUMN_NUMBER, FIELD(history_usage, is_priced),   3, "" },
	{ "price_micro",    HISTORY_COLUMN_NUMBER, FIELD(history_usage, price_micro), 3, "" },
};
// clang-format on

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct history_table CALLS = { "calls", CALL_COLUMNS, COUNT(CALL_COLUMNS), 1 };
static const struct history_table ALERTS = { "alerts", ALERT_COLUMNS, COUNT(ALERT_COLUMNS), 1 };
static const struct history_table NOTIFICATIONS = { "notifications", NOTIFICATION_COLUMNS,
						    COUNT(NOTIFICATION_COLUMNS), 5 };
static const struct history_table USAGE = { "usage", USAGE_COLUMNS, COUNT(USAGE_COLUMNS), 3 };

const struct history_table *history_column_calls(void)
{
	return &CALLS;
}

const struct history_table *history_column_alerts(void)
{
	return &ALERTS;
}

const struct history_table *history_column_notifications(void)
{
	return &NOTIFICATIONS;
}

const struct history_table *history_column_usage(void)
{
	return &USAGE;
}

static uint64_t number_in(const void *field, size_t size)
{
	uint64_t value = 0;
	memcpy(&value, field, size); // little endian, as every machine this runs on
	return value;
}

// Of a column of words; NULL: it is none.
static const char *word_of(enum history_column_kind kind, uint64_t value)
{
	if (kind == HISTORY_COLUMN_END)
		return history_end_text((enum history_end)value);
	if (kind == HISTORY_COLUMN_CATEGORY && value < HISTORY_CATEGORY_COUNT)
		return history_category_facts((enum history_category)value)->word;
	return NULL;
}

bool history_column_bind(struct sqlite3_stmt *statement, int number,
			 const struct history_column *column, const void *record)
{
	const char *field = (const char *)record + column->offset;
	if (column->kind == HISTORY_COLUMN_TEXT)
		return sqlite3_bind_text(statement, number, field,
					 (int)strnlen(field, column->size - 1u),
					 SQLITE_STATIC) == SQLITE_OK;
	uint64_t value = number_in(field, column->size);
	bool is_absent = (column->kind == HISTORY_COLUMN_TIME && value == 0) ||
			 (column->kind == HISTORY_COLUMN_TTL && value == 255);
	if (is_absent)
		return sqlite3_bind_null(statement, number) == SQLITE_OK;
	const char *word = word_of(column->kind, value);
	if (word)
		return sqlite3_bind_text(statement, number, word, -1, SQLITE_STATIC) == SQLITE_OK;
	if (column->kind == HISTORY_COLUMN_SIGNED)
		return sqlite3_bind_int64(statement, number, (int32_t)value) == SQLITE_OK;
	return sqlite3_bind_int64(statement, number, (sqlite3_int64)value) == SQLITE_OK;
}

void history_column_read(struct sqlite3_stmt *statement, int number,
			 const struct history_column *column, void *record)
{
	char *field = (char *)record + column->offset;
	uint64_t value = (uint64_t)sqlite3_column_int64(statement, number);
	if (column->kind == HISTORY_COLUMN_TEXT) {
		const char *text = (const char *)sqlite3_column_text(statement, number);
		size_t size = text ? (size_t)sqlite3_column_bytes(statement, number) : 0;
		size = size < column->size ? size : column->size - 1u;
		memcpy(field, text ? text : "", size);
		field[size] = 0;
		return;
	}
	if (column->kind == HISTORY_COLUMN_TTL &&
	    sqlite3_column_type(statement, number) == SQLITE_NULL)
		value = 255;
	if (column->kind == HISTORY_COLUMN_END)
		value = history_end_of(
			text_of((const char *)sqlite3_column_text(statement, number)));
	if (column->kind == HISTORY_COLUMN_CATEGORY)
		value = history_category_of(
			text_of((const char *)sqlite3_column_text(statement, number)));
	memcpy(field, &value, column->size);
}
