// The store against a real Redis: two nodes see each other, races have one winner, Redis dies and
// comes back, and what it holds is not trusted.

#include "store/store.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "directory/relation.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"
#include "tests/unit/store/bench.h"

struct world {
	struct bench_pair pair;
	struct bench_result result;
	char account[35];
};

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	bench_pair_start(&world->pair);
	CHECK_OK(bench_add(&world->pair.a, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL),
			   &world->result));
	memcpy(world->account, world->result.sid, sizeof(world->account));
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

struct sought {
	const struct bench_node *node;
	const char *sid, *field, *value; // field NULL: gone
};

static bool is_found(void *context)
{
	const struct sought *sought = context;
	struct text sid = text_of(sought->sid);
	const struct directory_object *object =
		directory_find(sought->node->directory, directory_kind_of_sid(sid), sid);
	if (!sought->field)
		return !object;
	return object &&
	       text_is_equal(directory_object_get(object, sought->field), text_of(sought->value));
}

static void wait_for(struct world *world, struct bench_node *node, const char *sid,
		     const char *field, const char *value)
{
	struct sought sought = { node, sid, field, value };
	if (!bench_turn(world->pair.loop, is_found, &sought, 5000))
		fail_msg("%s of %s does not become %s", field ? field : "it", sid,
			 value ? value : "gone");
}

static struct directory_object *edit(struct bench_node *node, const char *sid)
{
	struct text word = text_of(sid);
	const struct directory_object *object =
		directory_find(node->directory, directory_kind_of_sid(word), word);
	assert_non_null(object);
	return directory_object_copy(object);
}

static struct directory_object *make_trunk(struct world *world, const char *domain)
{
	return world_make(DIRECTORY_TRUNK, "account", world->account, "domain", domain, NULL);
}

static void nodes_see_each_others_changes(void **state)
{
	struct world *world = *state;
	char trunk[35];
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "acme"), &world->result));
	memcpy(trunk, world->result.sid, sizeof(trunk));
	CHECK_STRING(directory_trunk_by_host(world->pair.a.directory, TEXT("acme.pstn.example.com"))
			     ->sid,
		     trunk);
	wait_for(world, &world->pair.b, trunk, "domain", "acme");
	struct directory_object *object = edit(&world->pair.b, trunk);
	world_set(object, "cps", "50");
	CHECK_OK(bench_change(&world->pair.b, object, &world->result));
	wait_for(world, &world->pair.a, trunk, "cps", "50");
	CHECK_OK(bench_remove(&world->pair.a, trunk, &world->result));
	wait_for(world, &world->pair.b, trunk, NULL, NULL);
	CHECK_NUMBER(counter_get(&store_counters(world->pair.a.store)->loads),
		     1); // by events alone
	CHECK_NUMBER(counter_get(&store_counters(world->pair.b.store)->loads), 1);
}

static void a_new_node_loads_what_is_there(void **state)
{
	struct world *world = *state;
	struct bench_node late;
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "acme"), &world->result));
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "b-acme"), &world->result));
	bench_node_join(&late, world->pair.loop, &world->pair.redis);
	CHECK_NUMBER(directory_count(late.directory, DIRECTORY_TRUNK), 2);
	CHECK_TEXT(directory_object_get(directory_next(late.directory, DIRECTORY_TRUNK, NULL),
					"domain"),
		   "acme"); // in the order in which they were added
	CHECK_NUMBER(late.last_seen, STORE_READY);
	bench_node_close(&late);
}

static bool are_both_told(void *context)
{
	const struct bench_result *results = context;
	return results[0].count + results[1].count == 2;
}

