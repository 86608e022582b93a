// What earlier versions of the program left in Redis is read as they meant it.

#include "store/store.h"

#include <event2/event.h>
#include <stdio.h>

#include "base/log.h"
#include "directory/directory.h"
#include "tests/check.h"
#include "tests/unit/store/bench.h"

#define KEY(of) "'trunkd:{directory}:" of "'"
#define SUSPENDED "AC00000000000000000000000000000001"
#define ACTIVE "AC00000000000000000000000000000002"
#define CARRIER "CG00000000000000000000000000000003"
#define NUMBER "PN00000000000000000000000000000004"

// As the first version wrote it: accounts have `enabled`, carriers an address and nothing of
// transports, numbers nothing of a stock.
static const char *const SNAPSHOT[] = {
	"hset " KEY("object:" SUSPENDED) " .kind account .version 1 .uniques 'account:name::Old' "
					 ".references '' name Old enabled false",
	"hset " KEY("object:" ACTIVE) " .kind account .version 2 .uniques 'account:name::Good' "
				      ".references '' name Good enabled true",
	"hset " KEY("object:" CARRIER) " .kind carrier .version 3 .uniques 'carrier:name::c' "
				       ".references '' name c address 192.0.2.1:5060 priority 1 "
				       "weight 10 enabled true",
	"hset " KEY("object:" NUMBER) " .kind number .version 4 .uniques "
				      "'number:e164::+14155550100' .references " ACTIVE
				      " account " ACTIVE " e164 +14155550100",
	"hset " KEY("uniques") " account:name::Old " SUSPENDED " account:name::Good " ACTIVE
			       " carrier:name::c " CARRIER " number:e164::+14155550100 " NUMBER,
	"sadd " KEY("referrers:" ACTIVE) " " NUMBER,
	"zadd " KEY("objects") " 1 " SUSPENDED " 2 " ACTIVE " 3 " CARRIER " 4 " NUMBER,
	"set " KEY("version") " 4",
};

struct world {
	struct event_base *loop;
	struct bench_redis redis;
	struct bench_node node;
	struct bench_result result;
};

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	world->loop = event_base_new();
	bench_redis_start(&world->redis, NULL);
	for (size_t i = 0; i < sizeof(SNAPSHOT) / sizeof(SNAPSHOT[0]); i++)
		bench_redis_do(&world->redis, SNAPSHOT[i]);
	bench_node_join(&world->node, world->loop, &world->redis);
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	bench_node_close(&world->node);
	bench_redis_stop(&world->redis);
	event_base_free(world->loop);
	test_free(world);
	return 0;
}

static const struct directory_object *find(const struct world *world, const char *sid)
{
	const struct directory_object *object = directory_find(
		world->node.directory, directory_kind_of_sid(text_of(sid)), text_of(sid));
	assert_non_null(object);
	return object;
}

static enum status set_status(struct world *world, const char *sid, const char *value)
{
	struct directory_object *object = directory_object_copy(find(world, sid));
	CHECK_OK(directory_object_set(object, TEXT("status"), text_of(value), NULL));
	return bench_change(&world->node, object, &world->result);
}

static void read_again(struct world *world)
{
	bench_node_close(&world->node);
	bench_node_join(&world->node, world->loop, &world->redis);
}

static void an_old_snapshot_is_read_whole(void **state)
{
	struct world *world = *state;
	CHECK_NUMBER(counter_get(&store_counters(world->node.store)->skipped), 0);
	CHECK_TEXT(directory_object_get(find(world, SUSPENDED), "status"), "suspended");
	CHECK_TEXT(directory_object_get(find(world, ACTIVE), "status"), "active");
	CHECK_TEXT(directory_object_get(find(world, CARRIER), "transport"), "auto");
	CHECK_STRING(directory_number(world->node.directory, TEXT("+14155550100"))->account_sid,
		     ACTIVE);
}

static void a_change_leaves_nothing_of_the_old_field(void **state)
{
	struct world *world = *state;
	CHECK_OK(set_status(world, SUSPENDED, "active"));
	read_again(world);
	CHECK_TEXT(directory_object_get(find(world, SUSPENDED), "status"), "active");
	CHECK_OK(set_status(world, ACTIVE, "suspended"));
	read_again(world);
	CHECK_TEXT(directory_object_get(find(world, ACTIVE), "status"), "suspended");
	bench_redis_do(&world->redis,
		       "hexists " KEY("object:" SUSPENDED) " enabled | grep -qx 0 && redis-cli -v");
}

// While nodes of both versions run, the old one writes its field with whatever it changes.
static void of_two_fields_the_one_that_forbids_counts(void **state)
{
	struct world *world = *state;
	CHECK_OK(set_status(world, SUSPENDED, "suspended"));
	bench_redis_do(&world->redis, "hset " KEY("object:" SUSPENDED) " enabled true");
	bench_redis_do(&world->redis, "hset " KEY("object:" ACTIVE) " enabled false status active");
	read_again(world);
	CHECK_TEXT(directory_object_get(find(world, SUSPENDED), "status"), "suspended");
	CHECK_TEXT(directory_object_get(find(world, ACTIVE), "status"), "suspended");
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_old_snapshot_is_read_whole),
		WORLD_TEST(a_change_leaves_nothing_of_the_old_field),
		WORLD_TEST(of_two_fields_the_one_that_forbids_counts),
	};
	log_set_level(LOG_ERROR);
	return RUN_TESTS(tests);
}
