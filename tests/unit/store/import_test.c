// Numbers in bulk against a real Redis: all or none, seen by every node, found in a moment, sold once.

#include "store/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "directory/stock.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"
#include "tests/unit/store/bench.h"

#define MANY 100000

struct world {
	struct bench_pair pair;
	struct bench_result result;
};

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	bench_pair_start(&world->pair);
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	bench_pair_stop(&world->pair);
	test_free(world);
	return 0;
}

static uint64_t now_ms(void)
{
	return clock_monotonic_ns() / 1000000;
}

struct count {
	const struct bench_node *node;
	size_t wanted;
};

static bool is_so_many(void *context)
{
	const struct count *count = context;
	return directory_stock_count(count->node->directory) == count->wanted;
}

static void wait_stock(struct world *world, struct bench_node *node, size_t wanted)
{
	struct count count = { node, wanted };
	if (!bench_turn(world->pair.loop, is_so_many, &count, 60000))
		fail_msg("%zu numbers in stock, not %zu", directory_stock_count(node->directory),
			 wanted);
}

// +1415…, or +8150… for every tenth, from the nth on.
static struct directory_object *make_number(unsigned nth)
{
	char e164[17], country[3];
	bool is_japanese = nth % 10 == 0;
	(void)snprintf(e164, sizeof(e164), is_japanese ? "+8150%08u" : "+1415%07u", nth);
	(void)snprintf(country, sizeof(country), is_japanese ? "JP" : "US");
	return world_make(DIRECTORY_NUMBER, "e164", e164, "country", country, "sms",
			  is_japanese ? "false" : "true", "price_micro", "1150000", NULL);
}

static enum status import(struct world *world, unsigned first, unsigned count)
{
	struct directory_object **objects = calloc(count + 1, sizeof(*objects)); // taken over
	for (unsigned i = 0; i < count; i++)
		objects[i] = make_number(first + i);
	world->result = (struct bench_result){ 0 };
	store_import(world->pair.a.store, objects, count, bench_done, &world->result);
	CHECK_TRUE(bench_turn(world->pair.loop, bench_is_told, &world->result, 20000));
	return world->result.status;
}

static size_t search(const struct bench_node *node, const char *country, const char *pattern,
		     const struct directory_object **out_first)
{
	const struct directory_object *found[20];
	struct directory_stock_query query = { .country = text_of(country),
					       .pattern = text_of(pattern) };
	size_t total;
	unsigned count = directory_stock_search(node->directory, &query, found, 20, &total);
	*out_first = count > 0 ? found[0] : NULL;
	for (unsigned i = 1; i < count; i++)
		CHECK_TRUE(strcmp(directory_object_get(found[i - 1], "e164").data,
				  directory_object_get(found[i], "e164").data) < 0);
	return total;
}

// NUM-001, NUM-002: by country and by any digits.
static void a_hundred_thousand_numbers_are_imported_and_searched(void **state)
{
	struct world *world = *state;
	const struct directory_object *first;
	uint64_t before = now_ms();
	CHECK_OK(import(world, 0, MANY));
	print_message("imported in %llu ms\n", (unsigned long long)(now_ms() - before));
	wait_stock(world, &world->pair.a, MANY);
	wait_stock(world, &world->pair.b, MANY);
	print_message("seen by both nodes after %llu ms\n",
		      (unsigned long long)(now_ms() - before));
	uint64_t began_ns = clock_monotonic_ns();
	CHECK_NUMBER(search(&world->pair.b, "JP", "", &first), MANY / 10);
	CHECK_TEXT(directory_object_get(first, "e164"), "+815000000000");
	CHECK_NUMBER(search(&world->pair.b, "", "12*45", &first), 10);
	CHECK_NUMBER(search(&world->pair.b, "us", "+1415009999", &first), 9);
	CHECK_TEXT(directory_object_get(first, "e164"), "+14150099991");
	CHECK_NUMBER(search(&world->pair.b, "FR", "", &first), 0);
	uint64_t took_us = (clock_monotonic_ns() - began_ns) / 1000;
	print_message("four searches in %llu us\n", (unsigned long long)took_us);
	CHECK_TRUE(took_us < 400000);
}

