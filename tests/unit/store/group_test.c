// Several objects at once: every node sees all of them, or none is there, whoever else is at it.

#include "store/store.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tests/check.h"
#include "tests/unit/directory/world.h"
#include "tests/unit/store/bench.h"

struct world {
	struct bench_pair pair;
	char account[35];
};

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	struct bench_result result;
	bench_pair_start(&world->pair);
	CHECK_OK(bench_add(&world->pair.a, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL),
			   &result));
	memcpy(world->account, result.sid, sizeof(world->account));
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

#define GROUP 4

// A list, two addresses in it, and a trunk that has it.
static void make_group(struct world *world, const char *domain, const char *second,
		       struct directory_object *out_objects[GROUP])
{
	out_objects[0] =
		world_make(DIRECTORY_ACL, "account", world->account, "name", "office", NULL);
	out_objects[1] = world_make(DIRECTORY_ACL_ADDRESS, "acl", out_objects[0]->sid, "address",
				    "192.0.2.7", NULL);
	out_objects[2] = world_make(DIRECTORY_ACL_ADDRESS, "acl", out_objects[0]->sid, "address",
				    second, NULL);
	out_objects[3] = world_make(DIRECTORY_TRUNK, "account", world->account, "domain", domain,
				    "acls", out_objects[0]->sid, NULL);
}

static bool are_all_there(void *context)
{
	const struct bench_node *node = context;
	return directory_count(node->directory, DIRECTORY_TRUNK) == 1 &&
	       directory_count(node->directory, DIRECTORY_ACL) == 1 &&
	       directory_count(node->directory, DIRECTORY_ACL_ADDRESS) == 2;
}

static bool has_account(void *context)
{
	const struct bench_node *node = context;
	return directory_count(node->directory, DIRECTORY_ACCOUNT) == 1;
}

// AUTH-018: and a change of what is there already may be among them.
static void all_of_a_group_appear_at_each_node(void **state)
{
	struct world *world = *state;
	struct bench_result result = { 0 };
	struct directory_object *objects[GROUP];
	make_group(world, "acme", "198.51.100.0/24", objects);
	store_write(world->pair.a.store, objects, GROUP, bench_done, &result);
	CHECK_TRUE(bench_turn(world->pair.loop, bench_is_told, &result, 10000));
	CHECK_OK(result.status);
	CHECK_TRUE(are_all_there(&world->pair.a));
	CHECK_TRUE(bench_turn(world->pair.loop, are_all_there, &world->pair.b, 10000));
	struct text sid = text_of(result.sid);
	const struct directory_object *trunk =
		directory_find(world->pair.b.directory, DIRECTORY_TRUNK, sid);
	assert_non_null(trunk); // the last one is told of
	char kept[35];
	memcpy(kept, trunk->sid, sizeof(kept));
	objects[0] = world_make(DIRECTORY_CREDENTIAL_LIST, "account", world->account, "name",
				"users", NULL);
	objects[1] = directory_object_copy(trunk);
	world_set(objects[1], "credential_lists", objects[0]->sid);
	result = (struct bench_result){ 0 };
	store_write(world->pair.b.store, objects, 2, bench_done, &result);
	CHECK_TRUE(bench_turn(world->pair.loop, bench_is_told, &result, 10000));
	CHECK_OK(result.status);
	CHECK_STRING(result.sid, kept);
}

static void refused(struct world *world, struct directory_object *const *objects, const char *field)
{
	struct bench_result result = { 0 };
	store_write(world->pair.b.store, objects, GROUP, bench_done, &result);
	CHECK_TRUE(bench_turn(world->pair.loop, bench_is_told, &result, 10000));
	CHECK_STATUS(result.status, ERR_CONFLICT);
	CHECK_STRING(result.problem.field, field);
	CHECK_NUMBER(directory_count(world->pair.b.directory, DIRECTORY_ACL), 0);
	CHECK_NUMBER(directory_count(world->pair.b.directory, DIRECTORY_ACL_ADDRESS), 0);
}

// One address twice in the new list: the mirror's check sees that.
static void of_a_group_with_a_fault_nothing_is_there(void **state)
{
	struct world *world = *state;
	struct directory_object *objects[GROUP];
	CHECK_TRUE(bench_turn(world->pair.loop, has_account, &world->pair.b, 10000));
	make_group(world, "acme", "192.0.2.7", objects);
	refused(world, objects, "address");
}

static bool are_both_told(void *context)
{
	const struct bench_result *results = context;
	return results[0].count + results[1].count == 2;
}

// Another node takes the domain at that moment: the script in Redis sees that, in the last of the group.
static void of_a_group_that_comes_too_late_nothing_is_there(void **state)
{
	struct world *world = *state;
	struct bench_result results[2] = { 0 };
	struct directory_object *objects[GROUP];
	CHECK_TRUE(bench_turn(world->pair.loop, has_account, &world->pair.b, 10000));
	make_group(world, "race", "192.0.2.8", objects);
	store_add(world->pair.a.store,
		  world_make(DIRECTORY_TRUNK, "account", world->account, "domain", "race", NULL),
		  bench_done, &results[0]);
	store_write(world->pair.b.store, objects, GROUP, bench_done, &results[1]);
	CHECK_TRUE(bench_turn(world->pair.loop, are_both_told, results, 10000));
	assert_int_not_equal(results[0].status, results[1].status); // one of them, and one only
	if (results[1].status != OK) {
		CHECK_STATUS(results[1].status, ERR_CONFLICT);
		CHECK_STRING(results[1].problem.field, "domain");
		CHECK_NUMBER(directory_count(world->pair.b.directory, DIRECTORY_ACL), 0);
		CHECK_NUMBER(directory_count(world->pair.b.directory, DIRECTORY_ACL_ADDRESS), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
		WORLD_TEST(all_of_a_group_appear_at_each_node),
		WORLD_TEST(of_a_group_with_a_fault_nothing_is_there),
		WORLD_TEST(of_a_group_that_comes_too_late_nothing_is_there),
	};
	log_set_level(LOG_ERROR);
	return RUN_TESTS(tests);
}
