// How many objects there may be, when two nodes add at the same moment and neither knows of the other's.

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/accounts.h"
#include "directory/directory.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"
#include "tests/unit/store/bench.h"

#define ROUNDS 4 // at each node
#define MOST 3

struct world {
	struct event_base *loop;
	struct bench_redis redis;
	struct bench_node nodes[2];
	struct accounts_config rules;
	struct bench_result results[2 * ROUNDS];
	char paid[35], trial[35], trunk[35];
};

static bool is_everything_there(void *context)
{
	const struct bench_node *node = context;
	return directory_count(node->directory, DIRECTORY_ACCOUNT) == 2 &&
	       directory_count(node->directory, DIRECTORY_TRUNK) == 1;
}

static void add(struct bench_node *node, struct directory_object *object, char out_sid[static 35])
{
	struct bench_result result;
	CHECK_OK(bench_add(node, object, &result));
	memcpy(out_sid, result.sid, sizeof(result.sid));
}

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	struct bench_node *first = &world->nodes[0];
	world->loop = event_base_new();
	world->rules = (struct accounts_config){ .max_trunks = MOST,
						 .trial_trunks = 1,
						 .trial_numbers = 1 };
	bench_redis_start(&world->redis, NULL);
	for (unsigned i = 0; i < 2; i++) {
		bench_node_join(&world->nodes[i], world->loop, &world->redis);
		directory_follow(world->nodes[i].directory,
				 &(struct directory_rules){ .accounts = &world->rules });
	}
	add(first, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL), world->paid);
	add(first, world_make(DIRECTORY_ACCOUNT, "name", "Try", "type", "trial", NULL),
	    world->trial);
	add(first, world_make(DIRECTORY_TRUNK, "account", world->paid, "domain", "acme", NULL),
	    world->trunk);
	CHECK_TRUE(bench_turn(world->loop, is_everything_there, &world->nodes[1], 10000));
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	for (unsigned i = 0; i < 2; i++)
		bench_node_close(&world->nodes[i]);
	bench_redis_stop(&world->redis);
	event_base_free(world->loop);
	test_free(world);
	return 0;
}

static bool are_all_told(void *context)
{
	const struct world *world = context;
	unsigned count = 0;
	for (unsigned i = 0; i < 2 * ROUNDS; i++)
		count += world->results[i].count;
	return count == 2 * ROUNDS;
}

typedef struct directory_object *(*make_fn)(const struct world *world, unsigned nth);

// Each node adds several in one turn of the loop, before it hears of any. Returns how many were taken.
static unsigned add_at_once(struct world *world, make_fn make, const char *refusal)
{
	unsigned taken = 0;
	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		world->results[i] = (struct bench_result){ 0 };
		store_add(world->nodes[i % 2].store, make(world, i), bench_done,
			  &world->results[i]);
	}
	CHECK_TRUE(bench_turn(world->loop, are_all_told, world, 10000));
	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		taken += world->results[i].status == OK;
		if (world->results[i].status == OK)
			continue;
		CHECK_STATUS(world->results[i].status, ERR_LIMIT);
		CHECK_STRING(world->results[i].problem.text, refusal);
	}
	return taken;
}

static struct directory_object *make_trunk(const struct world *world, unsigned nth)
{
	(void)nth;
	return world_make(DIRECTORY_TRUNK, "account", world->paid, NULL);
}

static void two_nodes_add_no_more_trunks_than_an_account_may_have(void **state)
{
	struct world *world = *state;
	const char *refusal = "Acme has 3 trunks already; allowed: 3";
	CHECK_NUMBER(add_at_once(world, make_trunk, refusal), MOST - 1);
	CHECK_NUMBER(add_at_once(world, make_trunk, refusal), 0);
}

static struct directory_object *make_number(const struct world *world, unsigned nth)
{
	char number[24];
	(void)snprintf(number, sizeof(number), "+1415555000%u", nth);
	return world_make(DIRECTORY_NUMBER, "e164", number, "account", world->trial, NULL);
}

static void two_nodes_add_no_more_numbers_than_a_trial_account_may_have(void **state)
{
	struct world *world = *state;
	CHECK_NUMBER(add_at_once(world, make_number,
				 "Try has 1 numbers already; allowed: 1 of an account of type "
				 "trial"),
		     1);
}

static struct directory_object *make_uri(const struct world *world, unsigned nth)
{
	char uri[48];
	(void)snprintf(uri, sizeof(uri), "sip:192.0.2.%u", nth + 1);
	return world_make(DIRECTORY_ORIGINATION_URI, "trunk", world->trunk, "uri", uri, NULL);
}

// ORIG-017, with eight there already.
static void two_nodes_add_no_more_than_ten_origination_uris(void **state)
{
	struct world *world = *state;
	const char *refusal = "it has 10 Origination URIs already, the most there may be: remove "
			      "one, or change it";
	CHECK_NUMBER(add_at_once(world, make_uri, refusal), 2 * ROUNDS);
	CHECK_NUMBER(add_at_once(world, make_uri, refusal), 10 - 2 * ROUNDS);
}

