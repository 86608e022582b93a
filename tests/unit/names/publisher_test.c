// The publisher's thread: it fails, tries again, and is right in the end.

#include <poll.h>

#include "fixture.h"
#include "names/publisher.h"
#include "tests/fake/zone.h"

struct world {
	struct zone *zone;
	struct names_plan plan;
	struct ring *lists, *reports;
	struct names_publisher *publisher;
};

static void start(struct world *world)
{
	*world = (struct world){ .zone = calloc(1, sizeof *world->zone),
				 .lists = ring_create(sizeof(struct names_list *), 4),
				 .reports = ring_create(sizeof(struct names_report), 4) };
	fixture_plan(&world->plan, "", "");
	struct names_publisher_options options = { .server = zone_server(world->zone),
						   .plan = &world->plan,
						   .reconcile_ms = 3600000,
						   .lists = world->lists,
						   .reports = world->reports };
	world->zone->failure = OK;
	CHECK_STATUS(names_publisher_start(&options, &world->publisher), OK);
}

static void stop(struct world *world)
{
	names_publisher_stop(world->publisher);
	ring_destroy(world->lists);
	ring_destroy(world->reports);
	free(world->zone);
}

static void give(struct world *world, const char *domains)
{
	struct names_list *list = fixture_list(domains);
	assert_true(ring_put(world->lists, &list));
}

static struct names_report next(struct world *world)
{
	struct names_report report;
	for (unsigned i = 0; i < 500; i++) {
		if (ring_take(world->reports, &report))
			return report;
		(void)poll(NULL, 0, 10);
	}
	fail_msg("no report");
	return report;
}

static void a_list_is_published_and_then_its_changes(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	give(&world, "acme");
	struct names_report report = next(&world);
	CHECK_STATUS(report.status, OK);
	CHECK_TRUE(report.is_whole);
	CHECK_NUMBER(report.domains, 1);
	CHECK_NUMBER(report.outcome.added, 3);
	give(&world, "acme"); // the same: nothing to do
	give(&world, "beta");
	report = next(&world);
	CHECK_STATUS(report.status, OK);
	CHECK_TRUE(!report.is_whole);
	CHECK_NUMBER(report.outcome.added, 3);
	CHECK_NUMBER(report.outcome.removed, 3);
	CHECK_NUMBER(world.zone->reads, 1);
	stop(&world);
}

static void what_another_node_did_already_is_no_failure(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	give(&world, "acme");
	(void)next(&world);
	for (unsigned i = 0; i < world.plan.form_count; i++) {
		char name[NAMES_NAME_SIZE];
		assert_true(names_plan_host(&world.plan, TEXT("beta"), i, name));
		zone_mark(world.zone, name);
		zone_add(world.zone, name, "198.51.100.3", 600);
		zone_add(world.zone, name, "198.51.100.1", 600);
	}
	give(&world, "acme beta");
	struct names_report report = next(&world);
	CHECK_STATUS(report.status, OK);
	CHECK_TRUE(report.is_whole);
	CHECK_NUMBER(report.outcome.names, 6);
	CHECK_NUMBER(report.outcome.added + report.outcome.replaced, 0);
	stop(&world);
}

static void a_failure_is_told_and_tried_again(void **state)
{
	(void)state;
	struct world world;
	start(&world);
	world.zone->failure = ERR_UNAVAILABLE;
	give(&world, "acme");
	struct names_report report = next(&world);
	CHECK_STATUS(report.status, ERR_UNAVAILABLE);
	CHECK_STRING(report.outcome.problem, "the zone is away");
	world.zone->failure = OK;
	report = next(&world); // after a second
	CHECK_STATUS(report.status, OK);
	CHECK_NUMBER(zone_count(world.zone, "acme.pstn.example.com"), 2);
	stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_list_is_published_and_then_its_changes),
		TEST(what_another_node_did_already_is_no_failure),
		TEST(a_failure_is_told_and_tried_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