static void of_two_adds_of_one_domain_one_wins(void **state)
{
	struct world *world = *state;
	struct bench_result results[2] = { 0 };
	wait_for(world, &world->pair.b, world->account, "name", "Acme");
	store_add(world->pair.a.store, make_trunk(world, "race"), bench_done, &results[0]);
	store_add(world->pair.b.store, make_trunk(world, "race"), bench_done, &results[1]);
	CHECK_TRUE(bench_turn(world->pair.loop, are_both_told, results, 5000));
	unsigned loser = results[0].status == OK;
	CHECK_OK(results[1 - loser].status);
	CHECK_STATUS(results[loser].status, ERR_CONFLICT);
	CHECK_STRING(results[loser].problem.field, "domain");
	CHECK_TRUE(strstr(results[loser].problem.text, results[1 - loser].sid));
	struct bench_node *node = loser == 0 ? &world->pair.a : &world->pair.b;
	wait_for(world, node, results[1 - loser].sid, "domain", "race");
	CHECK_NUMBER(directory_count(node->directory, DIRECTORY_TRUNK), 1);
}

static void of_two_editors_the_second_is_told(void **state)
{
	struct world *world = *state;
	struct bench_result results[2] = { 0 };
	wait_for(world, &world->pair.b, world->account, "name", "Acme");
	struct directory_object *first = edit(&world->pair.a, world->account);
	struct directory_object *second = edit(&world->pair.b, world->account);
	world_set(first, "name", "First");
	world_set(second, "name", "Second");
	store_change(world->pair.a.store, first, bench_done, &results[0]);
	store_change(world->pair.b.store, second, bench_done, &results[1]);
	CHECK_TRUE(bench_turn(world->pair.loop, are_both_told, results, 5000));
	unsigned loser = results[0].status == OK;
	CHECK_STATUS(results[loser].status, ERR_CONFLICT);
	CHECK_STRING(results[loser].problem.field, "version");
	CHECK_TRUE(strstr(results[loser].problem.text, "look at it again"));
	// The name that lost is free, the one that was replaced too: where that is known by now.
	wait_for(world, &world->pair.a, world->account, "name", loser == 0 ? "Second" : "First");
	CHECK_OK(bench_add(
		&world->pair.a,
		world_make(DIRECTORY_ACCOUNT, "name", loser == 0 ? "First" : "Second", NULL),
		&world->result));
	CHECK_OK(bench_add(&world->pair.a, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL),
			   &world->result));
}

static void a_removed_trunk_gives_its_numbers_free(void **state)
{
	struct world *world = *state;
	char trunk[35], number[35];
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "acme"), &world->result));
	memcpy(trunk, world->result.sid, sizeof(trunk));
	CHECK_OK(bench_add(&world->pair.a,
			   world_make(DIRECTORY_NUMBER, "account", world->account, "e164",
				      "+14155550100", "trunk", trunk, NULL),
			   &world->result));
	memcpy(number, world->result.sid, sizeof(number));
	CHECK_STATUS(bench_remove(&world->pair.a, world->account, &world->result), ERR_CONFLICT);
	CHECK_OK(bench_remove(&world->pair.a, trunk, &world->result));
	// Kept, on the account, on no trunk (TRUNK-009), in this mirror already when it is told.
	const struct number *kept = directory_number(world->pair.a.directory, TEXT("+14155550100"));
	CHECK_STRING(kept->account_sid, world->account);
	CHECK_STRING(kept->trunk_sid, "");
	wait_for(world, &world->pair.b, trunk, NULL, NULL);
	CHECK_STRING(directory_number(world->pair.b.directory, TEXT("+14155550100"))->trunk_sid,
		     "");
	CHECK_OK(bench_remove(&world->pair.b, number, &world->result));
	CHECK_OK(bench_remove(&world->pair.b, world->account, &world->result));
	wait_for(world, &world->pair.a, world->account, NULL, NULL);
	CHECK_STATUS(bench_remove(&world->pair.a, trunk, &world->result), ERR_NOT_FOUND);
}

