// The publisher's loop. Runs on its own thread and waits as it likes; the control thread never does.

#include "names/publisher.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/thread/thread.h"
#include "names/list.h"

#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS 300000
#define TURN_MS 200 // how soon it sees that it is to stop

struct names_publisher {
	struct names_server *server;
	struct names_plan plan;
	struct ring *lists, *reports;
	uint64_t reconcile_ms;
	pthread_t thread;
	atomic_bool is_stopping; // control writes
	struct names_list *wanted; // NULL: none came yet
	struct names_list *published; // what the zone was made right for; NULL: unknown
	uint64_t due_ms; // of the next attempt, monotonic; 0: as soon as there is something to do
	uint64_t whole_due_ms; // of the next reading of the whole zone
	uint32_t retry_ms; // 0: all is well
};

static uint64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

// The latest is all that counts.
static void take_lists(struct names_publisher *publisher)
{
	struct names_list *list;
	while (ring_take(publisher->lists, &list)) {
		names_list_destroy(publisher->wanted);
		publisher->wanted = list;
	}
	if (!publisher->wanted || !publisher->published ||
	    !names_list_is_equal(publisher->wanted, publisher->published))
		return;
	names_list_destroy(publisher->wanted);
	publisher->wanted = NULL;
}

static void report(struct names_publisher *publisher, struct names_report *report,
		   uint64_t started_ms)
{
	struct clock clock;
	clock_update(&clock);
	report->at_ms = clock.wall_ms;
	report->took_ms = now_ms() - started_ms;
	report->domains = publisher->published ? publisher->published->count : 0;
	while (!ring_put(publisher->reports, report) && !atomic_load(&publisher->is_stopping))
		(void)poll(NULL, 0, 10);
}

static void keep(struct names_publisher *publisher, bool is_whole, uint64_t now)
{
	names_list_destroy(publisher->published);
	publisher->published = publisher->wanted;
	publisher->wanted = NULL;
	publisher->retry_ms = 0;
	publisher->due_ms = 0;
	if (is_whole) // several nodes need not do it at once
		publisher->whole_due_ms = now + publisher->reconcile_ms * 7 / 8 +
					  random_below((uint32_t)(publisher->reconcile_ms / 4));
}

static void put_off(struct names_publisher *publisher, uint64_t now)
{
	uint32_t next = publisher->retry_ms == 0 ? RETRY_FIRST_MS : publisher->retry_ms * 2;
	publisher->retry_ms = next > RETRY_LAST_MS ? RETRY_LAST_MS : next;
	publisher->due_ms = now + publisher->retry_ms;
	if (!publisher->wanted) { // a reading of the whole zone failed
		publisher->wanted = publisher->published;
		publisher->published = NULL;
	}
	names_list_destroy(publisher->published);
	publisher->published = NULL;
}

static enum status attempt(struct names_publisher *publisher, struct names_report *out_report)
{
	const struct names_list *wanted =
		publisher->wanted ? publisher->wanted : publisher->published;
	enum status status = ERR_CONFLICT;
	if (publisher->published && publisher->wanted && now_ms() < publisher->whole_due_ms)
		status = names_follow(publisher->server, &publisher->plan, publisher->published,
				      wanted, &out_report->outcome);
	out_report->is_whole = status == ERR_CONFLICT; // somebody else changes the zone too
	if (out_report->is_whole)
		status = names_reconcile(publisher->server, &publisher->plan, wanted,
					 &out_report->outcome);
	return status;
}

static bool is_due(const struct names_publisher *publisher, uint64_t now)
{
	if (publisher->due_ms > 0)
		return now >= publisher->due_ms;
	if (publisher->published && now >= publisher->whole_due_ms)
		return true;
	return publisher->wanted != NULL;
}

static void publish(struct names_publisher *publisher)
{
	struct names_report outcome = { 0 };
	uint64_t started_ms = now_ms();
	outcome.status = attempt(publisher, &outcome);
	if (!publisher->wanted && outcome.status == OK) {
		publisher->wanted = publisher->published;
		publisher->published = NULL;
	}
	if (outcome.status == OK)
		keep(publisher, outcome.is_whole, now_ms());
	else
		put_off(publisher, now_ms());
	report(publisher, &outcome, started_ms);
}

static void *run(void *context)
{
	struct names_publisher *publisher = context;
	struct pollfd wake = { .fd = ring_fd(publisher->lists), .events = POLLIN };
	while (!atomic_load(&publisher->is_stopping)) {
		(void)poll(&wake, 1, TURN_MS);
		ring_quiet(publisher->lists);
		take_lists(publisher);
		if ((publisher->wanted || publisher->published) && is_due(publisher, now_ms()))
			publish(publisher);
	}
	return NULL;
}

enum status names_publisher_start(const struct names_publisher_options *options,
				  struct names_publisher **out_publisher)
{
	struct names_publisher *publisher = calloc(1, sizeof(*publisher));
	if (!publisher)
		return ERR_MEMORY;
	publisher->plan = *options->plan;
	publisher->lists = options->lists;
	publisher->reports = options->reports;
	publisher->reconcile_ms = options->reconcile_ms;
	publisher->server = options->server;
	enum status status = thread_start(&publisher->thread, "names", run, publisher);
	if (status != OK) {
		free(publisher);
		return status;
	}
	*out_publisher = publisher;
	return OK;
}

void names_publisher_stop(struct names_publisher *publisher)
{
	if (!publisher)
		return;
	atomic_store(&publisher->is_stopping, true);
	names_server_cancel(publisher->server);
	pthread_join(publisher->thread, NULL);
	take_lists(publisher);
	names_list_destroy(publisher->wanted);
	names_list_destroy(publisher->published);
	names_server_close(publisher->server);
	free(publisher);
}
