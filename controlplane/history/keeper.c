// The history thread's loop. Trouble with the database is met with patience: records stay in the
// spool, tries come at growing distances, the log hears of it once per change.
// Runs on: history thread. Must never free a slot whose record is not committed.

#include "history/keeper.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread/thread.h"
#include "history/database.h"

#define BATCH_MAX 512
#define TURN_MS 50 // how long a finished record waits at most
#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 10000
#define RETAIN_MS 60000 // between two looks for what is too old

struct history_keeper {
	struct history_keeper_options options;
	char file[512];
	pthread_t thread;
	atomic_bool is_finishing; // control writes
	atomic_bool is_done; // history thread writes
	struct history_database *database; // NULL: not open
	struct history_slot *batch[BATCH_MAX];
	unsigned batch_count;
	uint64_t retry_at_ms; // monotonic
	uint32_t retry_ms; // 0: all is well
	bool has_sent_alerts;
	uint64_t retain_at_ms; // monotonic
};

static void fail(struct history_keeper *keeper, uint64_t now_ms, const char *problem)
{
	counter_add(&keeper->options.counters->failures, 1);
	if (keeper->retry_ms == 0)
		log_event(LOG_ERROR, "history_away", "file", keeper->file, "problem", problem,
			  "effect", "records wait in the spool", NULL);
	history_database_close(keeper->database);
	keeper->database = NULL;
	keeper->retry_ms = keeper->retry_ms == 0 ? RETRY_FIRST_MS : keeper->retry_ms * 2;
	keeper->retry_ms = keeper->retry_ms > RETRY_LAST_MS ? RETRY_LAST_MS : keeper->retry_ms;
	keeper->retry_at_ms = now_ms + keeper->retry_ms;
}

static void recovered(struct history_keeper *keeper)
{
	if (keeper->retry_ms > 0)
		log_event(LOG_INFO, "history_back", "file", keeper->file, NULL);
	keeper->retry_ms = 0;
	keeper->retry_at_ms = 0;
}

// This thread can wait: for memory, and for control to take what it asked for.
static void send_up(struct history_keeper *keeper, const struct history_result *wanted)
{
	struct history_result *result = malloc(sizeof(*result));
	while (!result) {
		(void)poll(NULL, 0, 10);
		result = malloc(sizeof(*result));
	}
	*result = *wanted;
	while (!ring_put(keeper->options.results, &result))
		(void)poll(NULL, 0, 1);
}

static void send_alert(void *context, const union history_record *record)
{
	struct history_result result = { .kind = HISTORY_RESULT_ALERT, .record = *record };
	send_up(context, &result);
}

static bool open_database(struct history_keeper *keeper, uint64_t now_ms)
{
	struct history_database_problem problem = { "" };
	if (keeper->database && history_database_is_in_place(keeper->database))
		return true;
	if (now_ms < keeper->retry_at_ms)
		return false;
	history_database_close(keeper->database); // moved away: a new one is made in its place
	keeper->database = NULL;
	if (history_database_open(keeper->file, &keeper->database, &problem) != OK) {
		fail(keeper, now_ms, problem.text);
		return false;
	}
	struct history_filter former = { .to_ms = keeper->options.started_ms,
					 .max = keeper->options.alerts_max };
	if (!keeper->has_sent_alerts)
		history_database_find(keeper->database, HISTORY_FIND_ALERTS, &former, send_alert,
				      keeper);
	keeper->has_sent_alerts = true;
	return true;
}

static void give_batch(struct history_keeper *keeper)
{
	for (unsigned i = 0; i < keeper->batch_count; i++)
		history_spool_give(keeper->options.spool, keeper->batch[i]);
	counter_add(&keeper->options.counters->written, keeper->batch_count);
	atomic_fetch_sub_explicit(&keeper->options.counters->spool_used.value, keeper->batch_count,
				  memory_order_relaxed);
	keeper->batch_count = 0;
}

static void fill_batch(struct history_keeper *keeper)
{
	struct history_slot *slot;
	while (keeper->batch_count < BATCH_MAX &&
	       (slot = history_spool_next(keeper->options.spool))) {
		if (slot->kind == HISTORY_SLOT_CALL && slot->call.sid[0] == '\0')
			history_spool_give(keeper->options.spool, slot); // dropped
		else
			keeper->batch[keeper->batch_count++] = slot;
	}
}

