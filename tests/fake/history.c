// The history in memory. A record's place is given back to the heap when it is closed, so that the
// sanitizer sees whoever writes to it later.
// Runs on: the thread of the test.

#include "fake/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fake/memory.h"
#include "history/find.h"

struct open_record {
	struct history_call call; // first: what the product holds
	struct open_record *next;
};

struct history {
	struct history_counters counters;
	bool is_full;
	unsigned open_count;
	struct open_record *open;
	struct history_call **rows;
	struct history_alert **alerts;
	struct history_usage **items;
	struct history_notification notification; // the last
	unsigned item_count, notification_count;
	unsigned row_count, alert_count, rows_taken, alerts_taken;
};

struct history *fake_history_create(void)
{
	return memory_take(sizeof(struct history));
}

static void forget(struct history *history, struct history_call *call)
{
	struct open_record **at = &history->open;
	while (*at != NULL && &(*at)->call != call)
		at = &(*at)->next;
	assert(*at != NULL); // opened, and not closed before
	struct open_record *record = *at;
	*at = record->next;
	history->open_count--;
	free(record);
}

// Records still open are the next start's business (LOST); here they only go away.
void fake_history_destroy(struct history *history)
{
	if (!history)
		return;
	while (history->open != NULL)
		forget(history, &history->open->call);
	for (unsigned i = 0; i < history->row_count; i++)
		free(history->rows[i]);
	for (unsigned i = 0; i < history->alert_count; i++)
		free(history->alerts[i]);
	for (unsigned i = 0; i < history->item_count; i++)
		free(history->items[i]);
	free(history->items);
	free(history->rows);
	free(history->alerts);
	free(history);
}

void fake_history_set_full(struct history *history, bool is_full)
{
	history->is_full = is_full;
}

unsigned fake_history_open_count(const struct history *history)
{
	return history->open_count;
}

const struct history_call *fake_history_take_row(struct history *history)
{
	return history->rows_taken < history->row_count ? history->rows[history->rows_taken++]
							: NULL;
}

const struct history_alert *fake_history_take_alert(struct history *history)
{
	return history->alerts_taken < history->alert_count
		       ? history->alerts[history->alerts_taken++]
		       : NULL;
}

const struct history_usage *fake_history_usage(const struct history *history, unsigned place)
{
	return place < history->item_count ? history->items[place] : NULL;
}

const char *history_end_text(enum history_end end)
{
	static const char *const texts[] = { "", "caller", "called", "trunkd", "operator", "lost" };
	return texts[end];
}

enum history_end history_end_of(struct text text)
{
	for (unsigned end = HISTORY_END_CALLER; end <= HISTORY_END_LOST; end++) {
		if (text_is_equal(text, text_of(history_end_text((enum history_end)end))))
			return (enum history_end)end;
	}
	return HISTORY_END_NONE;
}

const char *history_severity_text(unsigned severity)
{
	static const char *const texts[] = { "", "notice", "warning", "error" };
	return texts[severity < 4 ? severity : 0];
}

enum history_severity history_severity_of(struct text text)
{
	for (unsigned i = 1; i < HISTORY_SEVERITY_COUNT; i++)
		if (text_is_equal(text, text_of(history_severity_text(i))))
			return (enum history_severity)i;
	return HISTORY_SEVERITY_NONE;
}

enum status history_start(struct event_base *loop, const struct history_options *options,
			  struct history **out_history)
{
	(void)loop;
	(void)options;
	*out_history = fake_history_create();
	return OK;
}

void history_stop(struct history *history)
{
	fake_history_destroy(history);
}

void history_set_rates(struct history *history, const struct history_rates *rates)
{
	(void)history;
	(void)rates;
}

const struct history_counters *history_counters(const struct history *history)
{
	return &history->counters;
}

struct history_call *history_call_open(struct history *history)
{
	if (history->is_full) {
		counter_add(&history->counters.refused, 1);
		return NULL;
	}
	struct open_record *record = memory_take(sizeof(*record));
	record->next = history->open;
	history->open = record;
	history->open_count++;
	return &record->call;
}

void history_call_drop(struct history *history, struct history_call *call)
{
	forget(history, call);
}

void history_call_close(struct history *history, struct history_call *call)
{
	history->rows =
		memory_grow(history->rows, (history->row_count + 1) * sizeof(*history->rows));
	struct history_call *row = memory_take(sizeof(*row));
	*row = *call;
	forget(history, call);
	history->rows[history->row_count++] = row;
	counter_add(&history->counters.calls, 1);
}

