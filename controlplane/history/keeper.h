#pragma once

// The history thread: moves finished records from the spool into the database, and answers searches.
// Runs on: started and stopped by the control thread; everything else is a thread of its own.

#include <stdbool.h>
#include <stdint.h>

#include "base/ring.h"
#include "base/status.h"
#include "history/database.h"
#include "history/history.h"
#include "history/spool.h"

struct history_keeper;

union history_found { // who hears what was found
	history_found_fn call;
	history_found_alert_fn alert;
	history_found_notification_fn notification;
	history_found_usage_fn usage;
};

struct history_request { // control to history thread
	enum history_find_kind kind;
	struct history_filter filter;
	union history_found found;
	void *context;
};

enum history_result_kind { HISTORY_RESULT_FOUND, HISTORY_RESULT_END, HISTORY_RESULT_ALERT };

struct history_result { // history thread to control; allocated, control frees it
	enum history_result_kind kind;
	enum history_find_kind of;
	union history_found found;
	void *context;
	union history_record record;
};

struct history_keeper_options {
	const char *file;
	struct history_spool *spool;
	struct ring *requests; // of struct history_request
	struct ring *results; // of struct history_result *
	struct history_counters
		*counters; // it writes `written`, `failures`, `retired`, and takes from spool_used
	struct history_retention retention;
	uint64_t started_ms; // older alerts are sent up once, newest first
	unsigned alerts_max;
};

enum status history_keeper_start(const struct history_keeper_options *options,
				 struct history_keeper **out_keeper);
// It tries to write what is left, answers what was asked, and is done; what cannot be written stays in
// the spool for the next start. Take results until it is done, then destroy it.
void history_keeper_finish(struct history_keeper *keeper);
bool history_keeper_is_done(struct history_keeper *keeper);
void history_keeper_destroy(struct history_keeper *keeper);
