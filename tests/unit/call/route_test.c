// The order in which a call tries carriers. Runs on the thread of the test.

#include "call/target/route.h"

#include <stdio.h>
#include <string.h>

#include "directory/object.h"
#include "directory/origination/origination.h"
#include "tests/check.h"
#include "tests/draws.h"
#include "tests/unit/directory/world.h"

static void add(struct directory *directory, const char *name, const char *priority,
		const char *weight)
{
	char address[32];
	(void)snprintf(address, sizeof(address), "198.51.100.%u",
		       directory_count(directory, DIRECTORY_CARRIER) + 1);
	world_add(directory,
		  world_make(DIRECTORY_CARRIER, "name", name, "address", address, "priority",
			     priority, "weight", weight, NULL),
		  NULL);
}

static const char *name_of(const struct directory *directory, const struct route_target *target)
{
	return directory_carrier(directory, target->sid)->name;
}

static void the_draw_follows_the_weights(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	unsigned first[3] = { 0 }, second_after_a[3] = { 0 }, firsts_of_a = 0;
	add(directory, "a", "10", "60");
	add(directory, "b", "10", "30");
	add(directory, "c", "10", "10");
	add(directory, "z", "20", "60000");
	for (unsigned i = 0; i < DRAWS; i++) {
		struct route route;
		CHECK_OK(route_choose(&route, directory, "", "+81312345678"));
		CHECK_NUMBER(route.count, 4);
		CHECK_STRING(name_of(directory, &route.targets[3]),
			     "z"); // of lower priority, whatever it weighs
		unsigned winner = (unsigned)(*name_of(directory, &route.targets[0]) - 'a');
		unsigned next = (unsigned)(*name_of(directory, &route.targets[1]) - 'a');
		unsigned last = (unsigned)(*name_of(directory, &route.targets[2]) - 'a');
		CHECK_NUMBER((1u << winner) | (1u << next) | (1u << last), 7); // each once
		first[winner]++;
		firsts_of_a += winner == 0;
		second_after_a[next] += winner == 0;
		route_clear(&route);
	}
	assert_true(chi_square(first, (const double[]){ 6000, 3000, 1000 }, 3) < 20);
	// Without replacement: b and c share what is left, 3 to 1 (D-22).
	CHECK_NUMBER(second_after_a[0], 0);
	const double shares[] = { firsts_of_a * 3 / 4., firsts_of_a / 4. };
	assert_true(chi_square(second_after_a + 1, shares, 2) < 18);
	directory_destroy(directory);
}

static void the_heaviest_weights_do_not_overflow(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	char name[8];
	for (unsigned i = 0; i < DIRECTORY_CARRIERS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "c%u", i);
		add(directory, name, "1", "65535");
	}
	struct route route;
	CHECK_OK(route_choose(&route, directory, "", "+81312345678"));
	CHECK_NUMBER(route.count, DIRECTORY_CARRIERS_MAX);
	route_clear(&route);
	directory_destroy(directory);
}

static void disabled_carriers_are_not_tried(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	struct route route;
	CHECK_OK(route_choose(&route, directory, "", "+81312345678"));
	CHECK_NUMBER(route.count, 0);
	assert_null(route_next(&route));
	route_clear(&route);
	world_add(directory,
		  world_make(DIRECTORY_CARRIER, "name", "off", "address", "198.51.100.99",
			     "enabled", "false", NULL),
		  NULL);
	add(directory, "on", "10", "1");
	CHECK_OK(route_choose(&route, directory, "", "+81312345678"));
	const struct route_target *target = route_next(&route);
	assert_non_null(target);
	CHECK_STRING(name_of(directory, target), "on");
	assert_null(route_next(&route));
	assert_null(route_next(&route)); // and stays so
	route_clear(&route);
	assert_null(route_next(&route)); // nor is anything left when it is cleared
	directory_destroy(directory);
}

static void add_uri(struct directory *directory, const char *trunk, const char *uri,
		    const char *priority, const char *weight)
{
	world_add(directory,
		  world_make(DIRECTORY_ORIGINATION_URI, "trunk", trunk, "uri", uri, "priority",
			     priority, "weight", weight, NULL),
		  NULL);
}

static void add_trunk(struct directory *directory, char trunk[static DIRECTORY_SID_SIZE])
{
	char account[DIRECTORY_SID_SIZE];
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "acme", NULL), account);
	world_add(directory, world_make(DIRECTORY_TRUNK, "account", account, NULL), trunk);
}

