// What calls look up by, beside the naive walk: addresses in lists of many lengths, numbers, and what
// a trunk leads to, through thousands of additions, changes and removals.

#include "directory/index/index.h"
#include "directory/index/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/unit/directory/world.h"

#define LISTS 5
#define ENTRIES 400
#define STEPS 6000

struct entry {
	char sid[35]; // "": none
	unsigned list;
	struct prefix prefix;
};

struct world {
	struct directory *directory;
	char account[35], lists[LISTS][35], trunks[LISTS + 1][35]; // the last has all lists
	struct entry entries[ENTRIES];
	uint32_t order;
};

static uint32_t below(struct world *world, uint32_t bound)
{
	world->order = world->order * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)world->order * bound >> 32);
}

static void add_trunk(struct world *world, unsigned nth, const char *acls)
{
	char domain[16];
	(void)snprintf(domain, sizeof(domain), "pbx-%u", nth);
	world_add(world->directory,
		  world_make(DIRECTORY_TRUNK, "account", world->account, "domain", domain, "acls",
			     acls, NULL),
		  world->trunks[nth]);
}

static int start(void **state)
{
	static struct world world;
	char all[LISTS * 36] = "";
	world = (struct world){ .directory = directory_create(TEXT(WORLD_BASE)), .order = 7 };
	world_add(world.directory, world_make(DIRECTORY_ACCOUNT, "name", "Acme", NULL),
		  world.account);
	for (unsigned i = 0; i < LISTS; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "list %u", i);
		world_add(world.directory,
			  world_make(DIRECTORY_ACL, "account", world.account, "name", name, NULL),
			  world.lists[i]);
		add_trunk(&world, i, world.lists[i]);
		(void)snprintf(all + 35 * i, 36, "%s ", world.lists[i]);
	}
	add_trunk(&world, LISTS, all);
	*state = &world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	directory_destroy(world->directory);
	return 0;
}

// Of few bits that differ, so that prefixes hold each other and addresses are often in one.
static struct address some_address(struct world *world)
{
	bool is_six = below(world, 2) == 0;
	struct address address = { .family = is_six ? ADDRESS_IPV6 : ADDRESS_IPV4 };
	address.octets[0] = is_six ? 0x20 : 10;
	for (unsigned i = 1; i < (is_six ? 16u : 4u); i++)
		address.octets[i] = (uint8_t)(below(world, 4) == 0 ? 1 << below(world, 8) : 0);
	return address;
}

static void put(struct world *world, struct entry *entry)
{
	char room[80];
	struct writer writer = writer_of(room, sizeof(room));
	struct address address = some_address(world);
	unsigned most = address.family == ADDRESS_IPV4 ? 32 : 128;
	entry->prefix = (struct prefix){ address, (uint8_t)(most - below(world, most - 4)) };
	for (unsigned bit = entry->prefix.bits; bit < most; bit++) // host bits are 0
		address.octets[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	entry->prefix.address = address;
	entry->list = below(world, LISTS);
	address_write_host(&address, &writer);
	writer_format(&writer, "/%u", entry->prefix.bits);
	struct directory_object *object =
		world_make(DIRECTORY_ACL_ADDRESS, "acl", world->lists[entry->list], "address",
			   writer_string_done(&writer), NULL);
	if (entry->sid[0] != '\0')
		memcpy(object->sid, entry->sid, sizeof(object->sid));
	memcpy(entry->sid, object->sid, sizeof(entry->sid));
	CHECK_OK(directory_put(world->directory, object));
}

static bool is_allowed(const struct world *world, unsigned trunk, const struct address *address)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		const struct entry *entry = &world->entries[i];
		if (entry->sid[0] != '\0' && (trunk == LISTS || entry->list == trunk) &&
		    prefix_contains(&entry->prefix, address))
			return true;
	}
	return false;
}

static void compare(struct world *world, unsigned counts[2])
{
	char seen[ADDRESS_TEXT_SIZE];
	struct address address = some_address(world);
	for (unsigned i = 0; i <= LISTS; i++) {
		const struct trunk *trunk = directory_trunk(world->directory, world->trunks[i]);
		bool wanted = is_allowed(world, i, &address);
		directory_expect_more(world->directory, trunk, &address, TEXT("+14150000001"));
		if (directory_trunk_allows(world->directory, trunk, &address) != wanted)
			fail_msg("trunk %u, %s: %s", i, address_string(&address, seen),
				 wanted ? "is in its lists" : "is in none of its lists");
		counts[wanted]++;
	}
}

// AUTH-003, AUTH-013: whatever the number of entries and their lengths.
static void lists_say_what_a_walk_of_all_their_entries_says(void **state)
{
	struct world *world = *state;
	unsigned counts[2] = { 0 };
	for (unsigned step = 0; step < STEPS; step++) {
		struct entry *entry = &world->entries[below(world, ENTRIES)];
		bool is_filling = step % 2000 < 1200;
		if (entry->sid[0] != '\0' && below(world, is_filling ? 8 : 2) == 0) {
			directory_drop(world->directory, entry->sid);
			entry->sid[0] = '\0';
		} else if (is_filling || entry->sid[0] != '\0') {
			put(world, entry);
		}
		compare(world, counts);
	}
	CHECK_TRUE(counts[0] > STEPS / 4 && counts[1] > STEPS / 4);
}

