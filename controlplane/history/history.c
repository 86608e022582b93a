// The door of the history: records for the control thread to fill, alerts it remembers, answers to
// searches. Runs on: control thread. Must never touch the database: that is the keeper's (keeper.c).

#include "history/history.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/ring.h"
#include "history/aside.h"
#include "history/keeper.h"
#include "history/rate.h"
#include "history/spool.h"

#define ALERTS_MAX 256
#define REQUESTS_MAX 64
#define RESULTS_MAX 1024

struct history {
	struct history_spool *spool;
	struct history_keeper *keeper;
	struct ring *requests, *results;
	struct event *arrival;
	const struct history_rates *rates;
	struct history_counters counters;
	struct history_alert alerts[ALERTS_MAX]; // a ring; [alert_next - 1] is the newest
	unsigned alert_next, alert_count;
};

static const char *const END_TEXTS[] = {
	[HISTORY_END_NONE] = "",
	[HISTORY_END_CALLER] = "caller",
	[HISTORY_END_CALLED] = "called",
	[HISTORY_END_TRUNKD] = "trunkd",
	[HISTORY_END_OPERATOR] = "operator",
	[HISTORY_END_LOST] = "lost",
};

const char *history_end_text(enum history_end end)
{
	return (unsigned)end < sizeof(END_TEXTS) / sizeof(END_TEXTS[0]) ? END_TEXTS[end] : "";
}

enum history_end history_end_of(struct text text)
{
	for (unsigned i = 0; i < sizeof(END_TEXTS) / sizeof(END_TEXTS[0]); i++)
		if (text_is_equal(text, text_of(END_TEXTS[i])))
			return (enum history_end)i;
	return HISTORY_END_NONE;
}

static const char *const SEVERITY_TEXTS[HISTORY_SEVERITY_COUNT] = {
	[HISTORY_SEVERITY_NONE] = "",
	[HISTORY_SEVERITY_NOTICE] = "notice",
	[HISTORY_SEVERITY_WARNING] = "warning",
	[HISTORY_SEVERITY_ERROR] = "error",
};

const char *history_severity_text(unsigned severity)
{
	return severity < HISTORY_SEVERITY_COUNT ? SEVERITY_TEXTS[severity] : "";
}

enum history_severity history_severity_of(struct text text)
{
	for (unsigned i = 1; i < HISTORY_SEVERITY_COUNT; i++)
		if (text_is_equal(text, text_of(SEVERITY_TEXTS[i])))
			return (enum history_severity)i;
	return HISTORY_SEVERITY_NONE;
}

static void remember_newest(struct history *history, const struct history_alert *alert)
{
	history->alerts[history->alert_next] = *alert;
	history->alert_next = (history->alert_next + 1) % ALERTS_MAX;
	history->alert_count += history->alert_count < ALERTS_MAX;
}

// From before this process: they come newest first, and go behind what is there.
static void remember_oldest(struct history *history, const struct history_alert *alert)
{
	if (history->alert_count == ALERTS_MAX)
		return;
	history->alert_count++;
	unsigned place = history->alert_next + ALERTS_MAX - history->alert_count;
	history->alerts[place % ALERTS_MAX] = *alert;
}

static void tell(enum history_find_kind kind, union history_found found, void *context,
		 const union history_record *record)
{
	if (kind == HISTORY_FIND_CALLS)
		found.call(context, record ? &record->call : NULL);
	else if (kind == HISTORY_FIND_ALERTS)
		found.alert(context, record ? &record->alert : NULL);
	else if (kind == HISTORY_FIND_NOTIFICATIONS)
		found.notification(context, record ? &record->notification : NULL);
	else
		found.usage(context, record ? &record->total : NULL);
}

static void deliver(struct history *history, const struct history_result *result)
{
	if (result->kind == HISTORY_RESULT_ALERT)
		remember_oldest(history, &result->record.alert);
	else
		tell(result->of, result->found, result->context,
		     result->kind == HISTORY_RESULT_FOUND ? &result->record : NULL);
}

