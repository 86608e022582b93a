// Accounts: those below others, their state, what they may call and show, and how much they may have.

#include <string.h>

#include "config/accounts.h"
#include "tests/check.h"
#include "tests/fake/allocation.h"
#include "tests/unit/directory/world.h"

struct world {
	struct directory *directory;
	struct accounts_config rules;
	char acme[35], branch[35], other[35], trunk[35];
};

static int start(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	world->directory = directory;
	world->rules =
		(struct accounts_config){ .max_trunks = 3, .trial_trunks = 1, .trial_numbers = 2 };
	CHECK_TRUE(country_set_add_code(&world->rules.voice_countries.set, TEXT("US")));
	directory_follow(directory, &(struct directory_rules){ .accounts = &world->rules });
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "acme", NULL), world->acme);
	world_add(directory,
		  world_make(DIRECTORY_ACCOUNT, "name", "branch", "parent", world->acme, NULL),
		  world->branch);
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "other", NULL), world->other);
	world_add(directory,
		  world_make(DIRECTORY_TRUNK, "account", world->acme, "domain", "acme", NULL),
		  world->trunk);
	*state = world;
	return 0;
}

static int stop(void **state)
{
	struct world *world = *state;
	directory_destroy(world->directory);
	test_free(world);
	return 0;
}

static void refuse(struct world *world, struct directory_object *object, enum status expected,
		   const char *text)
{
	struct directory_problem problem = { 0 };
	CHECK_STATUS(directory_check(world->directory, object, true, &problem), expected);
	if (strstr(problem.text, text) == NULL)
		fail_msg("%s: %s", problem.field, problem.text);
	directory_object_destroy(object);
}

static void change(struct world *world, const char *sid, const char *field, const char *value)
{
	struct directory_problem problem = { 0 };
	struct directory_object *object = directory_object_copy(directory_find(
		world->directory, directory_kind_of_sid(text_of(sid)), text_of(sid)));
	assert_non_null(object);
	world_set(object, field, value);
	CHECK_STATUS(directory_check(world->directory, object, false, &problem), OK);
	CHECK_OK(directory_put(world->directory, object));
}

// OTHER-002: sub-accounts, one level deep; the one above cannot go before them.
static void an_account_may_be_below_another(void **state)
{
	struct world *world = *state;
	struct directory_problem problem = { 0 };
	refuse(world, world_make(DIRECTORY_ACCOUNT, "name", "deep", "parent", world->branch, NULL),
	       ERR_CONFLICT, "is itself a sub-account");
	struct directory_object *acme = directory_object_copy(
		directory_find(world->directory, DIRECTORY_ACCOUNT, TEXT("acme")));
	world_set(acme, "name", "Acme Corporation");
	CHECK_OK(directory_check(world->directory, acme, false, &problem));
	directory_drop(world->directory, world->trunk);
	CHECK_STATUS(directory_check_removal(world->directory, acme, &problem), ERR_CONFLICT);
	CHECK_TRUE(strstr(problem.text, world->branch) != NULL);
	directory_object_destroy(acme);
	const struct account *branch = directory_account(world->directory, world->branch);
	CHECK_STRING(branch->parent_sid, world->acme);
	CHECK_TRUE(directory_account_is_active(world->directory, branch));
	change(world, world->acme, "status", "suspended");
	CHECK_FALSE(directory_account_is_active(world->directory, branch));
	change(world, world->acme, "status", "");
	change(world, world->branch, "status", "suspended");
	CHECK_FALSE(directory_account_is_active(
		world->directory, directory_account(world->directory, world->branch)));
	CHECK_TRUE(directory_account_is_active(world->directory,
					       directory_account(world->directory, world->acme)));
	CHECK_FALSE(directory_account_is_active(world->directory, NULL));
}

// TERM-010: below a domain of the same account or of the parent account, and below no other; not the
// other way round either.
static void a_sub_account_may_use_a_domain_below_its_parents(void **state)
{
	struct world *world = *state;
	char sub[35];
	refuse(world,
	       world_make(DIRECTORY_TRUNK, "account", world->other, "domain", "a.acme", NULL),
	       ERR_FORBIDDEN, "allowed: one of the same account, or of its parent's");
	world_add(world->directory,
		  world_make(DIRECTORY_TRUNK, "account", world->branch, "domain", "b.acme", NULL),
		  sub);
	refuse(world,
	       world_make(DIRECTORY_TRUNK, "account", world->acme, "domain", "c.b.acme", NULL),
	       ERR_FORBIDDEN, "belongs to another account");
}