// What each mirror allows, but both together would break, the script refuses.
static void races_between_nodes_keep_the_rules(void **state)
{
	struct world *world = *state;
	struct bench_result results[2] = { 0 };
	char parent[35];
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "acme"), &world->result));
	memcpy(parent, world->result.sid, sizeof(parent));
	wait_for(world, &world->pair.b, parent, "domain", "acme");
	store_remove(world->pair.a.store, parent, bench_done, &results[0]);
	store_add(world->pair.b.store, make_trunk(world, "sub.acme"), bench_done, &results[1]);
	CHECK_TRUE(bench_turn(world->pair.loop, are_both_told, results, 5000));
	CHECK_TRUE((results[0].status == OK) != (results[1].status == OK));
	CHECK_STATUS(results[results[0].status == OK].status, ERR_CONFLICT);

	struct bench_result next[2] = { 0 };
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "other"), &world->result));
	memcpy(parent, world->result.sid, sizeof(parent));
	wait_for(world, &world->pair.b, parent, "domain", "other");
	struct directory_object *renamed = edit(&world->pair.a, parent);
	world_set(renamed, "domain", "another");
	store_change(world->pair.a.store, renamed, bench_done, &next[0]);
	store_add(world->pair.b.store, make_trunk(world, "sub.other"), bench_done, &next[1]);
	CHECK_TRUE(bench_turn(world->pair.loop, are_both_told, next, 5000));
	CHECK_TRUE((next[0].status == OK) != (next[1].status == OK));
}

static void refusals_by_the_mirror_come_through_the_loop(void **state)
{
	struct world *world = *state;
	CHECK_STATUS(bench_add(&world->pair.a, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL),
			       &world->result),
		     ERR_CONFLICT);
	CHECK_STRING(world->result.problem.field, "name");
	CHECK_STATUS(bench_remove(&world->pair.a, "nonsense", &world->result), ERR_NOT_FOUND);
	CHECK_NUMBER(counter_get(&store_counters(world->pair.a.store)->refused), 2);
}

static void redis_dies_and_comes_back(void **state)
{
	struct world *world = *state;
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "acme"), &world->result));
	bench_redis_kill(&world->pair.redis);
	CHECK_TRUE(bench_wait_state(&world->pair.a, STORE_AWAY, 5000));
	CHECK_NUMBER(world->pair.a.last_seen, STORE_AWAY);
	CHECK_TRUE(directory_trunk_by_host(world->pair.a.directory, TEXT("acme.pstn.example.com")));
	CHECK_STATUS(bench_add(&world->pair.a, make_trunk(world, "new"), &world->result),
		     ERR_UNAVAILABLE);
	CHECK_TRUE(strstr(world->result.problem.text, "away since 20"));
	CHECK_TRUE(strstr(world->result.problem.text, "calls go on"));
	usleep(100000); // a few attempts in vain
	bench_redis_launch(&world->pair.redis, NULL);
	CHECK_TRUE(bench_wait_state(&world->pair.a, STORE_READY, 10000));
	CHECK_TRUE(bench_wait_state(&world->pair.b, STORE_READY, 10000));
	CHECK_TRUE(directory_trunk_by_host(world->pair.a.directory, TEXT("acme.pstn.example.com")));
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "new"), &world->result));
	wait_for(world, &world->pair.b, world->result.sid, "domain", "new");
}

static void what_vanished_meanwhile_is_dropped(void **state)
{
	struct world *world = *state;
	bench_redis_do(&world->pair.redis, "config set appendonly no");
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "lost"), &world->result));
	bench_redis_kill(&world->pair.redis);
	CHECK_TRUE(bench_wait_state(&world->pair.a, STORE_AWAY, 5000));
	bench_redis_launch(&world->pair.redis, NULL);
	CHECK_TRUE(bench_wait_state(&world->pair.a, STORE_READY, 10000));
	CHECK_TRUE(
		!directory_trunk_by_host(world->pair.a.directory, TEXT("lost.pstn.example.com")));
	CHECK_NUMBER(directory_count(world->pair.a.directory, DIRECTORY_ACCOUNT), 1);
}

