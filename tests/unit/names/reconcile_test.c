// What is done to the zone, and to which names.

#include "fixture.h"
#include "names/reconcile.h"
#include "tests/fake/zone.h"

static struct zone *open_zone(void)
{
	struct zone *zone = calloc(1, sizeof *zone);
	assert_non_null(zone);
	return zone;
}

static void reconcile(struct zone *zone, const char *domains, struct names_outcome *outcome)
{
	struct names_plan plan;
	struct names_list *list = fixture_list(domains);
	fixture_plan(&plan, "", "");
	CHECK_STATUS(names_reconcile(zone_server(zone), &plan, list, outcome), OK);
	names_list_destroy(list);
}

// The second time there is nothing left to do: several nodes may publish the same.
static void an_empty_zone_is_filled_once(void **state)
{
	(void)state;
	struct zone *zone = open_zone();
	struct names_outcome outcome;
	reconcile(zone, "acme beta gamma", &outcome);
	CHECK_NUMBER(outcome.added, 9);
	CHECK_NUMBER(outcome.names, 9);
	CHECK_NUMBER(zone->updates, 2);
	CHECK_TRUE(zone_has(zone, "acme.pstn.example.com", "198.51.100.3", 600));
	CHECK_TRUE(zone_has(zone, "gamma.pstn.ie1.example.com", "198.51.100.1", 600));
	CHECK_NUMBER(zone_count(zone, "acme.pstn.dublin.example.com"), 2);
	reconcile(zone, "acme beta gamma", &outcome);
	CHECK_NUMBER(outcome.added + outcome.replaced + outcome.removed, 0);
	CHECK_NUMBER(outcome.names, 9);
	CHECK_NUMBER(zone->updates, 2);
	free(zone);
}

// A trunk that is gone or has another domain: its old names go, whoever added them.
static void names_of_no_trunk_are_removed(void **state)
{
	(void)state;
	struct zone *zone = open_zone();
	struct names_outcome outcome;
	reconcile(zone, "acme beta", &outcome);
	zone_mark(zone, "long-gone.pstn.example.com");
	reconcile(zone, "acme", &outcome);
	CHECK_NUMBER(outcome.removed, 4);
	CHECK_NUMBER(zone_count(zone, "beta.pstn.example.com"), 0);
	CHECK_TRUE(!zone_is_marked(zone, "beta.pstn.dublin.example.com"));
	CHECK_TRUE(!zone_is_marked(zone, "long-gone.pstn.example.com"));
	CHECK_NUMBER(zone_count(zone, "acme.pstn.example.com"), 2);
	free(zone);
}

static void what_is_wrong_is_made_right(void **state)
{
	(void)state;
	struct zone *zone = open_zone();
	struct names_outcome outcome;
	zone_mark(zone, "acme.pstn.example.com"); // another address
	zone_add(zone, "acme.pstn.example.com", "198.51.100.3", 600);
	zone_add(zone, "acme.pstn.example.com", "198.51.100.9", 600);
	zone_mark(zone, "acme.pstn.dublin.example.com"); // another TTL
	zone_add(zone, "acme.pstn.dublin.example.com", "198.51.100.3", 600);
	zone_add(zone, "acme.pstn.dublin.example.com", "198.51.100.1", 60);
	zone_mark(zone, "acme.pstn.ie1.example.com"); // none at all
	reconcile(zone, "acme", &outcome);
	CHECK_NUMBER(outcome.replaced, 3);
	CHECK_NUMBER(zone_count(zone, "acme.pstn.example.com"), 2);
	CHECK_TRUE(zone_has(zone, "acme.pstn.example.com", "198.51.100.1", 600));
	CHECK_TRUE(zone_has(zone, "acme.pstn.dublin.example.com", "198.51.100.1", 600));
	CHECK_NUMBER(zone_count(zone, "acme.pstn.ie1.example.com"), 2);
	free(zone);
}

// A customer who calls a trunk "www" gets no hold of www.pstn.example.com.
static void names_of_others_are_never_touched(void **state)
{
	(void)state;
	struct zone *zone = open_zone();
	struct names_outcome outcome;
	zone_add(zone, "www.pstn.example.com", "192.0.2.80", 3600);
	zone_add(zone, "mail.pstn.example.com", "", 3600); // of another type
	zone_add(zone, "example.com", "192.0.2.80", 3600);
	reconcile(zone, "mail www", &outcome);
	CHECK_NUMBER(outcome.conflicts, 2);
	CHECK_STRING(outcome.conflict, "www.pstn.example.com");
	CHECK_NUMBER(outcome.added, 4);
	CHECK_TRUE(zone_has(zone, "www.pstn.example.com", "192.0.2.80", 3600));
	CHECK_NUMBER(zone_count(zone, "www.pstn.example.com"), 1);
	CHECK_NUMBER(zone_count(zone, "mail.pstn.example.com"), 1);
	reconcile(zone, "", &outcome);
	CHECK_TRUE(zone_has(zone, "www.pstn.example.com", "192.0.2.80", 3600));
	CHECK_TRUE(zone_has(zone, "example.com", "192.0.2.80", 3600));
	CHECK_NUMBER(zone->count, 3);
	free(zone);
}

static void differences_alone_are_sent(void **state)
{
	(void)state;
	struct zone *zone = open_zone();
	struct names_outcome outcome;
	struct names_plan plan;
	struct names_list *before = fixture_list("acme beta"), *after = fixture_list("acme delta");
	fixture_plan(&plan, "", "");
	reconcile(zone, "acme beta", &outcome);
	CHECK_STATUS(names_follow(zone_server(zone), &plan, before, after, &outcome), OK);
	CHECK_NUMBER(outcome.added, 3);
	CHECK_NUMBER(outcome.removed, 3);
	CHECK_NUMBER(zone->reads, 1);
	CHECK_NUMBER(zone_count(zone, "beta.pstn.example.com"), 0);
	CHECK_NUMBER(zone_count(zone, "delta.pstn.ie1.example.com"), 2);
	CHECK_STATUS(names_follow(zone_server(zone), &plan, before, after, &outcome), ERR_CONFLICT);
	names_list_destroy(before);
	names_list_destroy(after);
	free(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_zone_is_filled_once), TEST(names_of_no_trunk_are_removed),
		TEST(what_is_wrong_is_made_right),  TEST(names_of_others_are_never_touched),
		TEST(differences_alone_are_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
