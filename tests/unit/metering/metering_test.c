// A number is charged once a month, from purchase to release, whatever dies meanwhile (NUM-013).

#include "metering/metering.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "directory/number.h"
#include "history/history.h"
#include "store/store.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"

#define DAY_MS 86400000ull
#define NOVEMBER_10_MS 1794268800000ull // 2026-11-10

struct world {
	struct directory *directory;
	struct clock clock;
	struct event_base *loop;
	char account[35], other[35];
	char keys[64][96]; // of the items taken, each once as the history keeps them
	unsigned key_count, writes;
	char subject[64], month[8];
	bool is_full, is_away, loses_changes;
	unsigned long version;
	struct history_counters counters;
	struct pending {
		struct directory_object *object;
		store_done_fn done;
		void *context;
	} pending[16]; // changes on their way
	unsigned pending_count;
};

// ---- the store and the history

enum store_state store_state(const struct store *store)
{
	return ((const struct world *)store)->is_away ? STORE_AWAY : STORE_READY;
}

void store_change(struct store *store, struct directory_object *object, store_done_fn done,
		  void *context)
{
	struct world *world = (struct world *)store;
	if (world->loses_changes) {
		directory_object_destroy(object);
		done(context, ERR_CONFLICT, NULL, "");
		return;
	}
	CHECK_TRUE(world->pending_count < 16);
	world->pending[world->pending_count++] = (struct pending){ object, done, context };
}

// As the real one does it: the directory changes from the loop, never below who asked for it.
static void take_changes(struct world *world)
{
	for (unsigned i = 0; i < world->pending_count; i++) {
		struct pending *pending = &world->pending[i];
		pending->object->version = ++world->version;
		CHECK_OK(directory_put(world->directory, pending->object));
		pending->done(pending->context, OK, NULL, "");
	}
	world->pending_count = 0;
}

const struct history_counters *history_counters(const struct history *history)
{
	return &((const struct world *)history)->counters;
}

enum status history_usage_write(struct history *history, const struct history_usage *item)
{
	struct world *world = (struct world *)history;
	char iso[25];
	if (world->is_full)
		return ERR_BUSY;
	world->writes++;
	CHECK_NUMBER(item->category, HISTORY_USAGE_NUMBER);
	CHECK_NUMBER(item->quantity, 1);
	clock_write_iso(item->at_ms, iso);
	(void)text_copy((struct text){ iso, 7 }, world->month, sizeof world->month);
	(void)text_copy(text_of(item->subject), world->subject, sizeof world->subject);
	for (unsigned i = 0; i < world->key_count; i++)
		if (strcmp(world->keys[i], item->key) == 0)
			return OK;
	(void)text_copy(text_of(item->key), world->keys[world->key_count++], 96);
	return OK;
}

// ---- the world

static void open_world(struct world *world)
{
	*world = (struct world){ .directory = directory_create(TEXT(WORLD_BASE)),
				 .clock = { .now_ms = 1000, .wall_ms = NOVEMBER_10_MS },
				 .loop = event_base_new() };
	world_add(world->directory, world_make(DIRECTORY_ACCOUNT, "name", "acme", NULL),
		  world->account);
	world_add(world->directory, world_make(DIRECTORY_ACCOUNT, "name", "beta", NULL),
		  world->other);
}

static void close_world(struct world *world)
{
	directory_destroy(world->directory);
	event_base_free(world->loop);
}

static struct metering *start(struct world *world, const char *node)
{
	struct metering *metering = NULL;
	struct metering_options options = { .loop = world->loop,
					    .clock = &world->clock,
					    .directory = world->directory,
					    .store = (struct store *)world,
					    .history = (struct history *)world,
					    .node = text_of(node),
					    .spool_records = 64 };
	CHECK_OK(metering_start(&options, &metering));
	return metering;
}

static void run(struct world *world, struct metering *metering)
{
	for (unsigned i = 0; i < 50; i++) {
		world->clock.now_ms += 5000;
		metering_turn(metering);
		take_changes(world);
	}
}

static void put(struct world *world, struct directory_object *object)
{
	object->version = ++world->version;
	CHECK_OK(directory_put(world->directory, object));
}

static void buy(struct world *world, const char *e164, const char *account, const char *node)
{
	struct directory_object *number = world_make(DIRECTORY_NUMBER, "e164", e164, NULL);
	world_set(number, "account", account);
	CHECK_OK(directory_number_note_purchase(number, world->clock.wall_ms, text_of(node), NULL));
	put(world, number);
}