// "sip:a.example": a.
static unsigned letter_of(const struct directory *directory, const struct route_target *target)
{
	return (unsigned)(directory_origination_uri(directory, target->sid)->uri.host[0] - 'a');
}

// ORIG-020, ORIG-022, ORIG-023, ORIG-024, ORIG-025: the documents' own example, 60, 20 and 20, and a
// backup of any weight.
static void uris_are_drawn_by_weight_among_equals(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	char trunk[DIRECTORY_SID_SIZE];
	unsigned first[3] = { 0 }, second[2] = { 0 };
	add_trunk(directory, trunk);
	add_uri(directory, trunk, "sip:d.example", "20", "65535");
	add_uri(directory, trunk, "sip:a.example", "10", "60");
	add_uri(directory, trunk, "sip:b.example", "10", "20");
	add_uri(directory, trunk, "sip:c.example", "10", "20");
	for (unsigned i = 0; i < DRAWS; i++) {
		struct route route;
		CHECK_OK(route_choose_uris(&route, directory, trunk));
		CHECK_NUMBER(route.count, 4);
		unsigned letters[4];
		for (unsigned at = 0; at < 4; at++)
			letters[at] = letter_of(directory, &route.targets[at]);
		CHECK_NUMBER(letters[3], 3); // last, whatever it weighs
		CHECK_NUMBER(1u << letters[0] | 1u << letters[1] | 1u << letters[2], 7);
		first[letters[0]]++;
		if (letters[0] == 0) // it will be unavailable: the rest share its calls
			second[letters[1] - 1]++;
		route_clear(&route);
	}
	assert_true(chi_square(first, (const double[]){ 6000, 2000, 2000 }, 3) < 20);
	double half = (second[0] + second[1]) / 2.0;
	assert_true(chi_square(second, (const double[]){ half, half }, 2) < 18);
	directory_destroy(directory);
}

// ORIG-026, ORIG-033
static void a_trunk_without_enabled_uris_has_no_route(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	char trunk[DIRECTORY_SID_SIZE];
	struct route route;
	add_trunk(directory, trunk);
	world_add(directory,
		  world_make(DIRECTORY_ORIGINATION_URI, "trunk", trunk, "uri", "sip:off.example",
			     "enabled", "false", NULL),
		  NULL);
	CHECK_OK(route_choose_uris(&route, directory, trunk));
	CHECK_NUMBER(route.count, 0);
	assert_null(route_next(&route));
	route_clear(&route);
	directory_destroy(directory);
}

static void check_order(struct directory *directory, const char *trunk, const char *called,
			const char *names)
{
	struct route route;
	struct text rest = text_of(names);
	CHECK_OK(route_choose(&route, directory, trunk, called));
	for (unsigned i = 0; i < route.count; i++)
		CHECK_TRUE(text_is_equal(text_split(&rest, ' '),
					 text_of(name_of(directory, &route.targets[i]))));
	CHECK_NUMBER(rest.size, 0);
	route_clear(&route);
}

static void lead(struct directory *directory, const char *prefix, const char *trunk,
		 const char *groups)
{
	world_add(directory,
		  world_make(DIRECTORY_ROUTE, "prefix", prefix, "trunk", trunk, "groups", groups,
			     NULL),
		  NULL);
}

static void add_weighted(struct directory *directory, const char *name, const char *group,
			 const char *priority, const char *weight)
{
	world_add(directory,
		  world_make(DIRECTORY_CARRIER, "name", name, "address", "198.51.100.9", "group",
			     group, "priority", priority, "weight", weight, NULL),
		  NULL);
}

static void add_to_group(struct directory *directory, const char *name, const char *group,
			 const char *priority)
{
	add_weighted(directory, name, group, priority, "10");
}

