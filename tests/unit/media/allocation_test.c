// Memory refused at every place where it is asked for: a status each time, nothing lost, no crash.

#include "tests/unit/media/bench.h"

#include "tests/fake/allocation.h"

static void starting_and_opening_survive_every_refusal(void **state)
{
	(void)state;
	struct bench bench;
	bench_begin(&bench, 2);
	struct media_engine_options options = { .clock = &bench.clock,
						.wheel = bench.wheel,
						.dataplane = bench.dataplane,
						.event = bench_event };
	bool has_failed = true;
	for (unsigned number = 1; has_failed; number++) {
		struct media_engine *engine = NULL;
		struct media *media = NULL;
		allocation_fail_at(number);
		enum status status = media_engine_start(&options, &engine);
		if (status == OK)
			status = media_open(engine, "CA1", &bench, &media);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		// Next hops alone can be done without: they are tried again.
		if (has_failed && status != ERR_MEMORY && engine->retry_ms == 0)
			fail_msg("allocation %u: %s", number, status_name(status));
		if (!has_failed)
			CHECK_OK(status);
		media_engine_stop(engine);
	}
	bench_end(&bench);
}

static void another_dataplane_survives_every_refusal(void **state)
{
	(void)state;
	struct bench bench;
	struct media *media;
	bench_begin(&bench, 1);
	CHECK_OK(media_open(bench.engine, "CA1", &bench, &media));
	bool has_failed = true;
	for (unsigned number = 1; has_failed; number++) {
		allocation_fail_at(number);
		media_engine_attach(bench.engine, bench.dataplane);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		media_engine_tick(bench.engine);
	}
	CHECK_NUMBER(media_ports_count(bench.engine->ports, MEDIA_PORT_HELD), 2);
	media_close(media);
	bench_wait(&bench, 10);
	CHECK_NUMBER(bench.closed, 1);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(starting_and_opening_survive_every_refusal),
		TEST(another_dataplane_survives_every_refusal),
	};
	return RUN_TESTS(tests);
}
