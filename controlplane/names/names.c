// Between the directory and the publisher's thread. Runs on the control thread; walks the trunks in
// slices, so that a hundred thousand of them never hold up a call.

#include "names/names.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "directory/directory.h"
#include "directory/object.h"
#include "names/list.h"
#include "names/publisher.h"

#define TURN_MS 100
#define SLICE 2000 // trunks looked at in one turn
#define RING_SIZE 16

struct names {
	struct names_options options;
	struct names_plan plan;
	struct names_counters counters;
	struct names_facts facts;
	struct names_publisher *publisher; // NULL: none
	struct ring *lists, *reports;
	struct event *turn, *reported;
	struct names_list *list; // being made; NULL: none
	char at[DIRECTORY_SID_SIZE]; // the last trunk looked at
	uint64_t generation; // of the trunks, that the list in the making is of
	uint64_t listed; // the same, of the last list given away
	bool has_alerted;
};

const char *names_state_text(enum names_state state)
{
	static const char *const texts[] = { "off", "waiting", "published", "failing" };
	return texts[state];
}

static void begin_list(struct names *names)
{
	names->generation = directory_generation(names->options.directory, DIRECTORY_TRUNK);
	if (names->generation == names->listed)
		return;
	names->at[0] = '\0';
	names->list = names_list_create();
}

static void drop_list(struct names *names)
{
	names_list_destroy(names->list);
	names->list = NULL;
}

// Changed meanwhile: the next turn begins another.
static bool is_stale(const struct names *names, const struct directory_object *after)
{
	return names->generation !=
		       directory_generation(names->options.directory, DIRECTORY_TRUNK) ||
	       (names->at[0] != '\0' && after == NULL);
}

static void give_list(struct names *names)
{
	names_list_sort(names->list);
	if (!ring_put(names->lists, &names->list))
		return; // the publisher is busy: again next turn
	names->list = NULL;
	names->listed = names->generation;
}

static void walk(struct names *names)
{
	const struct directory *directory = names->options.directory;
	const struct directory_object *object =
		names->at[0] != '\0'
			? directory_find(directory, DIRECTORY_TRUNK, text_of(names->at))
			: NULL;
	if (is_stale(names, object)) {
		drop_list(names);
		return;
	}
	for (unsigned i = 0; i < SLICE; i++) {
		object = directory_next(directory, DIRECTORY_TRUNK, object);
		if (object == NULL) {
			give_list(names);
			return;
		}
		struct text domain = directory_object_get(object, "domain");
		if (domain.size > 0 && !names_list_add(names->list, domain)) {
			drop_list(names); // no memory: again next turn
			return;
		}
	}
	memcpy(names->at, object->sid, sizeof names->at);
}

static void look_at_failure(struct names *names)
{
	struct names_facts *facts = &names->facts;
	uint64_t now_ms = names->options.clock->wall_ms;
	uint64_t since_ms = facts->failing_since_ms;
	bool is_failing = facts->state == NAMES_FAILING;
	uint64_t failing_s = is_failing && now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0;
	counter_set(&names->counters.failing_s, failing_s);
	bool is_long = failing_s >= names->options.config->names.alert_after_s;
	if (is_long == names->has_alerted || (is_failing && !is_long))
		return;
	names->has_alerted = is_long;
	names->options.alert(names->options.context, is_long, facts->problem);
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct names *names = context;
	if (names->list == NULL)
		begin_list(names);
	if (names->list != NULL)
		walk(names);
	look_at_failure(names);
}

static void log_report(const struct names *names, const struct names_report *report,
		       enum names_state before)
{
	struct log_value added, replaced, removed;
	const struct names_outcome *outcome = &report->outcome;
	bool is_news = outcome->added + outcome->replaced + outcome->removed > 0;
	if (report->status != OK && before != NAMES_FAILING)
		log_event(LOG_WARNING, "names_failing", "zone", names->plan.zone, "problem",
			  outcome->problem, "effect", "tried again, later and later", NULL);
	if (report->status == OK && (is_news || before != NAMES_PUBLISHED))
		log_event(LOG_INFO, "names_published", "zone", names->plan.zone, "added",
			  log_number(&added, outcome->added), "replaced",
			  log_number(&replaced, outcome->replaced), "removed",
			  log_number(&removed, outcome->removed), NULL);
	if (outcome->conflicts > 0 && report->is_whole)
		log_event(LOG_WARNING, "names_not_ours", "zone", names->plan.zone, "count",
			  log_number(&added, outcome->conflicts), "one", outcome->conflict, "fix",
			  "remove them from the zone, or choose another domain for the trunk",
			  NULL);
}

