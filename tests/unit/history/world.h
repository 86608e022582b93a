#pragma once

// What the tests of the history share: a directory of their own, a loop, and a look into the database
// past the code under test.

#include <stdbool.h>
#include <stdint.h>

#include "history/history.h"

struct event_base;

struct world {
	char directory[64];
	char file[96], spool_file[96];
	unsigned records;
	struct history_retention retention;
	struct event_base *loop;
	struct history *history;
};

void world_make(struct world *world, unsigned records);
void world_remove(struct world *world);
int world_set_up(void **state); // as cmocka wants them; of 64 records
int world_tear_down(void **state);
enum status world_start(struct world *world);
void world_stop(struct world *world);
void world_turn(struct world *world, unsigned ms); // lets the loop run
bool world_wait_written(struct world *world, uint64_t count, unsigned ms);
int64_t world_ask(const struct world *world, const char *sql); // one number, -1 when it fails
struct history_call *world_fill(struct world *world, const char *sid); // opened, not closed