bool history_alert_write(struct history *history, const struct history_alert *alert)
{
	if (history->is_full) {
		counter_add(&history->counters.refused, 1);
		return false;
	}
	history->alerts =
		memory_grow(history->alerts, (history->alert_count + 1) * sizeof(*history->alerts));
	struct history_alert *kept = memory_take(sizeof(*kept));
	*kept = *alert;
	history->alerts[history->alert_count++] = kept;
	counter_add(&history->counters.alerts, 1);
	return true;
}

bool history_notification_write(struct history *history,
				const struct history_notification *notification)
{
	if (history->is_full)
		return false;
	history->notification = *notification;
	history->notification_count++;
	counter_add(&history->counters.notifications, 1);
	return true;
}

const struct history_notification *fake_history_take_notification(struct history *history)
{
	bool is_new = history->notification_count > 0;
	history->notification_count = 0;
	return is_new ? &history->notification : NULL;
}

enum status history_usage_write(struct history *history, const struct history_usage *item)
{
	if (item->key[0] == 0 || item->account_sid[0] == 0 ||
	    item->category >= HISTORY_CATEGORY_COUNT)
		return ERR_MALFORMED;
	if (history->is_full)
		return ERR_BUSY;
	for (unsigned i = 0; i < history->item_count; i++)
		if (strcmp(history->items[i]->key, item->key) == 0)
			return OK;
	history->items =
		memory_grow(history->items, (history->item_count + 1) * sizeof(*history->items));
	struct history_usage *kept = memory_take(sizeof(*kept));
	*kept = *item;
	history->items[history->item_count++] = kept;
	return OK;
}

unsigned history_alerts(const struct history *history, struct history_alert *out_alerts,
			unsigned max)
{
	unsigned count = history->alert_count < max ? history->alert_count : max;
	for (unsigned i = 0; i < count; i++)
		out_alerts[i] = *history->alerts[history->alert_count - 1 - i];
	return count;
}

enum status history_search(struct history *history, const char *sid, unsigned max,
			   history_found_fn found, void *context)
{
	for (unsigned i = history->row_count; i > 0 && max > 0; i--) {
		const struct history_call *row = history->rows[i - 1];
		if (sid != NULL && strcmp(row->sid, sid) != 0)
			continue;
		found(context, row);
		max--;
	}
	found(context, NULL);
	return OK;
}

static bool is_wanted(const char *wanted, const char *value)
{
	return wanted[0] == 0 || strcmp(wanted, value) == 0;
}

enum status history_find_calls(struct history *history, const struct history_filter *filter,
			       history_found_fn found, void *context)
{
	unsigned max = filter->max > 0 ? filter->max : HISTORY_FIND_MAX;
	for (unsigned i = history->row_count; i > 0 && max > 0; i--) {
		const struct history_call *row = history->rows[i - 1];
		if (!is_wanted(filter->sid, row->sid) ||
		    !is_wanted(filter->account_sid, row->account_sid) ||
		    !is_wanted(filter->trunk_sid, row->trunk_sid) ||
		    !is_wanted(filter->direction, row->direction))
			continue;
		found(context, row);
		max--;
	}
	found(context, NULL);
	return OK;
}

enum status history_find_alerts(struct history *history, const struct history_filter *filter,
				history_found_alert_fn found, void *context)
{
	unsigned max = filter->max > 0 ? filter->max : HISTORY_FIND_MAX;
	for (unsigned i = history->alert_count; i > 0 && max > 0; i--) {
		const struct history_alert *alert = history->alerts[i - 1];
		if (!is_wanted(filter->sid, alert->call_sid) ||
		    (filter->code > 0 && filter->code != alert->code))
			continue;
		found(context, alert);
		max--;
	}
	found(context, NULL);
	return OK;
}

enum status history_find_usage(struct history *history, const struct history_filter *filter,
			       history_found_usage_fn found, void *context)
{
	for (unsigned i = 0; i < history->item_count; i++) {
		const struct history_usage *item = history->items[i];
		struct history_usage_total total = { .category = item->category,
						     .count = 1,
						     .quantity = item->quantity,
						     .price_micro = item->price_micro,
						     .unpriced = !item->is_priced };
		text_copy_cut(text_of(item->account_sid), total.account_sid,
			      sizeof(total.account_sid));
		if (is_wanted(filter->account_sid, item->account_sid))
			found(context, &total);
	}
	found(context, NULL);
	return OK;
}
