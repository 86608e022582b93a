// Words of an operator become a filter of the history. Runs on the control thread. A name it does not
// know is refused, never left out: a search that finds too much misleads.

#include "admin/history/filter.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin/admin.h"
#include "admin/request.h"
#include "call/call.h"
#include "directory/directory.h"
#include "directory/object.h"

struct reading {
	const struct admin_context *context;
	struct history_filter *filter;
};

typedef bool (*read_fn)(const struct reading *reading, struct text value);

// By SID, name or domain; what is removed by now is named by its SID.
static bool read_object(const struct reading *reading, enum directory_kind kind, struct text value,
			char *room)
{
	const struct directory_object *object =
		reading->context->directory
			? directory_find(reading->context->directory, kind, value)
			: NULL;
	if (object)
		return text_copy(text_of(object->sid), room, 35);
	bool is_sid = value.size == 34 &&
		      text_has_prefix(value, kind == DIRECTORY_ACCOUNT ? TEXT("AC") : TEXT("TK"));
	return is_sid && text_copy(value, room, 35);
}

static bool read_account(const struct reading *reading, struct text value)
{
	return read_object(reading, DIRECTORY_ACCOUNT, value, reading->filter->account_sid);
}

static bool read_trunk(const struct reading *reading, struct text value)
{
	return read_object(reading, DIRECTORY_TRUNK, value, reading->filter->trunk_sid);
}

static bool read_call(const struct reading *reading, struct text value)
{
	return value.size > 2 &&
	       text_copy(value, reading->filter->sid, sizeof(reading->filter->sid));
}

static bool read_direction(const struct reading *reading, struct text value)
{
	bool is_known = text_is_equal(value, TEXT("termination")) ||
			text_is_equal(value, TEXT("origination")) ||
			text_is_equal(value, TEXT("transfer"));
	return is_known &&
	       text_copy(value, reading->filter->direction, sizeof(reading->filter->direction));
}

static bool read_number(const struct reading *reading, struct text value)
{
	return value.size > 0 &&
	       text_copy(value, reading->filter->number, sizeof(reading->filter->number));
}

// "486", "4xx", "400-499", "failed", "ok".
static bool read_status(const struct reading *reading, struct text value)
{
	struct history_filter *filter = reading->filter;
	struct text rest = value, first = text_split(&rest, '-');
	uint64_t low, high;
	filter->status_min = 300;
	filter->status_max = 699;
	if (text_is_equal(value, TEXT("failed")))
		return true;
	if (value.size == 3 && text_has_suffix_same(value, TEXT("xx")) && value.data[0] >= '1' &&
	    value.data[0] <= '6') {
		filter->status_min = (unsigned)(value.data[0] - '0') * 100;
		filter->status_max = filter->status_min + 99;
		return true;
	}
	if (!text_to_unsigned(first, 699, &low) || low < 100)
		return false;
	high = low;
	if (rest.size > 0 && (!text_to_unsigned(rest, 699, &high) || high < low))
		return false;
	filter->status_min = (unsigned)low;
	filter->status_max = (unsigned)high;
	return true;
}

static bool read_age(const struct reading *reading, struct text value, uint64_t *out_ms)
{
	static const char UNITS[] = "smhdw";
	static const uint64_t MS[] = { 1000, 60000, 3600000, 86400000, 604800000 };
	const char *unit = value.size > 1
				   ? memchr(UNITS, value.data[value.size - 1], sizeof(UNITS) - 1)
				   : NULL;
	uint64_t count, now_ms = reading->context->clock->wall_ms;
	if (!unit || !text_to_unsigned((struct text){ value.data, value.size - 1 }, 100000, &count))
		return false;
	uint64_t age_ms = count * MS[unit - UNITS];
	*out_ms = age_ms < now_ms ? now_ms - age_ms : 1;
	return true;
}

// "2026-11-29", "2026-11-29T02:00", "2026-11-29T02:00:00Z", all UTC; or "30m", "2h", "7d" ago.
static bool read_time(const struct reading *reading, struct text value, uint64_t *out_ms)
{
	static const char *const FORMS[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S",
					     "%Y-%m-%dT%H:%M", "%Y-%m-%d" };
	char room[32];
	if (read_age(reading, value, out_ms))
		return true;
	if (!text_copy(value, room, sizeof(room)))
		return false;
	for (unsigned i = 0; i < sizeof(FORMS) / sizeof(FORMS[0]); i++) {
		struct tm time = { 0 };
		const char *end = strptime(room, FORMS[i], &time);
		if (!end || *end != 0)
			continue;
		int64_t seconds = timegm(&time);
		*out_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 1;
		return true;
	}
	return false;
}

static bool read_since(const struct reading *reading, struct text value)
{
	return read_time(reading, value, &reading->filter->from_ms);
}

