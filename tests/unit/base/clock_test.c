// Time as text, and the two clocks.

#include "tests/check.h"

#include "base/clock.h"

static void iso_times_are_utc_with_milliseconds(void **state)
{
	(void)state;
	static const struct {
		uint64_t wall_ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1795294058123, "2026-11-21T20:47:38.123Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ UINT64_MAX, "9999-12-31T23:59:59.999Z" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char room[25];
		clock_write_iso(rows[i].wall_ms, room);
		CHECK_STRING(room, rows[i].text);
	}
}

static void updating_never_goes_back(void **state)
{
	(void)state;
	struct clock clock = { 0 };
	clock_update(&clock);
	uint64_t first_ms = clock.now_ms;
	uint64_t first_ns = clock_monotonic_ns();
	clock_update(&clock);
	assert_true(clock.now_ms >= first_ms);
	assert_true(clock_monotonic_ns() >= first_ns);
	assert_true(clock.wall_ms > 1700000000000); // after 2023: milliseconds, not seconds
	assert_true(first_ns / 1000000 >= first_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(iso_times_are_utc_with_milliseconds),
		TEST(updating_never_goes_back),
	};
	return RUN_TESTS(tests);
}