static void results_arrived(evutil_socket_t fd, short events, void *context)
{
	(void)fd;
	(void)events;
	struct history *history = context;
	struct history_result *result;
	ring_quiet(history->results);
	while (ring_take(history->results, &result)) {
		deliver(history, result);
		free(result);
	}
}

static enum status start_parts(struct history *history, struct event_base *loop,
			       const struct history_options *options)
{
	struct clock clock;
	clock_update(&clock);
	history->requests = ring_create(sizeof(struct history_request), REQUESTS_MAX);
	history->results = ring_create(sizeof(struct history_result *), RESULTS_MAX);
	if (!history->requests || !history->results)
		return ERR_MEMORY;
	history->arrival = event_new(loop, ring_fd(history->results), EV_READ | EV_PERSIST,
				     results_arrived, history);
	if (!history->arrival || event_add(history->arrival, NULL) < 0)
		return ERR_MEMORY;
	struct history_keeper_options keeper = { .file = options->file,
						 .spool = history->spool,
						 .requests = history->requests,
						 .results = history->results,
						 .counters = &history->counters,
						 .retention = options->retention,
						 .started_ms = clock.wall_ms,
						 .alerts_max = ALERTS_MAX };
	return history_keeper_start(&keeper, &history->keeper);
}

// At each start, until somebody has taken care of them.
static void tell_aside(struct history *history, const char *file)
{
	struct log_value spools;
	unsigned count = history_aside_count(file);
	counter_set(&history->counters.aside, count);
	if (count > 0)
		log_event(LOG_WARNING, "history_spools_kept_aside", "spools",
			  log_number(&spools, count), "beside", file, NULL);
}

static void recover(struct history *history)
{
	struct log_value found_text, lost_text;
	unsigned lost = 0;
	unsigned found = history_spool_recover(history->spool, history->rates, &lost);
	counter_set(&history->counters.spool_used, found);
	if (found > 0)
		log_event(LOG_WARNING, "history_recovered", "records",
			  log_number(&found_text, found), "lost_calls",
			  log_number(&lost_text, lost), NULL);
}

enum status history_start(struct event_base *loop, const struct history_options *options,
			  struct history **out_history)
{
	struct history *history = calloc(1, sizeof(*history));
	if (!history)
		return ERR_MEMORY;
	memory_touch(history, sizeof(*history));
	history_database_reserve();
	history->rates = options->rates;
	enum status status =
		history_spool_open(options->spool_file, options->spool_records, &history->spool);
	if (status != OK)
		goto fail;
	tell_aside(history, options->spool_file);
	recover(history);
	status = start_parts(history, loop, options);
	if (status != OK)
		goto fail;
	*out_history = history;
	return OK;
fail:
	history_stop(history);
	return status;
}

void history_stop(struct history *history)
{
	struct history_request request;
	if (!history)
		return;
	if (history->keeper) {
		history_keeper_finish(history->keeper);
		while (!history_keeper_is_done(history->keeper)) {
			results_arrived(-1, 0, history);
			(void)poll(NULL, 0, 1);
		}
		results_arrived(-1, 0, history);
	}
	history_keeper_destroy(history->keeper);
	while (history->requests && ring_take(history->requests, &request))
		tell(request.kind, request.found, request.context, NULL);
	if (history->arrival)
		event_free(history->arrival);
	history_spool_close(history->spool);
	ring_destroy(history->requests);
	ring_destroy(history->results);
	free(history);
}

void history_set_rates(struct history *history, const struct history_rates *rates)
{
	history->rates = rates;
}

const struct history_counters *history_counters(const struct history *history)
{
	return &history->counters;
}

static struct history_slot *take(struct history *history, enum history_slot_kind kind)
{
	struct history_slot *slot = history_spool_take(history->spool, kind);
	if (!slot) {
		counter_add(&history->counters.refused, 1);
		return NULL;
	}
	// Both threads change it: this one adds, the keeper takes away.
	atomic_fetch_add_explicit(&history->counters.spool_used.value, 1, memory_order_relaxed);
	return slot;
}

