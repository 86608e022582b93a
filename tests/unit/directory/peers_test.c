// The index of provisioned addresses: found by any prefix that holds them, through changes and
// removals, and whose they are.

#include "tests/unit/directory/world.h"

#include <string.h>

#include "tests/check.h"

struct world {
	struct directory *directory;
	char account[35], acl[35], trunk[35];
};

static int start(void **state)
{
	static struct world world;
	world.directory = directory_create(TEXT(WORLD_BASE));
	world_add(world.directory, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL),
		  world.account);
	world_add(world.directory,
		  world_make(DIRECTORY_ACL, "account", world.account, "name", "office", NULL),
		  world.acl);
	world_add(world.directory,
		  world_make(DIRECTORY_TRUNK, "account", world.account, "domain", "acme", "acls",
			     world.acl, NULL),
		  world.trunk);
	*state = &world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	directory_destroy(world->directory);
	return 0;
}

static void list(struct world *world, const char *prefix, char sid[35])
{
	world_add(world->directory,
		  world_make(DIRECTORY_ACL_ADDRESS, "acl", world->acl, "address", prefix, NULL),
		  sid);
}

static bool knows(const struct world *world, const char *address)
{
	struct address parsed = world_address(address);
	return directory_knows_address(world->directory, &parsed);
}

static void an_address_is_known_by_any_prefix_that_holds_it(void **state)
{
	struct world *world = *state;
	char sid[35];
	CHECK_FALSE(knows(world, "192.0.2.5"));
	list(world, "192.0.2.0/28", sid);
	list(world, "198.51.100.7", sid);
	list(world, "203.0.113.0/25", sid);
	list(world, "2001:db8:5::/48", sid);
	CHECK_TRUE(knows(world, "192.0.2.0") && knows(world, "192.0.2.15"));
	CHECK_FALSE(knows(world, "192.0.2.16"));
	CHECK_TRUE(knows(world, "198.51.100.7:5060"));
	CHECK_FALSE(knows(world, "198.51.100.6"));
	CHECK_TRUE(knows(world, "203.0.113.0") && knows(world, "203.0.113.127"));
	CHECK_FALSE(knows(world, "203.0.113.128"));
	CHECK_TRUE(knows(world, "2001:db8:5:ffff::1"));
	CHECK_FALSE(knows(world, "2001:db8:6::1"));
}

static void a_very_wide_prefix_makes_nobody_known(void **state)
{
	struct world *world = *state;
	char sid[35];
	list(world, "0.0.0.0/0", sid);
	list(world, "::/0", sid);
	list(world, "10.0.0.0/15", sid);
	CHECK_FALSE(knows(world, "192.0.2.5") || knows(world, "10.0.0.1"));
	CHECK_FALSE(knows(world, "2001:db8::1"));
	list(world, "10.2.0.0/16", sid);
	CHECK_TRUE(knows(world, "10.2.0.1"));
}

static void what_is_removed_or_changed_is_forgotten(void **state)
{
	struct world *world = *state;
	char one[35], two[35];
	list(world, "192.0.2.0/28", one);
	list(world, "192.0.2.5", two);
	directory_drop(world->directory, one);
	CHECK_TRUE(knows(world, "192.0.2.5"));
	CHECK_FALSE(knows(world, "192.0.2.6"));
	struct directory_object *object = directory_object_copy(
		directory_find(world->directory, DIRECTORY_ACL_ADDRESS, text_of(two)));
	world_set(object, "address", "192.0.2.6");
	CHECK_OK(directory_put(world->directory, object));
	CHECK_TRUE(knows(world, "192.0.2.6"));
	CHECK_FALSE(knows(world, "192.0.2.5"));
	directory_empty(world->directory);
	CHECK_FALSE(knows(world, "192.0.2.6"));
}

static void the_same_address_in_two_lists_is_known_while_one_has_it(void **state)
{
	struct world *world = *state;
	char other[35], one[35], two[35];
	world_add(world->directory,
		  world_make(DIRECTORY_ACL, "account", world->account, "name", "home", NULL),
		  other);
	list(world, "192.0.2.5", one);
	world_add(world->directory,
		  world_make(DIRECTORY_ACL_ADDRESS, "acl", other, "address", "192.0.2.5", NULL),
		  two);
	directory_drop(world->directory, one);
	CHECK_TRUE(knows(world, "192.0.2.5"));
	directory_drop(world->directory, two);
	CHECK_FALSE(knows(world, "192.0.2.5"));
}

static void carriers_are_known_and_have_no_trunk(void **state)
{
	struct world *world = *state;
	struct address address = world_address("198.51.100.1");
	char sid[35];
	world_add(
		world->directory,
		world_make(DIRECTORY_CARRIER, "name", "one", "address", "198.51.100.1:5080", NULL),
		sid);
	CHECK_TRUE(knows(world, "198.51.100.1"));
	assert_null(directory_trunk_by_address(world->directory, &address));
}

static void an_address_leads_to_its_trunk(void **state)
{
	struct world *world = *state;
	struct address address = world_address("192.0.2.5:5060");
	char sid[35];
	assert_null(directory_trunk_by_address(world->directory, &address));
	list(world, "192.0.0.0/8", sid); // also where the prefix is wide
	const struct trunk *trunk = directory_trunk_by_address(world->directory, &address);
	assert_non_null(trunk);
	CHECK_STRING(trunk->sid, world->trunk);
}

#define PEERS_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PEERS_TEST(an_address_is_known_by_any_prefix_that_holds_it),
		PEERS_TEST(a_very_wide_prefix_makes_nobody_known),
		PEERS_TEST(what_is_removed_or_changed_is_forgotten),
		PEERS_TEST(the_same_address_in_two_lists_is_known_while_one_has_it),
		PEERS_TEST(carriers_are_known_and_have_no_trunk),
		PEERS_TEST(an_address_leads_to_its_trunk),
	};
	return RUN_TESTS(tests);
}