static struct directory_object *make_carrier(const struct world *world, unsigned nth)
{
	char name[16], host[24];
	unsigned count = directory_count(world->nodes[0].directory, DIRECTORY_CARRIER) + nth;
	(void)snprintf(name, sizeof(name), "gateway%u", count);
	(void)snprintf(host, sizeof(host), "192.0.2.%u", count + 1);
	return world_make(DIRECTORY_CARRIER, "name", name, "address", host, NULL);
}

static bool do_both_know_as_many(void *context)
{
	const struct world *world = context;
	return directory_count(world->nodes[0].directory, DIRECTORY_CARRIER) ==
	       directory_count(world->nodes[1].directory, DIRECTORY_CARRIER);
}

static void two_nodes_enable_no_more_carriers_than_a_call_may_try(void **state)
{
	struct world *world = *state;
	char refusal[64], sid[35];
	unsigned count = 0;
	(void)snprintf(refusal, sizeof(refusal), "at most %d carriers can be enabled",
		       DIRECTORY_CARRIERS_MAX);
	for (unsigned i = 0; i + 3 < DIRECTORY_CARRIERS_MAX; i++)
		add(&world->nodes[0], make_carrier(world, 0), sid);
	CHECK_TRUE(bench_turn(world->loop, do_both_know_as_many, world, 10000));
	count = directory_count(world->nodes[1].directory, DIRECTORY_CARRIER);
	CHECK_NUMBER(add_at_once(world, make_carrier, refusal), DIRECTORY_CARRIERS_MAX - count);
}

// What has its place keeps it, and a change of it is no new one; the place of one that goes is free.
static void a_place_is_free_again_when_its_object_goes(void **state)
{
	struct world *world = *state;
	struct bench_node *node = &world->nodes[0];
	struct bench_result result;
	CHECK_NUMBER(add_at_once(world, make_trunk, "Acme has 3 trunks already; allowed: 3"),
		     MOST - 1);
	struct directory_object *object = directory_object_copy(
		directory_find(node->directory, DIRECTORY_TRUNK, text_of(world->trunk)));
	assert_non_null(object);
	world_set(object, "name", "renamed");
	CHECK_OK(bench_change(node, object, &result));
	CHECK_OK(bench_remove(node, world->trunk, &result));
	CHECK_NUMBER(add_at_once(world, make_trunk, "Acme has 3 trunks already; allowed: 3"), 1);
}

static const struct store_tally TALLIES[] = {
	{ "a", 3, 600, "e164", "was sent too many" },
	{ "b", 100, 600, "e164", "never seen here" },
};

static struct directory_object *make_caller_id(const struct world *world, unsigned nth)
{
	char number[24];
	(void)snprintf(number, sizeof(number), "+1415555100%u", nth);
	return world_make(DIRECTORY_CALLER_ID, "e164", number, "account", world->paid, NULL);
}

// NUM-018: nodes count together, and what was counted stays so when its object is removed.
static void what_is_counted_stays_counted(void **state)
{
	struct world *world = *state;
	struct bench_result *results = world->results, result;
	char text[64], kept[35] = "";
	unsigned seconds = 0, taken = 0;
	for (unsigned i = 0; i < 2 * ROUNDS; i++)
		store_write_counted(world->nodes[i % 2].store, make_caller_id(world, i), TALLIES, 2,
				    bench_done, &results[i]);
	CHECK_TRUE(bench_turn(world->loop, are_all_told, world, 10000));
	for (unsigned i = 0; i < 2 * ROUNDS; i++) {
		taken += results[i].status == OK;
		if (results[i].status == OK && i % 2 == 0)
			memcpy(kept, results[i].sid, sizeof(kept));
		if (results[i].status == OK)
			continue;
		CHECK_STATUS(results[i].status, ERR_LIMIT);
		CHECK_STRING(results[i].problem.field, "e164");
		CHECK_NUMBER(sscanf(results[i].problem.text,
				    "was sent too many; allowed: another in %u %63s", &seconds,
				    text),
			     2);
		CHECK_TRUE(seconds > 0 && seconds <= 600);
	}
	CHECK_NUMBER(taken, 3);
	CHECK_OK(bench_remove(&world->nodes[0], kept, &result));
	results[0] = (struct bench_result){ 0 };
	store_write_counted(world->nodes[1].store, make_caller_id(world, 9), TALLIES, 1, bench_done,
			    &results[0]);
	CHECK_TRUE(bench_turn(world->loop, are_all_told, world, 10000));
	CHECK_STATUS(results[0].status, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
		WORLD_TEST(two_nodes_add_no_more_trunks_than_an_account_may_have),
		WORLD_TEST(two_nodes_add_no_more_numbers_than_a_trial_account_may_have),
		WORLD_TEST(two_nodes_add_no_more_than_ten_origination_uris),
		WORLD_TEST(two_nodes_enable_no_more_carriers_than_a_call_may_try),
		WORLD_TEST(what_is_counted_stays_counted),
		WORLD_TEST(a_place_is_free_again_when_its_object_goes),
	};
	log_set_level(LOG_ERROR);
	return RUN_TESTS(tests);
}