static void a_list_without_entries_allows_nobody(void **state)
{
	struct world *world = *state;
	struct address address = world_address("10.0.0.1"), none = { 0 };
	struct entry *entry = &world->entries[0];
	const struct trunk *trunk = directory_trunk(world->directory, world->trunks[0]);
	CHECK_FALSE(directory_trunk_allows(world->directory, trunk, &address));
	CHECK_FALSE(directory_trunk_allows(world->directory, trunk, &none));
	world_add(world->directory,
		  world_make(DIRECTORY_ACL_ADDRESS, "acl", world->lists[0], "address", "0.0.0.0/0",
			     NULL),
		  entry->sid);
	CHECK_TRUE(directory_trunk_allows(world->directory, trunk, &address));
	CHECK_FALSE(directory_trunk_allows(world->directory, trunk, &none));
	directory_drop(world->directory, entry->sid);
	CHECK_FALSE(directory_trunk_allows(world->directory, trunk, &address));
}

// What was found once for a trunk is found again after a change: of its lists, and of its account.
static void a_trunk_leads_to_what_there_is_now(void **state)
{
	struct world *world = *state;
	struct directory *directory = world->directory;
	const struct trunk *trunk = directory_trunk(directory, world->trunks[0]);
	CHECK_TRUE(directory_trunk_account(directory, trunk) ==
		   directory_account(directory, world->account));
	struct directory_object *object = directory_object_copy(
		directory_find(directory, DIRECTORY_ACCOUNT, text_of(world->account)));
	world_set(object, "status", "suspended");
	CHECK_OK(directory_put(directory, object));
	CHECK_FALSE(directory_trunk_account(directory, trunk)->is_active);
	directory_drop(directory, world->account);
	CHECK_TRUE(directory_trunk_account(directory, trunk) == NULL);
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "Other", NULL), NULL);
	CHECK_TRUE(directory_trunk_account(directory, trunk) == NULL);
}

static const char *user_of(const struct world *world, unsigned trunk, const char *user)
{
	const struct trunk *found = directory_trunk(world->directory, world->trunks[trunk]);
	directory_expect_user(world->directory, found, text_of(user));
	const struct credential *credential =
		directory_trunk_credential(world->directory, found, text_of(user));
	return credential ? credential->sid : "nobody";
}

static void add_user(struct world *world, const char *list, const char *user, char out_sid[35])
{
	world_add(world->directory,
		  world_make(DIRECTORY_CREDENTIAL, "list", list, "user", user, "realm", WORLD_BASE,
			     "ha1_md5", "00112233445566778899aabbccddeeff", "ha1_sha256",
			     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
			     NULL),
		  out_sid);
}

// AUTH-015: of one name in two lists, each is its own list's; who has both finds the first one's.
static void users_are_those_of_a_trunks_own_lists(void **state)
{
	struct world *world = *state;
	char lists[2][35], users[2][35], both[72], name[16];
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof(name), "users %u", i);
		world_add(world->directory,
			  world_make(DIRECTORY_CREDENTIAL_LIST, "account", world->account, "name",
				     name, NULL),
			  lists[i]);
		add_user(world, lists[i], "pbx", users[i]);
	}
	(void)snprintf(both, sizeof(both), "%s %s", lists[0], lists[1]);
	const char *attached[] = { lists[0], lists[1], both, "" };
	for (unsigned i = 0; i < 4; i++) {
		struct directory_object *trunk = directory_object_copy(directory_find(
			world->directory, DIRECTORY_TRUNK, text_of(world->trunks[i])));
		world_set(trunk, "credential_lists", attached[i]);
		CHECK_OK(directory_put(world->directory, trunk));
	}
	CHECK_STRING(user_of(world, 0, "pbx"), users[0]);
	CHECK_STRING(user_of(world, 1, "pbx"), users[1]);
	CHECK_STRING(user_of(world, 2, "pbx"), users[0]);
	CHECK_STRING(user_of(world, 3, "pbx"), "nobody");
	CHECK_STRING(user_of(world, 0, "PBX"), "nobody");
	directory_drop(world->directory, users[0]);
	CHECK_STRING(user_of(world, 0, "pbx"), "nobody");
	CHECK_STRING(user_of(world, 2, "pbx"), users[1]);
	add_user(world, lists[0], "other", users[0]); // the list had nobody in between
	CHECK_STRING(user_of(world, 0, "other"), users[0]);
	CHECK_STRING(user_of(world, 2, "other"), users[0]);
	CHECK_STRING(user_of(world, 1, "other"), "nobody");
}

static const char *write_number(unsigned nth, char room[static 17])
{
	(void)snprintf(room, 17, nth % 2 ? "+1415%07u" : "+49%u", nth);
	return room;
}

static void numbers_come_and_go(void **state)
{
	struct world *world = *state;
	static char sids[ENTRIES][35];
	char room[17];
	memset(sids, 0, sizeof(sids));
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned nth = below(world, ENTRIES);
		bool is_there = sids[nth][0] != '\0';
		CHECK_TRUE(directory_is_blocked(world->directory,
						text_of(write_number(nth, room))) == is_there);
		if (is_there)
			directory_drop(world->directory, sids[nth]);
		else
			world_add(world->directory,
				  world_make(DIRECTORY_BLOCKED_NUMBER, "e164", room, NULL),
				  sids[nth]);
		if (is_there)
			sids[nth][0] = '\0';
	}
	CHECK_FALSE(directory_is_blocked(world->directory, TEXT("")));
	CHECK_FALSE(directory_is_blocked(world->directory, TEXT("+")));
	CHECK_FALSE(directory_is_blocked(world->directory, TEXT("+1415000000x")));
	CHECK_FALSE(directory_is_blocked(world->directory, TEXT("+14150000001415000")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_say_what_a_walk_of_all_their_entries_says,
						start, stop),
		cmocka_unit_test_setup_teardown(a_list_without_entries_allows_nobody, start, stop),
		cmocka_unit_test_setup_teardown(a_trunk_leads_to_what_there_is_now, start, stop),
		cmocka_unit_test_setup_teardown(users_are_those_of_a_trunks_own_lists, start, stop),
		cmocka_unit_test_setup_teardown(numbers_come_and_go, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
