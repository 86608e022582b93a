// A process is killed at random points while it opens and closes records; the next one finds them.
// Every record that was accepted is one row at the end, closed ones as they were closed.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

#define ROUNDS 25
#define LEAST 200 // calls in all rounds, however busy the machine; thousands where it is not
#define CALLS_MAX 200000
#define OPEN_MAX 20

struct notes { // shared with the children, so it outlives them
	atomic_uint next, alerts, items;
	atomic_uchar
		fates[CALLS_MAX]; // 0: never opened or killed before it was told, else what it was
};

enum fate { FATE_NONE, FATE_OPEN, FATE_CLOSED };

static struct history_call *open_one(struct world *world, struct notes *notes, unsigned number)
{
	char sid[35];
	snprintf(sid, sizeof(sid), "CA%032u", number);
	struct history_call *call = world_fill(world, sid);
	if (!call)
		return NULL;
	snprintf(call->account_sid, sizeof(call->account_sid), "AC%032u", number % 3);
	if (number % 4 != 0)
		call->answer_ms = call->start_ms;
	atomic_store(&notes->fates[number], FATE_OPEN);
	return call;
}

// A number's month, told again as after a crash of whoever tells it.
static void write_twice(struct world *world, struct notes *notes, unsigned number)
{
	struct history_usage item = { .at_ms = 1700000000000,
				      .category = HISTORY_USAGE_NUMBER,
				      .quantity = 1 };
	snprintf(item.key, sizeof(item.key), "number/PN%u/2023-11", number);
	snprintf(item.account_sid, sizeof(item.account_sid), "AC%032u", number % 3);
	if (history_usage_write(world->history, &item) == OK)
		atomic_fetch_add(&notes->items, 1);
	(void)history_usage_write(world->history, &item);
}

static void live_until_killed(struct world *world, struct notes *notes)
{
	struct history_call *open[OPEN_MAX] = { NULL };
	unsigned numbers[OPEN_MAX] = { 0 };
	if (world_start(world) != OK)
		_exit(1);
	for (;;) {
		unsigned number = atomic_fetch_add(&notes->next, 1);
		unsigned place = number % OPEN_MAX;
		if (number >= CALLS_MAX)
			pause();
		if (open[place]) {
			open[place]->end_ms = open[place]->start_ms + 1000;
			history_call_close(world->history, open[place]);
			atomic_store(&notes->fates[numbers[place]], FATE_CLOSED);
		}
		while (!(open[place] = open_one(world, notes, number)))
			(void)poll(NULL, 0, 1); // full: the history thread shall have its turn
		numbers[place] = number;
		struct history_alert alert = { .code = 32000, .at_ms = number };
		if (number % 16 == 0 && history_alert_write(world->history, &alert))
			atomic_fetch_add(&notes->alerts, 1);
		if (number % 8 == 0)
			write_twice(world, notes, number);
		if (number % 64 == 0)
			(void)poll(NULL, 0, 1); // so that the spool is not just full
	}
}

static void kill_one_round(struct world *world, struct notes *notes, unsigned round)
{
	int result;
	pid_t child = fork();
	if (child == 0)
		live_until_killed(world, notes);
	(void)poll(NULL, 0, 20 + (int)(round * 37 % 160));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFSIGNALED(result));
}

static void check_fate(const struct world *world, unsigned number, unsigned fate)
{
	char sql[160];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM calls WHERE sid='CA%032u' AND %s", number,
		 fate == FATE_CLOSED ? "ended_by='caller' AND end_ms=start_ms+1000"
				     : "ended_by IN ('lost', 'caller') AND end_ms>=start_ms");
	assert_int_equal(world_ask(world, sql), 1);
}

// OTHER-003 (in part): the sums of usage are what the rows of calls say, to the second.
static void check_usage(const struct world *world, unsigned items)
{
	int64_t answered = world_ask(world, "SELECT count(*) FROM calls WHERE answer_ms NOT NULL");
	int64_t seconds = world_ask(world, "SELECT sum(billed_seconds) FROM calls");
	assert_true(answered >= LEAST);
	assert_int_equal(world_ask(world, "SELECT sum(count) FROM usage_months WHERE "
					  "category='termination'"),
			 answered);
	assert_int_equal(world_ask(world, "SELECT sum(quantity) FROM usage_months WHERE "
					  "category='termination'"),
			 seconds);
	assert_int_equal(
		world_ask(world, "SELECT count(*) FROM usage WHERE category='termination'"),
		answered);
	int64_t numbers = world_ask(world, "SELECT sum(count) FROM usage_months WHERE "
					   "category='number'");
	assert_in_range(numbers, items, items + ROUNDS);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM usage WHERE category='number'"),
			 numbers);
}

static void every_accepted_record_is_one_row_however_often_the_process_is_killed(void **state)
{
	(void)state;
	struct world world;
	struct notes *notes = mmap(NULL, sizeof(*notes), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(notes, MAP_FAILED);
	world_make(&world, 1024);
	for (unsigned round = 0; round < ROUNDS; round++)
		kill_one_round(&world, notes, round);
	assert_int_equal(world_start(&world), OK);
	world_turn(&world, 100);
	world_stop(&world);

	unsigned counts[3] = { 0 }, last = atomic_load(&notes->next);
	for (unsigned i = 0; i < last && i < CALLS_MAX; i++)
		counts[atomic_load(&notes->fates[i])]++;
	int64_t rows = world_ask(&world, "SELECT count(*) FROM calls");
	int64_t closed = world_ask(&world, "SELECT count(*) FROM calls WHERE ended_by='caller'");
	print_message("%u calls closed, %u open when killed; %lld rows, %lld of them closed\n",
		      counts[FATE_CLOSED], counts[FATE_OPEN], (long long)rows, (long long)closed);
	assert_true(counts[FATE_CLOSED] >= LEAST);
	assert_true(counts[FATE_OPEN] > 0);
	// In each round one call may have been opened, or closed, but not yet told.
	assert_in_range(rows, counts[FATE_CLOSED] + counts[FATE_OPEN],
			counts[FATE_CLOSED] + counts[FATE_OPEN] + ROUNDS);
	assert_in_range(closed, counts[FATE_CLOSED], counts[FATE_CLOSED] + ROUNDS);
	assert_in_range(world_ask(&world, "SELECT count(*) FROM alerts"),
			atomic_load(&notes->alerts), atomic_load(&notes->alerts) + ROUNDS);
	for (unsigned i = 0; i < last && i < CALLS_MAX; i += i % 977 == 0 ? 1 : 97) {
		unsigned fate = atomic_load(&notes->fates[i]);
		if (fate != FATE_NONE)
			check_fate(&world, i, fate);
	}
	check_usage(&world, atomic_load(&notes->items));
	world_remove(&world);
	munmap(notes, sizeof(*notes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_accepted_record_is_one_row_however_often_the_process_is_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