// Those of a group share by weight among equals, then come those of the next group.
static void carriers_of_a_group_are_drawn_by_weight(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	unsigned first[3] = { 0 }, second[2] = { 0 }, next[2] = { 0 }, firsts_of_a = 0;
	add_weighted(directory, "a", "near", "10", "50");
	add_weighted(directory, "b", "near", "10", "35");
	add_weighted(directory, "c", "near", "10", "15");
	add_weighted(directory, "d", "near", "20", "65535"); // for when these are silent
	add_weighted(directory, "e", "far", "1", "80");
	add_weighted(directory, "f", "far", "1", "20");
	lead(directory, "+81", "", "near far");
	for (unsigned i = 0; i < DRAWS; i++) {
		struct route route;
		CHECK_OK(route_choose(&route, directory, "", "+81312345678"));
		CHECK_NUMBER(route.count, 6);
		unsigned letters[6], seen = 0;
		for (unsigned at = 0; at < 6; at++) {
			letters[at] = (unsigned)(*name_of(directory, &route.targets[at]) - 'a');
			seen |= 1u << letters[at];
		}
		CHECK_NUMBER(seen, 63);
		CHECK_NUMBER(letters[3], 3);
		first[letters[0]]++;
		firsts_of_a += letters[0] == 0;
		if (letters[0] == 0)
			second[letters[1] - 1]++;
		next[letters[4] - 4]++;
		route_clear(&route);
	}
	assert_true(chi_square(first, (const double[]){ 5000, 3500, 1500 }, 3) < 20);
	const double shares[] = { firsts_of_a * 0.7, firsts_of_a * 0.3 };
	assert_true(chi_square(second, shares, 2) < 18);
	assert_true(chi_square(next, (const double[]){ 8000, 2000 }, 2) < 18);
	directory_destroy(directory);
}

// The longest prefix, a trunk's own before those of all; a group is tried whole before the next.
static void routes_lead_to_groups(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	char account[35], trunk[35], other[35];
	world_add(directory, world_make(DIRECTORY_ACCOUNT, "name", "acme", NULL), account);
	world_add(directory, world_make(DIRECTORY_TRUNK, "account", account, NULL), trunk);
	world_add(directory, world_make(DIRECTORY_TRUNK, "account", account, NULL), other);
	add(directory, "alone", "1", "10");
	add_to_group(directory, "a1", "a", "30");
	add_to_group(directory, "a2", "a", "20");
	add_to_group(directory, "b1", "b", "10");
	check_order(directory, trunk, "+81312345678", "alone");
	lead(directory, "+81", "", "b a");
	lead(directory, "+813", "", "a");
	lead(directory, "+8", trunk, "b");
	check_order(directory, other, "+81312345678", "a2 a1");
	check_order(directory, other, "+81412345678", "b1 a2 a1");
	check_order(directory, trunk, "+81312345678", "b1");
	check_order(directory, trunk, "+15005550100", "alone");
	lead(directory, "+", "", "b");
	check_order(directory, trunk, "+15005550100", "b1");
	check_order(directory, "", "+15005550100", "b1");
	directory_destroy(directory);
}

static void a_route_needs_groups_that_somebody_is_in(void **state)
{
	(void)state;
	struct directory *directory = directory_create(TEXT(WORLD_BASE));
	struct directory_problem problem = { 0 };
	struct directory_object *route =
		world_make(DIRECTORY_ROUTE, "prefix", "+81", "groups", "a b", NULL);
	add_to_group(directory, "a1", "a", "1");
	CHECK_NUMBER(directory_check(directory, route, true, &problem), ERR_NOT_FOUND);
	CHECK_STRING(problem.field, "groups");
	CHECK_TRUE(strstr(problem.text, "'b'") != NULL);
	add_to_group(directory, "b1", "b", "1");
	CHECK_OK(directory_check(directory, route, true, &problem));
	CHECK_OK(directory_put(directory, route));
	route = world_make(DIRECTORY_ROUTE, "prefix", "+81", "groups", "a", NULL);
	CHECK_NUMBER(directory_check(directory, route, true, &problem), ERR_CONFLICT);
	CHECK_NUMBER(directory_object_set(route, TEXT("prefix"), TEXT("81"), &problem),
		     ERR_MALFORMED);
	CHECK_NUMBER(directory_object_set(route, TEXT("prefix"), TEXT("+0"), &problem),
		     ERR_MALFORMED);
	directory_object_destroy(route);
	directory_destroy(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carriers_of_a_group_are_drawn_by_weight),
		cmocka_unit_test(routes_lead_to_groups),
		cmocka_unit_test(a_route_needs_groups_that_somebody_is_in),
		TEST(uris_are_drawn_by_weight_among_equals),
		TEST(a_trunk_without_enabled_uris_has_no_route),
		TEST(the_draw_follows_the_weights),
		TEST(the_heaviest_weights_do_not_overflow),
		TEST(disabled_carriers_are_not_tried),
	};
	return RUN_TESTS(tests);
}
