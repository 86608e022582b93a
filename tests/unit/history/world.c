// The tests' surroundings of a history. Runs on: the test's thread.

#include "world.h"

#include <event2/event.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void world_make(struct world *world, unsigned records)
{
	memset(world, 0, sizeof(*world));
	snprintf(world->directory, sizeof(world->directory), "/tmp/trunkd-history-XXXXXX");
	if (!mkdtemp(world->directory))
		abort();
	snprintf(world->file, sizeof(world->file), "%s/history.db", world->directory);
	snprintf(world->spool_file, sizeof(world->spool_file), "%s/spool", world->directory);
	world->records = records;
}

void world_remove(struct world *world)
{
	static const char *const SUFFIXES[] = { "", "-wal", "-shm", "-journal", ".aside" };
	char path[160];
	for (unsigned i = 0; i < sizeof(SUFFIXES) / sizeof(SUFFIXES[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", world->file, SUFFIXES[i]);
		(void)unlink(path);
		(void)rmdir(path);
	}
	(void)unlink(world->spool_file);
	for (unsigned i = 1; i < 4; i++) {
		snprintf(path, sizeof(path), "%s.aside-%u", world->spool_file, i);
		(void)unlink(path);
	}
	(void)rmdir(world->directory);
}

int world_set_up(void **state)
{
	static struct world world;
	world_make(&world, 64);
	*state = &world;
	return 0;
}

int world_tear_down(void **state)
{
	world_remove(*state);
	return 0;
}

enum status world_start(struct world *world)
{
	struct history_options options = { .file = world->file,
					   .spool_file = world->spool_file,
					   .spool_records = world->records,
					   .retention = world->retention };
	world->loop = event_base_new();
	enum status status = history_start(world->loop, &options, &world->history);
	if (status != OK)
		event_base_free(world->loop);
	return status;
}

void world_stop(struct world *world)
{
	history_stop(world->history);
	event_base_free(world->loop);
	world->history = NULL;
	world->loop = NULL;
}

void world_turn(struct world *world, unsigned ms)
{
	for (unsigned i = 0; i <= ms; i += 5) {
		event_base_loop(world->loop, EVLOOP_NONBLOCK);
		(void)poll(NULL, 0, 5);
	}
}

bool world_wait_written(struct world *world, uint64_t count, unsigned ms)
{
	for (unsigned i = 0; i <= ms; i += 5) {
		if (counter_get(&history_counters(world->history)->written) >= count)
			return true;
		world_turn(world, 0);
	}
	return false;
}

int64_t world_ask(const struct world *world, const char *sql)
{
	sqlite3 *sqlite = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t answer = -1;
	if (sqlite3_open_v2(world->file, &sqlite, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		answer = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
	return answer;
}

struct history_call *world_fill(struct world *world, const char *sid)
{
	struct history_call *call = history_call_open(world->history);
	if (!call)
		return NULL;
	snprintf(call->sid, sizeof(call->sid), "%s", sid);
	snprintf(call->direction, sizeof(call->direction), "termination");
	snprintf(call->from, sizeof(call->from), "+14155550100");
	snprintf(call->to, sizeof(call->to), "+442071838750");
	snprintf(call->ladder, sizeof(call->ladder), "0 caller> INVITE\n1 caller< 100\n");
	call->start_ms = 1700000000000;
	call->sip_status = 200;
	call->ended_by = HISTORY_END_CALLER;
	return call;
}