static void a_lost_event_is_made_good(void **state)
{
	struct world *world = *state;
	// Two changes of which the first was published to nobody: a gap.
	bench_redis_do(&world->pair.redis, "incr 'trunkd:{directory}:version'");
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "acme"), &world->result));
	wait_for(world, &world->pair.b, world->result.sid, "domain", "acme");
	CHECK_TRUE(counter_get(&store_counters(world->pair.b.store)->loads) >= 2);
	// A Redis that was emptied under a living connection is noticed by the beat.
	bench_redis_do(&world->pair.redis, "flushall");
	wait_for(world, &world->pair.b, world->account, NULL, NULL);
	CHECK_NUMBER(directory_count(world->pair.b.directory, DIRECTORY_TRUNK), 0);
}

static bool is_told_once(void *context)
{
	return ((struct bench_result *)context)->count == 1;
}

static void a_redis_that_hangs_counts_as_lost(void **state)
{
	struct world *world = *state;
	struct bench_result result = { 0 };
	kill(world->pair.redis.pid, SIGSTOP);
	store_add(world->pair.a.store, make_trunk(world, "acme"), bench_done, &result);
	CHECK_TRUE(bench_wait_state(&world->pair.a, STORE_AWAY, 4000));
	CHECK_TRUE(bench_turn(world->pair.loop, is_told_once, &result, 1000));
	CHECK_STATUS(result.status, ERR_UNAVAILABLE);
	CHECK_TRUE(strstr(result.problem.text, "may or may not"));
	kill(world->pair.redis.pid, SIGCONT);
	CHECK_TRUE(bench_wait_state(&world->pair.a, STORE_READY, 10000));
	wait_for(world, &world->pair.a, result.sid, "domain", "acme"); // it was made after all
}

static void what_is_not_valid_is_skipped(void **state)
{
	struct world *world = *state;
	static const char *const commands[] = {
		// no version; a bad value; no known kind; another type of key; a required field missing
		"hset 'trunkd:{directory}:object:TK00000000000000000000000000000001' domain x",
		"hset 'trunkd:{directory}:object:TK00000000000000000000000000000002' .version 9 "
		"domain _",
		"zadd 'trunkd:{directory}:objects' 1 ZZ00000000000000000000000000000001",
		"set 'trunkd:{directory}:object:TK00000000000000000000000000000003' x",
		"hset 'trunkd:{directory}:object:TK00000000000000000000000000000004' .version 9",
		"zadd 'trunkd:{directory}:objects' 1 TK00000000000000000000000000000001 "
		"2 TK00000000000000000000000000000002 3 TK00000000000000000000000000000003 "
		"4 TK00000000000000000000000000000004 5 TK00000000000000000000000000000005",
		"hset 'trunkd:{directory}:object:CG00000000000000000000000000000001' .version 9 "
		"name c address 192.0.2.1 colour blue", // of a later version of the program
		"zadd 'trunkd:{directory}:objects' 6 CG00000000000000000000000000000001",
		"publish 'trunkd:{directory}:changes' 'x y z'",
		"publish 'trunkd:{directory}:changes' ''",
	};
	struct bench_node late;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		bench_redis_do(&world->pair.redis, commands[i]);
	bench_node_join(&late, world->pair.loop, &world->pair.redis);
	CHECK_NUMBER(counter_get(&store_counters(late.store)->skipped), 5);
	CHECK_NUMBER(directory_count(late.directory, DIRECTORY_TRUNK), 0);
	CHECK_NUMBER(directory_count(late.directory, DIRECTORY_CARRIER), 1);
	// What is unknown here is not lost by a change made here.
	struct directory_object *carrier = edit(&late, "CG00000000000000000000000000000001");
	world_set(carrier, "weight", "3");
	CHECK_OK(bench_change(&late, carrier, &world->result));
	bench_redis_do(&world->pair.redis,
		       "hget 'trunkd:{directory}:object:CG00000000000000000000000000000001' colour "
		       "| grep -q blue && redis-cli -v");
	bench_node_close(&late);
}

