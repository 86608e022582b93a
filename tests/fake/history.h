#pragma once

// The history (history/history.h) in memory: rows and alerts in the order in which they were accepted.
// Runs on: the thread of the test.

#include <stdbool.h>

#include "history/history.h"

struct history *fake_history_create(void);
void fake_history_destroy(struct history *history);
void fake_history_set_full(struct history *history,
			   bool is_full); // no record opens, no alert is taken
unsigned fake_history_open_count(const struct history *history); // opened, not yet closed
// The oldest row or alert not yet taken, valid until the end; NULL: none.
const struct history_call *fake_history_take_row(struct history *history);
const struct history_alert *fake_history_take_alert(struct history *history);
// Items of usage that were written, in order; NULL: no more.
const struct history_usage *fake_history_usage(const struct history *history, unsigned place);
// The last notification, if there was one since the last time this was asked.
const struct history_notification *fake_history_take_notification(struct history *history);