static bool read_until(const struct reading *reading, struct text value)
{
	return read_time(reading, value, &reading->filter->to_ms);
}

static bool read_month(const struct reading *reading, struct text value)
{
	uint64_t year, month;
	struct text rest = value, first = text_split(&rest, '-');
	return value.size == 7 && first.size == 4 && text_to_unsigned(first, 9999, &year) &&
	       text_to_unsigned(rest, 12, &month) && month > 0 &&
	       text_copy(value, reading->filter->month, sizeof(reading->filter->month));
}

static bool read_code(const struct reading *reading, struct text value)
{
	uint64_t code;
	if (!text_to_unsigned(value, 99999, &code) || code == 0)
		return false;
	reading->filter->code = (uint32_t)code;
	return true;
}

static bool read_cause(const struct reading *reading, struct text value)
{
	const char *label;
	for (unsigned i = 0; (label = call_refusal_label(i)) != NULL; i++)
		if (text_is_equal(value, text_of(label)))
			return text_copy(value, reading->filter->cause,
					 sizeof(reading->filter->cause));
	return false;
}

static bool read_severity(const struct reading *reading, struct text value)
{
	reading->filter->severity = (uint8_t)history_severity_of(value);
	return reading->filter->severity != HISTORY_SEVERITY_NONE;
}

// clang-format off
static const struct {
	const char *name;
	read_fn read;
	const char *hint;
} NAMES[] = {
	{ "account", read_account, "an account's SID or name: trunkctl show accounts" },
	{ "trunk", read_trunk, "a trunk's SID, name or domain: trunkctl show trunks" },
	{ "call", read_call, "the SID of a call: trunkctl show history" },
	{ "direction", read_direction, "allowed: termination, origination, transfer" },
	{ "number", read_number, "who called or was called, as +14155550100" },
	{ "status", read_status, "a SIP status, as 486, 4xx, 400-499, failed" },
	{ "since", read_since, "UTC, as 2026-11-29 or 2026-11-29T02:00, or how long ago: 30m, 2h, 7d" },
	{ "until", read_until, "UTC, as 2026-11-29 or 2026-11-29T02:00, or how long ago: 30m, 2h, 7d" },
	{ "month", read_month, "a month, as 2026-11" },
	{ "code", read_code, "the code of an alert, as 32201" },
	{ "cause", read_cause, "a cause as alerts have it: trunkctl show alert-code CODE lists those of a code" },
	{ "severity", read_severity, "allowed: notice, warning, error" },
};
// clang-format on

#define NAME_COUNT (sizeof(NAMES) / sizeof(NAMES[0]))

static bool is_among(struct text name, const char *allowed)
{
	struct text rest = text_of(allowed);
	while (rest.size > 0)
		if (text_is_equal(name, text_split(&rest, ' ')))
			return true;
	return false;
}

static bool refuse(struct admin_filter_problem *problem, struct text field, const char *message,
		   const char *hint)
{
	text_copy_cut(field, problem->field, sizeof(problem->field));
	text_copy_cut(text_of(message), problem->message, sizeof(problem->message));
	problem->hint = hint;
	return false;
}

static bool read_word(const struct reading *reading, struct text word, const char *allowed,
		      struct admin_filter_problem *problem)
{
	uint64_t count;
	if (!text_find(word, '=')) {
		if (!text_to_unsigned(word, HISTORY_FIND_MAX, &count) || count == 0)
			return refuse(problem, TEXT("N"), "not a number of rows",
				      "allowed: 1 to 10000");
		reading->filter->max = (unsigned)count;
		return true;
	}
	struct text value = word, name = text_split(&value, '=');
	for (unsigned i = 0; i < NAME_COUNT; i++) {
		if (!is_among(name, allowed) || !text_is_equal(name, text_of(NAMES[i].name)))
			continue;
		return NAMES[i].read(reading, value) ||
		       refuse(problem, name, "is nothing to look for", NAMES[i].hint);
	}
	return refuse(problem, name, "cannot be asked for here", allowed);
}

bool admin_filter_parse(const struct admin_request *request, const char *allowed,
			struct history_filter *out_filter, struct admin_filter_problem *out_problem)
{
	struct history_filter filter = { 0 };
	const struct reading reading = { request->context, &filter };
	for (unsigned i = 0; i < request->argument_count; i++)
		if (!read_word(&reading, request->arguments[i], allowed, out_problem))
			return false;
	*out_filter = filter;
	return true;
}

void admin_filter_refuse(struct admin_request *request, const struct admin_filter_problem *problem)
{
	struct admin_refusal refusal = { ERR_MALFORMED, problem->field, problem->message,
					 problem->hint };
	admin_request_refuse(request, &refusal);
}