// Everything that waits; stops at the first trouble.
static void write_waiting(struct history_keeper *keeper)
{
	struct history_database_problem problem = { "" };
	for (fill_batch(keeper); keeper->batch_count > 0; fill_batch(keeper)) {
		uint64_t now_ms = clock_monotonic_ns() / 1000000;
		if (now_ms < keeper->retry_at_ms || !open_database(keeper, now_ms))
			return;
		if (history_database_write(keeper->database, keeper->batch, keeper->batch_count,
					   &problem) != OK) {
			fail(keeper, now_ms, problem.text);
			return;
		}
		recovered(keeper);
		give_batch(keeper);
	}
}

struct search {
	struct history_keeper *keeper;
	const struct history_request *request;
};

static void send_found(void *context, const union history_record *record)
{
	struct search *search = context;
	struct history_result result = { .kind = HISTORY_RESULT_FOUND,
					 .of = search->request->kind,
					 .found = search->request->found,
					 .context = search->request->context,
					 .record = *record };
	send_up(search->keeper, &result);
}

static void answer_searches(struct history_keeper *keeper)
{
	struct history_request request;
	while (ring_take(keeper->options.requests, &request)) {
		struct search search = { keeper, &request };
		if (open_database(keeper, clock_monotonic_ns() / 1000000))
			history_database_find(keeper->database, request.kind, &request.filter,
					      send_found, &search);
		struct history_result end = { .kind = HISTORY_RESULT_END,
					      .of = request.kind,
					      .found = request.found,
					      .context = request.context };
		send_up(keeper, &end);
	}
}

static void retain(struct history_keeper *keeper, const struct clock *clock)
{
	if (!keeper->database || clock->now_ms < keeper->retain_at_ms)
		return;
	unsigned count = history_database_retain(keeper->database, &keeper->options.retention,
						 clock->wall_ms);
	counter_add(&keeper->options.counters->retired, count);
	keeper->retain_at_ms = count > 0 ? 0 : clock->now_ms + RETAIN_MS;
}

static void *run(void *context)
{
	struct history_keeper *keeper = context;
	struct pollfd wake = { .fd = ring_fd(keeper->options.requests), .events = POLLIN };
	bool is_last = false;
	(void)open_database(keeper, clock_monotonic_ns() / 1000000);
	while (!is_last) {
		struct clock clock;
		(void)poll(&wake, 1, TURN_MS);
		ring_quiet(keeper->options.requests);
		is_last = atomic_load(
			&keeper->is_finishing); // read before the last look into the queues
		if (is_last)
			keeper->retry_at_ms = 0; // one more try, without patience
		clock_update(&clock);
		history_spool_touch(keeper->options.spool, clock.wall_ms);
		write_waiting(keeper);
		answer_searches(keeper);
		retain(keeper, &clock);
	}
	history_database_close(keeper->database);
	keeper->database = NULL;
	atomic_store(&keeper->is_done, true);
	return NULL;
}

enum status history_keeper_start(const struct history_keeper_options *options,
				 struct history_keeper **out_keeper)
{
	struct history_keeper *keeper = calloc(1, sizeof(*keeper));
	if (!keeper)
		return ERR_MEMORY;
	keeper->options = *options;
	if (!text_copy(text_of(options->file), keeper->file, sizeof(keeper->file))) {
		free(keeper);
		return ERR_TOO_LARGE;
	}
	enum status status = thread_start(&keeper->thread, "history", run, keeper);
	if (status != OK) {
		free(keeper);
		return status;
	}
	*out_keeper = keeper;
	return OK;
}

void history_keeper_finish(struct history_keeper *keeper)
{
	atomic_store(&keeper->is_finishing, true);
}

bool history_keeper_is_done(struct history_keeper *keeper)
{
	return atomic_load(&keeper->is_done);
}

void history_keeper_destroy(struct history_keeper *keeper)
{
	if (!keeper)
		return;
	history_keeper_finish(keeper);
	pthread_join(keeper->thread, NULL);
	free(keeper);
}