static void an_import_with_a_taken_number_changes_nothing(void **state)
{
	struct world *world = *state;
	CHECK_OK(import(world, 100, 50));
	wait_stock(world, &world->pair.a, 50);
	CHECK_STATUS(import(world, 149, 20), ERR_CONFLICT);
	CHECK_NUMBER(directory_stock_count(world->pair.a.directory), 50);
	CHECK_STRING(world->result.problem.text,
		     "are there already: +14150000149; nothing was imported");
	CHECK_OK(import(world, 150, 1));
	wait_stock(world, &world->pair.a, 51);
	wait_stock(world, &world->pair.b, 51);
	CHECK_STATUS(import(world, 0, 0), ERR_LIMIT);
	// Taken in the second slice: what the first has written is taken back, to the last key.
	CHECK_STATUS(import(world, 10000, 0), ERR_LIMIT);
	CHECK_OK(import(world, 2000, 1));
	wait_stock(world, &world->pair.a, 52);
	CHECK_STATUS(import(world, 1400, 700), ERR_CONFLICT);
	CHECK_OK(import(world, 1400, 600));
	wait_stock(world, &world->pair.a, 652);
}

// The process died in the middle: nothing of it is seen, and the next import takes it back.
static void what_a_dead_import_left_is_taken_back(void **state)
{
	struct world *world = *state;
	bench_redis_do(&world->pair.redis, "hset 'trunkd:{directory}:object:"
					   "PN00000000000000000000000000000001' .uniques "
					   "number:e164::+14150000001 e164 +14150000001");
	bench_redis_do(&world->pair.redis,
		       "hset 'trunkd:{directory}:uniques' "
		       "number:e164::+14150000001 PN00000000000000000000000000000001");
	bench_redis_do(&world->pair.redis, "zadd 'trunkd:{directory}:staged' 0 "
					   "PN00000000000000000000000000000001");
	bench_redis_do(&world->pair.redis, "set 'trunkd:{directory}:import' dead px 300");
	CHECK_STATUS(import(world, 1, 2), ERR_BUSY);
	(void)bench_turn(world->pair.loop, bench_is_told, &(struct bench_result){ 0 }, 400);
	CHECK_OK(import(world, 1, 2));
	wait_stock(world, &world->pair.a, 2);
	wait_stock(world, &world->pair.b, 2);
}

static struct directory_object *buy(struct bench_node *node, const char *e164, const char *account)
{
	const struct directory_object *object =
		directory_find(node->directory, DIRECTORY_NUMBER, text_of(e164));
	assert_non_null(object);
	struct directory_object *copy = directory_object_copy(object);
	world_set(copy, "account", account);
	return copy;
}

// NUM-003: two nodes sell the same number at the same time; one of them is told that it is gone.
static void a_number_is_sold_once(void **state)
{
	struct world *world = *state;
	char accounts[2][35];
	struct bench_result results[2] = { 0 };
	for (unsigned i = 0; i < 2; i++) {
		CHECK_OK(bench_add(&world->pair.a,
				   world_make(DIRECTORY_ACCOUNT, "name", i ? "Beta" : "Acme", NULL),
				   &world->result));
		memcpy(accounts[i], world->result.sid, sizeof(accounts[i]));
	}
	CHECK_OK(import(world, 1, 2));
	wait_stock(world, &world->pair.a, 2);
	wait_stock(world, &world->pair.b, 2);
	store_change(world->pair.a.store, buy(&world->pair.a, "+14150000001", accounts[0]),
		     bench_done, &results[0]);
	store_change(world->pair.b.store, buy(&world->pair.b, "+14150000001", accounts[1]),
		     bench_done, &results[1]);
	CHECK_TRUE(bench_turn(world->pair.loop, bench_is_told, &results[0], 5000));
	CHECK_TRUE(bench_turn(world->pair.loop, bench_is_told, &results[1], 5000));
	CHECK_TRUE((results[0].status == OK) != (results[1].status == OK));
	wait_stock(world, &world->pair.a, 1);
	wait_stock(world, &world->pair.b, 1);
	unsigned winner = results[0].status == OK ? 0 : 1;
	CHECK_STATUS(results[1 - winner].status, ERR_CONFLICT);
	CHECK_STRING(directory_number(world->pair.b.directory, TEXT("+14150000001"))->account_sid,
		     accounts[winner]);
	CHECK_TRUE(directory_number(world->pair.b.directory, TEXT("+14150000002")) ==
		   NULL); // in stock
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_hundred_thousand_numbers_are_imported_and_searched),
		WORLD_TEST(an_import_with_a_taken_number_changes_nothing),
		WORLD_TEST(what_a_dead_import_left_is_taken_back),
		WORLD_TEST(a_number_is_sold_once),
	};
	log_set_level(LOG_ERROR);
	return RUN_TESTS(tests);
}
