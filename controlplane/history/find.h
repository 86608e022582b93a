#pragma once

// What is looked for in the database, and by whom it is heard. The search itself runs on the history
// thread; `found` runs in the loop given at start, once for each row and once with NULL at the end.
// Runs on: control thread.

#include "history/history.h"

#define HISTORY_FIND_MAX 10000 // rows of one search

struct history_filter { // empty or 0: any
	char sid[35]; // of a call
	char account_sid[35], trunk_sid[35];
	char direction[16];
	char number[64]; // who called or was called
	unsigned status_min, status_max; // of the answer the caller got
	uint32_t code; // of an alert
	char cause[40]; // of an alert: tells apart what shares a code
	uint8_t severity; // of an alert: this one, enum history_severity
	char month[8]; // of usage: "2026-11"
	uint64_t from_ms, to_ms; // when it began; to_ms is not in it
	unsigned max; // rows, the newest; 0: HISTORY_FIND_MAX
};

struct history_usage_total { // of an account, a month and a category
	char account_sid[35], month[8];
	uint8_t category; // enum history_category
	uint64_t count, quantity;
	uint64_t price_micro; // of those that have a price
	uint64_t unpriced; // items without
};

typedef void (*history_found_alert_fn)(void *context, const struct history_alert *alert);
typedef void (*history_found_notification_fn)(void *context,
					      const struct history_notification *notification);
typedef void (*history_found_usage_fn)(void *context, const struct history_usage_total *total);

// ERR_BUSY: too many searches wait.
enum status history_find_calls(struct history *history, const struct history_filter *filter,
			       history_found_fn found, void *context);
enum status history_find_alerts(struct history *history, const struct history_filter *filter,
				history_found_alert_fn found, void *context);
enum status history_find_notifications(struct history *history, const struct history_filter *filter,
				       history_found_notification_fn found, void *context);
enum status history_find_usage(struct history *history, const struct history_filter *filter,
			       history_found_usage_fn found, void *context);