static void the_password_is_read_from_its_file(void **state)
{
	(void)state;
	struct event_base *loop = event_base_new();
	struct bench_redis redis;
	struct bench_node node;
	char path[96];
	bench_redis_start(&redis, "not-so-secret");
	(void)snprintf(path, sizeof(path), "%s/password", redis.directory);
	struct store_options options = { .url = redis.url, .password_file = path };
	bench_node_open(&node, loop);
	CHECK_STATUS(bench_node_start(&node, &options), ERR_SYSTEM); // no such file
	FILE *file = fopen(path, "w");
	CHECK_TRUE(fputs("wrong\n", file) >= 0 && fclose(file) == 0);
	CHECK_OK(bench_node_start(&node, &options));
	CHECK_FALSE(bench_wait_state(&node, STORE_READY, 300));
	store_stop(node.store);
	file = fopen(path, "w");
	CHECK_TRUE(fputs("not-so-secret\n", file) >= 0 && fclose(file) == 0);
	CHECK_OK(bench_node_start(&node, &options));
	CHECK_TRUE(bench_wait_state(&node, STORE_READY, 5000));
	bench_node_close(&node);
	bench_redis_stop(&redis);
	event_base_free(loop);
}

struct many {
	unsigned wanted, told, failed;
};

static void count_done(void *context, enum status status, const struct directory_problem *problem,
		       const char *sid)
{
	(void)problem, (void)sid;
	struct many *many = context;
	many->told++;
	many->failed += status != OK;
}

static bool is_all_told(void *context)
{
	const struct many *many = context;
	return many->told == many->wanted;
}

// Those that are not there yet; how many failed.
static unsigned add_missing(struct world *world, unsigned from, unsigned count)
{
	struct many many = { 0 };
	for (unsigned i = 0; i < count; i++) {
		char domain[32];
		(void)snprintf(domain, sizeof(domain), "t%u", from + i);
		if (directory_relation_owner(world->pair.a.directory, text_of(domain)) != NULL)
			continue;
		many.wanted++;
		store_add(world->pair.a.store, make_trunk(world, domain), count_done, &many);
	}
	CHECK_TRUE(bench_turn(world->pair.loop, is_all_told, &many, 30000));
	return many.failed;
}

// A machine that stalls for seconds makes commands miss their deadline, done or not: what is missing
// then is added again.
static void add_many(struct world *world, unsigned from, unsigned count)
{
	unsigned tries = 1;
	while (add_missing(world, from, count) > 0) {
		CHECK_TRUE(tries++ < 10);
		CHECK_TRUE(bench_wait_state(&world->pair.a, STORE_READY, 20000));
	}
}

#define MANY 10000
#define BATCH 50 // few enough that a busy machine answers each within its deadline

static bool is_loaded_again(void *context)
{
	const struct bench_node *node = context;
	return counter_get(&store_counters(node->store)->loads) > 1;
}

static const char *sid_of(struct world *world, const char *domain)
{
	const struct directory_object *object =
		directory_find(world->pair.a.directory, DIRECTORY_TRUNK, text_of(domain));
	assert_non_null(object);
	return object->sid;
}