static void an_account_has_so_many_trunks_and_numbers(void **state)
{
	struct world *world = *state;
	char *a = world->acme;
	world_add(world->directory, world_make(DIRECTORY_TRUNK, "account", a, NULL), NULL);
	world_add(world->directory, world_make(DIRECTORY_TRUNK, "account", a, NULL), NULL);
	refuse(world, world_make(DIRECTORY_TRUNK, "account", a, NULL), ERR_LIMIT,
	       "acme has 3 trunks already; allowed: 3");
	change(world, world->other, "type", "trial");
	world_add(world->directory, world_make(DIRECTORY_TRUNK, "account", world->other, NULL),
		  NULL);
	refuse(world, world_make(DIRECTORY_TRUNK, "account", world->other, NULL), ERR_LIMIT,
	       "allowed: 1 of an account of type trial");
	world_add(
		world->directory,
		world_make(DIRECTORY_NUMBER, "account", world->other, "e164", "+12125550100", NULL),
		NULL);
	world_add(
		world->directory,
		world_make(DIRECTORY_NUMBER, "account", world->other, "e164", "+12125550101", NULL),
		NULL);
	refuse(world,
	       world_make(DIRECTORY_NUMBER, "account", world->other, "e164", "+12125550102", NULL),
	       ERR_LIMIT, "numbers already");
	change(world, world->other, "type", "paid"); // TERM-026
	world_add(
		world->directory,
		world_make(DIRECTORY_NUMBER, "account", world->other, "e164", "+12125550102", NULL),
		NULL);
}

// TERM-019, TERM-027: verified for an account, once in each; blocked for all.
static void callers_are_verified_by_account(void **state)
{
	struct world *world = *state;
	const struct account *acme = directory_account(world->directory, world->acme);
	const struct account *other = directory_account(world->directory, world->other);
	char sid[35];
	world_add(world->directory,
		  world_make(DIRECTORY_CALLER_ID, "account", world->acme, "e164", "+442079460000",
			     NULL),
		  sid);
	CHECK_TRUE(directory_is_verified(world->directory, acme, TEXT("+442079460000")));
	CHECK_FALSE(directory_is_verified(world->directory, other, TEXT("+442079460000")));
	CHECK_FALSE(directory_is_verified(world->directory, acme, TEXT("+442079460001")));
	refuse(world,
	       world_make(DIRECTORY_CALLER_ID, "account", world->acme, "e164", "+442079460000",
			  NULL),
	       ERR_CONFLICT, "is taken");
	world_add(world->directory,
		  world_make(DIRECTORY_CALLER_ID, "account", world->other, "e164", "+442079460000",
			     NULL),
		  NULL);
	directory_drop(world->directory, sid);
	CHECK_FALSE(directory_is_verified(world->directory, acme, TEXT("+442079460000")));
	CHECK_TRUE(directory_is_verified(world->directory, other, TEXT("+442079460000")));
	world_add(world->directory,
		  world_make(DIRECTORY_BLOCKED_NUMBER, "e164", "+442079460000", NULL), sid);
	CHECK_TRUE(directory_is_blocked(world->directory, TEXT("+442079460000")));
	directory_drop(world->directory, sid);
	CHECK_FALSE(directory_is_blocked(world->directory, TEXT("+442079460000"))); // TERM-028
}

// TERM-029: its own list, else that of the configuration, which may change live.
static void countries_are_its_own_or_the_configurations(void **state)
{
	struct world *world = *state;
	unsigned japan = country_of_code(TEXT("JP")), us = country_of_code(TEXT("US"));
	const struct account *acme = directory_account(world->directory, world->acme);
	CHECK_TRUE(country_set_has(directory_countries(world->directory, acme), us));
	CHECK_FALSE(country_set_has(directory_countries(world->directory, acme), japan));
	CHECK_TRUE(country_set_add_code(&world->rules.voice_countries.set, TEXT("JP")));
	CHECK_TRUE(country_set_has(directory_countries(world->directory, acme), japan));
	change(world, world->acme, "voice_countries", "gb, de");
	acme = directory_account(world->directory, world->acme);
	CHECK_FALSE(country_set_has(directory_countries(world->directory, acme), us));
	CHECK_TRUE(country_set_has(directory_countries(world->directory, acme),
				   country_of_code(TEXT("DE"))));
	change(world, world->acme, "voice_countries", "all");
	acme = directory_account(world->directory, world->acme);
	CHECK_TRUE(country_set_has(directory_countries(world->directory, acme), COUNTRY_NONE));
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(an_account_may_be_below_another),
		WORLD_TEST(a_sub_account_may_use_a_domain_below_its_parents),
		WORLD_TEST(an_account_has_so_many_trunks_and_numbers),
		WORLD_TEST(callers_are_verified_by_account),
		WORLD_TEST(countries_are_its_own_or_the_configurations),
	};
	return RUN_TESTS(tests);
}
