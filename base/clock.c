// The two clocks of the machine, read into the object of one thread, and time as text.
// Runs on: the thread that owns the object. Never read by timers between two turns of a loop.

#include "base/clock.h"

#include <time.h>

#include "base/text.h"

static uint64_t read_ns(clockid_t id)
{
	struct timespec now = { 0 };
	clock_gettime(id, &now); // cannot fail for the two clocks used here
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void clock_update(struct clock *clock)
{
	clock->now_ms = read_ns(CLOCK_MONOTONIC) / 1000000;
	clock->wall_ms = read_ns(CLOCK_REALTIME) / 1000000;
}

uint64_t clock_monotonic_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

static void write_padded(struct writer *writer, unsigned value, unsigned digits)
{
	for (unsigned unit = digits == 4 ? 1000 : digits == 3 ? 100 : 10; unit > 0; unit /= 10)
		writer_char(writer, (char)('0' + value / unit % 10));
}

void clock_write_iso(uint64_t wall_ms, char room[static 25])
{
	const uint64_t last_ms = 253402300799999; // the end of the year 9999, RFC 3339's last
	uint64_t time_ms = wall_ms < last_ms ? wall_ms : last_ms;
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm parts = { 0 };
	gmtime_r(&seconds, &parts);
	struct writer writer = writer_of(room, 25);
	write_padded(&writer, (unsigned)parts.tm_year + 1900, 4);
	writer_char(&writer, '-');
	write_padded(&writer, (unsigned)parts.tm_mon + 1, 2);
	writer_char(&writer, '-');
	write_padded(&writer, (unsigned)parts.tm_mday, 2);
	writer_char(&writer, 'T');
	write_padded(&writer, (unsigned)parts.tm_hour, 2);
	writer_char(&writer, ':');
	write_padded(&writer, (unsigned)parts.tm_min, 2);
	writer_char(&writer, ':');
	write_padded(&writer, (unsigned)parts.tm_sec, 2);
	writer_char(&writer, '.');
	write_padded(&writer, (unsigned)(time_ms % 1000), 3);
	writer_char(&writer, 'Z');
	writer_char(&writer, 0);
}