static void release(struct world *world, const char *e164)
{
	struct directory_object *copy = directory_object_copy(
		directory_find(world->directory, DIRECTORY_NUMBER, text_of(e164)));
	world_set(copy, "account", "");
	world_set(copy, "bought_s", "");
	put(world, copy);
}

// ---- the stories

static void each_month_is_charged_once_until_release(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	struct metering *metering = start(&world, "a");
	buy(&world, "+14155550100", world.account, "a");
	put(&world, world_make(DIRECTORY_NUMBER, "e164", "+14155550101", NULL)); // in stock: free
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 1);
	CHECK_STRING(world.month, "2026-11");
	CHECK_STRING(world.subject, "+14155550100");
	world.clock.wall_ms += 21 * DAY_MS; // December 1
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 2);
	CHECK_STRING(world.month, "2026-12");
	world.clock.wall_ms += 62 * DAY_MS; // February 1: nobody ran in January
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 4);
	CHECK_STRING(world.month, "2027-02");
	release(&world, "+14155550100");
	world.clock.wall_ms += 40 * DAY_MS;
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 4);
	buy(&world, "+14155550102", world.other, "a");
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 5);
	CHECK_TRUE(strstr(world.keys[4], world.other) != NULL);
	metering_stop(metering);
	close_world(&world);
}

// Bought and released before anybody looked: the month is charged all the same.
static void not_even_an_hour_is_free(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	struct metering *metering = start(&world, "a");
	buy(&world, "+14155550100", world.account, "a");
	release(&world, "+14155550100");
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 1);
	CHECK_TRUE(strstr(world.keys[0], world.account) != NULL);
	metering_stop(metering);
	close_world(&world);
}

// Two nodes with histories of their own: the one that claimed the month charges it, the other does not.
static void nodes_share_the_months(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	buy(&world, "+14155550100", world.account, "a");
	struct metering *b = start(&world, "b");
	run(&world, b);
	CHECK_NUMBER(world.writes, 0); // a's month
	world.clock.wall_ms += 21 * DAY_MS;
	run(&world, b);
	CHECK_NUMBER(world.key_count, 1);
	CHECK_STRING(world.month, "2026-12");
	unsigned writes = world.writes;
	struct metering *a = start(&world, "a");
	run(&world, a);
	CHECK_NUMBER(world.writes, writes); // b's month
	metering_stop(a);
	metering_stop(b);
	close_world(&world);
}

// Killed after the claim, before the item: the next start writes it. Killed after both: the key is known.
static void a_restart_writes_what_may_be_missing(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	buy(&world, "+14155550100", world.account, "a");
	for (unsigned i = 0; i < 3; i++) {
		struct metering *metering = start(&world, "a");
		run(&world, metering);
		CHECK_NUMBER(world.key_count, 1);
		CHECK_TRUE(world.writes > i);
		metering_stop(metering);
	}
	close_world(&world);
}

static void troubles_put_it_off(void **state)
{
	(void)state;
	struct world world;
	open_world(&world);
	struct metering *metering = start(&world, "a");
	world.is_full = true;
	buy(&world, "+14155550100", world.account, "a");
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 0);
	world.is_full = false;
	counter_set(&world.counters.spool_used, 20); // calls come first
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 0);
	counter_set(&world.counters.spool_used, 0);
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 1);
	world.clock.wall_ms += 21 * DAY_MS;
	world.is_away = true;
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 1);
	world.is_away = false;
	world.loses_changes = true;
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 1);
	world.loses_changes = false;
	run(&world, metering);
	CHECK_NUMBER(world.key_count, 2);
	metering_stop(metering);
	close_world(&world);
}

static void months_follow_each_other(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "2026-11", "2026-12" }, { "2026-12", "2027-01" }, { "2027-01", "2027-02" },
		{ "2028-02", "2028-03" }, { "2027-02", "2027-03" }, { "2099-12", "2100-01" },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		char month[DIRECTORY_MONTH_SIZE];
		directory_number_month_after(rows[i][0], month);
		CHECK_STRING(month, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_month_is_charged_once_until_release),
		TEST(not_even_an_hour_is_free),
		TEST(nodes_share_the_months),
		TEST(a_restart_writes_what_may_be_missing),
		TEST(troubles_put_it_off),
		TEST(months_follow_each_other),
	};
	return RUN_TESTS(tests);
}