static void count(struct names *names, const struct names_report *report)
{
	const struct names_outcome *outcome = &report->outcome;
	struct names_counters *counters = &names->counters;
	counter_add(&counters->attempts, 1);
	counter_add(&counters->failures, report->status != OK);
	counter_add(&counters->added, outcome->added);
	counter_add(&counters->replaced, outcome->replaced);
	counter_add(&counters->removed, outcome->removed);
	if (report->status != OK)
		return;
	uint64_t published = report->is_whole ? outcome->names
					      : counter_get(&counters->published) + outcome->added -
							outcome->removed;
	counter_set(&counters->published, published);
	if (report->is_whole)
		counter_set(&counters->conflicts, outcome->conflicts);
	counter_set(&counters->last_ms, report->at_ms);
}

static void take_report(struct names *names, const struct names_report *report)
{
	struct names_facts *facts = &names->facts;
	enum names_state before = facts->state;
	bool is_good = report->status == OK;
	facts->state = is_good ? NAMES_PUBLISHED : NAMES_FAILING;
	facts->tried_ms = report->at_ms;
	facts->took_ms = report->took_ms;
	text_copy_cut(text_of(is_good ? "" : report->outcome.problem), facts->problem,
		      sizeof facts->problem);
	if (!is_good && facts->failing_since_ms == 0)
		facts->failing_since_ms = report->at_ms;
	if (is_good) {
		facts->failing_since_ms = 0;
		facts->good_ms = report->at_ms;
		facts->domains = report->domains;
	}
	if (is_good && report->is_whole) {
		facts->whole_ms = report->at_ms;
		text_copy_cut(text_of(report->outcome.conflict), facts->conflict,
			      sizeof facts->conflict);
	}
	count(names, report);
	log_report(names, report, before);
	look_at_failure(names);
}

static void on_reported(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	struct names *names = context;
	struct names_report report;
	ring_quiet(names->reports);
	while (ring_take(names->reports, &report))
		take_report(names, &report);
}

static enum status open_server(const struct names *names, struct names_server **out_server)
{
	const struct names_config *config = &names->options.config->names;
	char problem[NAMES_PROBLEM_SIZE] = "";
	struct names_server_options options = { .servers = &config->servers,
						.port = (uint16_t)config->port,
						.timeout_ms = config->timeout_ms,
						.zone = names->plan.zone,
						.marker = names->plan.marker,
						.key_file = config->key_file };
	enum status status = names_server_open(&options, out_server, problem);
	if (status != OK)
		log_event(LOG_ERROR, "names_key_refused", "option", "names.key_file", "problem",
			  problem, NULL);
	return status;
}

static enum status start_publisher(struct names *names)
{
	const struct timeval turn = { .tv_usec = TURN_MS * 1000 };
	struct names_publisher_options options = {
		.plan = &names->plan,
		.reconcile_ms = names->options.config->names.reconcile_min * 60000ull,
	};
	options.lists = names->lists = ring_create(sizeof(struct names_list *), RING_SIZE);
	options.reports = names->reports = ring_create(sizeof(struct names_report), RING_SIZE);
	if (names->lists == NULL || names->reports == NULL)
		return ERR_MEMORY;
	names->turn = event_new(names->options.loop, -1, EV_PERSIST, on_turn, names);
	names->reported = event_new(names->options.loop, ring_fd(names->reports),
				    EV_READ | EV_PERSIST, on_reported, names);
	if (names->turn == NULL || names->reported == NULL || event_add(names->turn, &turn) != 0 ||
	    event_add(names->reported, NULL) != 0)
		return ERR_MEMORY;
	enum status status = open_server(names, &options.server);
	if (status != OK)
		return status;
	status = names_publisher_start(&options, &names->publisher);
	if (status != OK)
		names_server_close(options.server);
	return status;
}

enum status names_start(const struct names_options *options, struct names **out_names)
{
	struct names *names = calloc(1, sizeof *names);
	if (names == NULL)
		return ERR_MEMORY;
	names->options = *options;
	names_plan_make(options->config, &names->plan);
	enum status status = OK;
	if (options->config->names.servers.count > 0) {
		names->facts.state = NAMES_WAITING;
		status = start_publisher(names);
	}
	if (status != OK) {
		names_stop(names);
		return status;
	}
	*out_names = names;
	return OK;
}

static void give_back_lists(struct names *names)
{
	struct names_list *list;
	while (names->lists != NULL && ring_take(names->lists, &list))
		names_list_destroy(list);
}

void names_stop(struct names *names)
{
	if (names == NULL)
		return;
	names_publisher_stop(names->publisher);
	if (names->turn != NULL)
		event_free(names->turn);
	if (names->reported != NULL)
		event_free(names->reported);
	give_back_lists(names);
	drop_list(names);
	ring_destroy(names->lists);
	ring_destroy(names->reports);
	free(names);
}

const struct names_plan *names_plan(const struct names *names)
{
	return &names->plan;
}

const struct names_counters *names_counters(const struct names *names)
{
	return &names->counters;
}

void names_read(const struct names *names, struct names_facts *out_facts)
{
	*out_facts = names->facts;
}