// An addition, a change and a removal while another node is loading: it ends with all three.
static void change_during_a_load(struct world *world, const struct store_options *options)
{
	struct bench_node late;
	char removed[35], changed[35], added[35];
	memcpy(removed, sid_of(world, "t3"), sizeof(removed));
	memcpy(changed, sid_of(world, "t9998"), sizeof(changed));
	bench_node_open(&late, world->pair.loop);
	CHECK_OK(bench_node_start(&late, options));
	for (unsigned i = 0; i < 30; i++)
		(void)event_base_loop(world->pair.loop, EVLOOP_ONCE);
	CHECK_NUMBER(store_state(late.store), STORE_STARTING);
	CHECK_OK(bench_add(&world->pair.a, make_trunk(world, "t-during"), &world->result));
	memcpy(added, world->result.sid, sizeof(added));
	struct directory_object *object = edit(&world->pair.a, changed);
	world_set(object, "cps", "77");
	CHECK_OK(bench_change(&world->pair.a, object, &world->result));
	CHECK_OK(bench_remove(&world->pair.a, removed, &world->result));
	CHECK_TRUE(bench_wait_state(&late, STORE_READY, 10000));
	wait_for(world, &late, added, "domain", "t-during");
	wait_for(world, &late, changed, "cps", "77");
	wait_for(world, &late, removed, NULL, NULL);
	CHECK_NUMBER(directory_count(late.directory, DIRECTORY_TRUNK), MANY);
	bench_node_close(&late);
}

static void ten_thousand_trunks_load_and_a_kill_meanwhile_is_survived(void **state)
{
	struct world *world = *state;
	struct bench_node late;
	for (unsigned i = 0; i < MANY; i += BATCH)
		add_many(world, i, BATCH);
	uint64_t before = clock_monotonic_ns();
	bench_node_join(&late, world->pair.loop, &world->pair.redis);
	print_message("loaded %u trunks in %llu ms\n", MANY,
		      (unsigned long long)(clock_monotonic_ns() - before) / 1000000);
	CHECK_NUMBER(directory_count(late.directory, DIRECTORY_TRUNK), MANY);
	bench_node_close(&late);

	struct store_options options = { .url = world->pair.redis.url };
	change_during_a_load(world, &options);
	bench_node_open(&late, world->pair.loop);
	CHECK_OK(bench_node_start(&late, &options));
	for (unsigned i = 0; i < 30; i++) // well into the load
		(void)event_base_loop(world->pair.loop, EVLOOP_ONCE);
	CHECK_NUMBER(store_state(late.store), STORE_STARTING);
	bench_redis_kill(&world->pair.redis);
	CHECK_FALSE(bench_wait_state(&late, STORE_READY, 200));
	CHECK_NUMBER(directory_count(late.directory, DIRECTORY_TRUNK), 0);
	bench_redis_launch(&world->pair.redis, NULL);
	CHECK_TRUE(bench_wait_state(&late, STORE_READY, 20000));
	CHECK_NUMBER(directory_count(late.directory, DIRECTORY_TRUNK), MANY);
	bench_redis_do(&world->pair.redis,
		       "incr 'trunkd:{directory}:version'"); // a gap: load it all again
	CHECK_OK(bench_add(&late, make_trunk(world, "again"), &world->result));
	CHECK_TRUE(bench_turn(world->pair.loop, is_loaded_again, &late, 10000));
	CHECK_NUMBER(directory_count(late.directory, DIRECTORY_TRUNK), MANY + 1);
	bench_node_close(&late);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(nodes_see_each_others_changes),
		WORLD_TEST(a_new_node_loads_what_is_there),
		WORLD_TEST(of_two_adds_of_one_domain_one_wins),
		WORLD_TEST(of_two_editors_the_second_is_told),
		WORLD_TEST(a_removed_trunk_gives_its_numbers_free),
		WORLD_TEST(races_between_nodes_keep_the_rules),
		WORLD_TEST(refusals_by_the_mirror_come_through_the_loop),
		WORLD_TEST(redis_dies_and_comes_back),
		WORLD_TEST(what_vanished_meanwhile_is_dropped),
		WORLD_TEST(a_lost_event_is_made_good),
		WORLD_TEST(a_redis_that_hangs_counts_as_lost),
		WORLD_TEST(what_is_not_valid_is_skipped),
		TEST(the_password_is_read_from_its_file),
		WORLD_TEST(ten_thousand_trunks_load_and_a_kill_meanwhile_is_survived),
	};
	log_set_level(LOG_ERROR);
	return RUN_TESTS(tests);
}