struct history_call *history_call_open(struct history *history)
{
	struct history_slot *slot = take(history, HISTORY_SLOT_CALL);
	if (!slot)
		return NULL;
	counter_add(&history->counters.calls, 1);
	slot->call.caller.ttl_lowest = 255;
	slot->call.called.ttl_lowest = 255;
	return &slot->call;
}

static void count_usage(struct history *history, const struct history_usage *item)
{
	counter_add(&history->counters.usage_items[item->category], 1);
	counter_add(&history->counters.usage_quantity[item->category], item->quantity);
}

void history_call_close(struct history *history, struct history_call *call)
{
	struct history_usage item;
	history_rate_call(history->rates, call);
	if (history_usage_of_call(call, &item))
		count_usage(history, &item);
	history_spool_finish(history->spool, history_spool_slot(call));
}

// Its place is given back by the history thread, as that of any other record.
void history_call_drop(struct history *history, struct history_call *call)
{
	call->sid[0] = '\0';
	history_spool_finish(history->spool, history_spool_slot(call));
}

bool history_alert_write(struct history *history, const struct history_alert *alert)
{
	remember_newest(history, alert);
	struct history_slot *slot = take(history, HISTORY_SLOT_ALERT);
	if (!slot)
		return false;
	counter_add(&history->counters.alerts, 1);
	slot->alert = *alert;
	history_spool_finish(history->spool, slot);
	return true;
}

bool history_notification_write(struct history *history,
				const struct history_notification *notification)
{
	struct history_slot *slot = take(history, HISTORY_SLOT_NOTIFICATION);
	if (!slot)
		return false;
	if (notification->revision == 0)
		counter_add(&history->counters.notifications, 1);
	slot->notification = *notification;
	history_spool_finish(history->spool, slot);
	return true;
}

enum status history_usage_write(struct history *history, const struct history_usage *item)
{
	if (item->key[0] == 0 || item->account_sid[0] == 0 ||
	    item->category >= HISTORY_CATEGORY_COUNT)
		return ERR_MALFORMED;
	struct history_slot *slot = take(history, HISTORY_SLOT_USAGE);
	if (!slot)
		return ERR_BUSY;
	slot->usage = *item;
	history_rate_item(history->rates, &slot->usage);
	count_usage(history, &slot->usage);
	history_spool_finish(history->spool, slot);
	return OK;
}

unsigned history_alerts(const struct history *history, struct history_alert *out_alerts,
			unsigned max)
{
	unsigned count = history->alert_count < max ? history->alert_count : max;
	for (unsigned i = 0; i < count; i++)
		out_alerts[i] =
			history->alerts[(history->alert_next + ALERTS_MAX - 1 - i) % ALERTS_MAX];
	return count;
}

static enum status ask(struct history *history, const struct history_request *request)
{
	return ring_put(history->requests, request) ? OK : ERR_BUSY;
}

enum status history_search(struct history *history, const char *sid, unsigned max,
			   history_found_fn found, void *context)
{
	struct history_filter filter = { .max = max };
	if (sid && !text_copy(text_of(sid), filter.sid, sizeof(filter.sid)))
		return ERR_MALFORMED;
	return history_find_calls(history, &filter, found, context);
}

enum status history_find_calls(struct history *history, const struct history_filter *filter,
			       history_found_fn found, void *context)
{
	struct history_request request = {
		HISTORY_FIND_CALLS, *filter, { .call = found }, context
	};
	return ask(history, &request);
}

enum status history_find_alerts(struct history *history, const struct history_filter *filter,
				history_found_alert_fn found, void *context)
{
	struct history_request request = {
		HISTORY_FIND_ALERTS, *filter, { .alert = found }, context
	};
	return ask(history, &request);
}

enum status history_find_notifications(struct history *history, const struct history_filter *filter,
				       history_found_notification_fn found, void *context)
{
	struct history_request request = {
		HISTORY_FIND_NOTIFICATIONS, *filter, { .notification = found }, context
	};
	return ask(history, &request);
}

enum status history_find_usage(struct history *history, const struct history_filter *filter,
			       history_found_usage_fn found, void *context)
{
	struct history_request request = {
		HISTORY_FIND_USAGE, *filter, { .usage = found }, context
	};
	return ask(history, &request);
}
