// Claims and items of usage, number by number. Runs on the control thread. An item is written while its
// claim is younger than all that was seen two walks ago: after a start that is every claim of this node.

#include "metering/metering.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "directory/directory.h"
#include "directory/number.h"
#include "directory/object.h"
#include "history/history.h"
#include "store/store.h"

#define TURN_MS 100
#define SLICE 500 // numbers looked at in one turn
#define CLAIMS_MAX 20 // under way
#define REST_MS 60000 // between two walks when nothing has changed: a month may have begun

struct metering {
	struct metering_options options;
	char node[65];
	struct event *turn;
	char at[DIRECTORY_SID_SIZE]; // the last number looked at; "": a walk begins
	bool is_walking;
	uint64_t generation; // of the numbers, when this walk began
	uint64_t next_ms; // not before that, unless something has changed
	unsigned long floor, seen_before, seen; // versions: see above
	unsigned claims;
};

static void on_claimed(void *context, enum status status, const struct directory_problem *problem,
		       const char *sid)
{
	(void)status; // another node was first, or Redis is away: the next walk sees
	(void)problem;
	(void)sid;
	struct metering *metering = context;
	metering->claims--;
}

static void current_month(const struct metering *metering, char room[static DIRECTORY_MONTH_SIZE])
{
	char iso[25];
	clock_write_iso(metering->options.clock->wall_ms, iso);
	(void)text_copy((struct text){ iso, DIRECTORY_MONTH_SIZE - 1 }, room, DIRECTORY_MONTH_SIZE);
}

static void claim(struct metering *metering, const struct directory_object *number,
		  const char *month)
{
	struct directory_object *copy = directory_object_copy(number);
	if (copy == NULL)
		return;
	if (directory_number_claim(copy, month, text_of(metering->node)) != OK) {
		directory_object_destroy(copy);
		return;
	}
	metering->claims++;
	store_change(metering->options.store, copy, on_claimed, metering);
}

// False: no room now; the same number again next turn.
static bool charge(struct metering *metering, const struct directory_object *number,
		   const struct directory_claim *wanted)
{
	const struct history_counters *counters = history_counters(metering->options.history);
	struct history_usage item = { .at_ms = wanted->month_ms,
				      .quantity = 1,
				      .category = HISTORY_USAGE_NUMBER };
	if (counter_get(&counters->spool_used) > metering->options.spool_records / 4)
		return false; // calls need it more
	(void)snprintf(item.key, sizeof item.key, "number/%s/%s/%s", number->sid,
		       wanted->account_sid, wanted->month);
	text_copy_cut(text_of(wanted->account_sid), item.account_sid, sizeof item.account_sid);
	text_copy_cut(directory_object_get(number, "e164"), item.subject, sizeof item.subject);
	return history_usage_write(metering->options.history, &item) != ERR_BUSY;
}

// The month that is to be claimed next; false: none yet.
static bool find_due(const struct metering *metering, const struct directory_object *number,
		     const struct directory_claim *last, char month[static DIRECTORY_MONTH_SIZE])
{
	char now[DIRECTORY_MONTH_SIZE];
	struct text account = directory_object_get(number, "account");
	if (account.size == 0 || !directory_number_bought(number, month))
		return false;
	current_month(metering, now);
	bool is_charged = last->month[0] != '\0' && strcmp(last->month, month) >= 0 &&
			  text_is_equal(account, text_of(last->account_sid));
	if (is_charged)
		directory_number_month_after(last->month, month);
	return strcmp(month, now) <= 0;
}

// False: come back to it.
static bool look_at(struct metering *metering, const struct directory_object *number)
{
	struct directory_claim last;
	char month[DIRECTORY_MONTH_SIZE];
	bool is_claimed = directory_number_claimed(number, &last);
	bool is_ours = is_claimed && strcmp(last.node, metering->node) == 0;
	if (is_ours && number->version > metering->floor && !charge(metering, number, &last))
		return false;
	if (find_due(metering, number, &last, month)) {
		if (metering->claims >= CLAIMS_MAX ||
		    store_state(metering->options.store) != STORE_READY)
			return false;
		claim(metering, number, month);
	}
	if (number->version > metering->seen)
		metering->seen = number->version;
	return true;
}

static bool may_begin(struct metering *metering)
{
	uint64_t generation = directory_generation(metering->options.directory, DIRECTORY_NUMBER);
	uint64_t now_ms = metering->options.clock->now_ms;
	if (generation == metering->generation && now_ms < metering->next_ms)
		return false;
	metering->generation = generation;
	metering->next_ms = now_ms + REST_MS;
	metering->at[0] = '\0';
	metering->seen = 0;
	metering->is_walking = true;
	return true;
}

static void end_walk(struct metering *metering)
{
	metering->is_walking = false;
	metering->floor = metering->seen_before;
	metering->seen_before = metering->seen;
}

void metering_turn(struct metering *metering)
{
	const struct directory *directory = metering->options.directory;
	const struct directory_object *number = NULL;
	if (!metering->is_walking && !may_begin(metering))
		return;
	if (metering->at[0] != '\0') {
		number = directory_find(directory, DIRECTORY_NUMBER, text_of(metering->at));
		if (number == NULL) { // removed: from the beginning
			metering->at[0] = '\0';
			return;
		}
	}
	for (unsigned i = 0; i < SLICE; i++) {
		number = directory_next(directory, DIRECTORY_NUMBER, number);
		if (number == NULL) {
			end_walk(metering);
			return;
		}
		if (!look_at(metering, number))
			return;
		memcpy(metering->at, number->sid, sizeof metering->at);
	}
}

static void on_turn(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	metering_turn(context);
}

enum status metering_start(const struct metering_options *options, struct metering **out_metering)
{
	const struct timeval turn = { .tv_usec = TURN_MS * 1000 };
	struct metering *metering = calloc(1, sizeof *metering);
	if (metering == NULL)
		return ERR_MEMORY;
	metering->options = *options;
	text_copy_cut(options->node, metering->node, sizeof metering->node);
	metering->turn = event_new(options->loop, -1, EV_PERSIST, on_turn, metering);
	if (metering->turn == NULL || event_add(metering->turn, &turn) != 0) {
		metering_stop(metering);
		return ERR_MEMORY;
	}
	*out_metering = metering;
	return OK;
}

void metering_stop(struct metering *metering)
{
	if (metering == NULL)
		return;
	if (metering->turn != NULL)
		event_free(metering->turn);
	free(metering);
}
