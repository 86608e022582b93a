// What is accepted is one row, whatever the database, the disk or a second process do meanwhile.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "history/column.h"
#include "world.h"

struct found {
	struct history_call calls[64];
	unsigned count;
	bool is_done;
};

static void found(void *context, const struct history_call *call)
{
	struct found *result = context;
	assert_false(result->is_done);
	if (!call)
		result->is_done = true;
	else if (result->count < 64)
		result->calls[result->count++] = *call;
}

static void search(struct world *world, const char *sid, unsigned max, struct found *out_found)
{
	memset(out_found, 0, sizeof(*out_found));
	assert_int_equal(history_search(world->history, sid, max, found, out_found), OK);
	for (unsigned i = 0; i < 400 && !out_found->is_done; i++)
		world_turn(world, 5);
	assert_true(out_found->is_done);
}

static void a_closed_call_is_found_again_with_every_field(void **state)
{
	struct world *world = *state;
	struct found result;
	assert_int_equal(world_start(world), OK);
	struct history_call *call = world_fill(world, "CA01");
	call->answer_ms = call->start_ms + 1500;
	call->end_ms = call->start_ms + 61500;
	call->ended_by = HISTORY_END_CALLED;
	call->attempts = 2;
	call->alert_code = 32010;
	call->caller.packets = 1ull << 40;
	call->caller.jitter_us = 1234;
	call->caller.ttl_lowest = 57;
	call->called.lost = 7;
	struct history_call wanted = *call;
	wanted.billed_s = 60; // without prices: whole seconds
	history_call_close(world->history, call);
	search(world, "CA01", 1, &result); // no wait: a search sees what was closed before it
	assert_int_equal(result.count, 1);
	assert_memory_equal(&result.calls[0], &wanted, sizeof(wanted));
	world_stop(world);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls WHERE ringing_ms IS NULL AND "
					  "called_ttl_lowest IS NULL AND ended_by='called' AND "
					  "answer_ms-start_ms=1500"),
			 1);
}

static void a_search_gives_the_newest_first_and_no_more_than_asked(void **state)
{
	struct world *world = *state;
	struct found result;
	char sid[35];
	assert_int_equal(world_start(world), OK);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(sid, sizeof(sid), "CA%02u", i);
		struct history_call *call = world_fill(world, sid);
		call->start_ms += i;
		history_call_close(world->history, call);
	}
	search(world, NULL, 5, &result);
	assert_int_equal(result.count, 5);
	assert_string_equal(result.calls[0].sid, "CA19");
	assert_string_equal(result.calls[4].sid, "CA15");
	search(world, "CA99", 5, &result);
	assert_int_equal(result.count, 0);
	assert_int_equal(history_search(world->history,
					"CA0123456789012345678901234567890123456789", 1, found,
					&result),
			 ERR_MALFORMED);
	world_stop(world);
}

static void files_are_for_the_owner_alone(void **state)
{
	struct world *world = *state;
	struct stat facts;
	assert_int_equal(world_start(world), OK);
	history_call_close(world->history, world_fill(world, "CA01"));
	assert_true(world_wait_written(world, 1, 3000));
	assert_int_equal(stat(world->file, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	assert_int_equal(stat(world->spool_file, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	world_stop(world);
}

static void a_spool_serves_one_process_at_a_time(void **state)
{
	struct world *world = *state, second = *world;
	assert_int_equal(world_start(world), OK);
	assert_int_equal(world_start(&second), ERR_CONFLICT);
	world_stop(world);
	assert_int_equal(world_start(&second), OK);
	world_stop(&second);
}

// A directory stands where the database should be: nothing can be written until it goes away.
static void records_wait_while_the_database_is_away_and_a_full_spool_refuses(void **state)
{
	struct world *world = *state;
	char sid[35];
	assert_int_equal(mkdir(world->file, 0700), 0);
	assert_int_equal(world_start(world), OK);
	const struct history_counters *counters = history_counters(world->history);
	for (unsigned i = 0; i < 64; i++) {
		snprintf(sid, sizeof(sid), "CA%02u", i);
		struct history_call *call = world_fill(world, sid);
		assert_non_null(call);
		history_call_close(world->history, call);
	}
	assert_null(world_fill(world, "CA64"));
	struct history_alert alert = { .code = 32001, .at_ms = 5 };
	assert_false(history_alert_write(world->history, &alert));
	assert_int_equal(counter_get(&counters->refused), 2);
	assert_int_equal(counter_get(&counters->spool_used), 64);
	world_turn(world, 200);
	assert_true(counter_get(&counters->failures) > 0);
	assert_int_equal(counter_get(&counters->written), 0);
	assert_int_equal(rmdir(world->file), 0);
	assert_true(world_wait_written(world, 64, 5000));
	assert_non_null(world_fill(world, "CA65")); // room again
	world_stop(world);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls"), 64);
}

static void a_database_moved_away_is_made_anew(void **state)
{
	struct world *world = *state;
	char aside[128];
	snprintf(aside, sizeof(aside), "%s.aside", world->file);
	assert_int_equal(world_start(world), OK);
	history_call_close(world->history, world_fill(world, "CA01"));
	assert_true(world_wait_written(world, 1, 3000));
	assert_int_equal(rename(world->file, aside), 0);
	history_call_close(world->history, world_fill(world, "CA02"));
	assert_true(world_wait_written(world, 2, 3000));
	world_stop(world);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls WHERE sid='CA02'"), 1);
}

static void a_record_written_before_is_not_written_twice(void **state)
{
	struct world *world = *state;
	assert_int_equal(world_start(world), OK);
	for (unsigned i = 0; i < 3; i++) // as after a crash between the commit and freeing the slot
		history_call_close(world->history, world_fill(world, "CA01"));
	assert_true(world_wait_written(world, 3, 3000));
	world_stop(world);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls"), 1);
}

static void alerts_are_remembered_newest_first_over_a_restart(void **state)
{
	struct world *world = *state;
	struct history_alert alerts[300], alert = { .text = "add the address to the ACL" };
	assert_int_equal(world_start(world), OK);
	for (unsigned i = 0; i < 10; i++) {
		alert.code = 32000 + i;
		alert.at_ms = 1000 + i;
		assert_true(history_alert_write(world->history, &alert));
	}
	assert_true(world_wait_written(world, 10, 3000));
	world_stop(world);
	assert_int_equal(world_start(world), OK);
	alert.code = 32500;
	assert_true(history_alert_write(world->history, &alert));
	for (unsigned i = 0; i < 400 && history_alerts(world->history, alerts, 300) < 11; i++)
		world_turn(world, 5);
	assert_int_equal(history_alerts(world->history, alerts, 300), 11);
	assert_int_equal(alerts[0].code, 32500);
	assert_int_equal(alerts[1].code, 32009);
	assert_int_equal(alerts[10].code, 32000);
	assert_string_equal(alerts[10].text, "add the address to the ACL");
	for (unsigned i = 0; i < 40; i++) {
		alert.code = 33000 + i;
		assert_true(history_alert_write(world->history, &alert));
	}
	assert_int_equal(history_alerts(world->history, alerts, 3), 3);
	assert_int_equal(alerts[2].code, 33037);
	world_stop(world);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM alerts"), 51);
}

static void a_spool_of_another_size_is_emptied_before_it_changes(void **state)
{
	struct world *world = *state;
	assert_int_equal(mkdir(world->file, 0700), 0);
	assert_int_equal(world_start(world), OK);
	history_call_close(world->history, world_fill(world, "CA01"));
	world_stop(world);
	world->records = 32;
	assert_int_equal(world_start(world), OK);
	assert_int_equal(rmdir(world->file), 0);
	assert_true(world_wait_written(world, 1, 5000));
	world_stop(world);
	assert_int_equal(world_start(world), OK); // now it is made anew
	for (unsigned i = 0; i < 32; i++)
		assert_non_null(history_call_open(world->history));
	assert_null(history_call_open(world->history));
	world_stop(world);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls"), 1);
}

static void a_newer_schema_is_left_alone(void **state)
{
	struct world *world = *state;
	assert_int_equal(world_start(world), OK);
	world_turn(world, 100);
	world_stop(world);
	(void)world_ask(world, "PRAGMA user_version=99");
	assert_int_equal(world_start(world), OK);
	history_call_close(world->history, world_fill(world, "CA01"));
	world_turn(world, 150);
	assert_int_equal(counter_get(&history_counters(world->history)->written), 0);
	world_stop(world);
	char sql[64];
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", HISTORY_SCHEMA_VERSION);
	(void)world_ask(world, sql);
	assert_int_equal(world_start(world), OK);
	assert_true(world_wait_written(world, 1, 3000));
	world_stop(world);
}

static void drop_new_columns(const struct world *world, const struct history_table *table)
{
	for (unsigned i = 0; i < table->column_count; i++) {
		char sql[128];
		snprintf(sql, sizeof(sql), "ALTER TABLE %s DROP COLUMN %s", table->name,
			 table->columns[i].name);
		if (table->columns[i].since > 1)
			(void)world_ask(world, sql);
	}
}

// A file as the first version made it: its rows stay, the new columns come.
static void an_older_schema_gets_the_new_columns(void **state)
{
	struct world *world = *state;
	const struct history_table *tables[] = { history_column_calls(), history_column_alerts() };
	assert_int_equal(world_start(world), OK);
	history_call_close(world->history, world_fill(world, "CA01"));
	assert_true(world_wait_written(world, 1, 3000));
	world_stop(world);
	for (unsigned i = 0; i < 2; i++)
		drop_new_columns(world, tables[i]);
	(void)world_ask(world, "DROP TABLE usage");
	(void)world_ask(world, "DROP TABLE usage_months");
	(void)world_ask(world, "DROP TABLE notifications");
	(void)world_ask(world, "PRAGMA user_version=1");
	assert_int_equal(world_start(world), OK);
	struct history_call *call = world_fill(world, "CA02");
	(void)text_copy(TEXT("nothing_arrives"), call->caller.verdict,
			sizeof(call->caller.verdict));
	call->called.peer_lost = -3;
	call->called.mos = 441;
	call->is_secure = 1;
	history_call_close(world->history, call);
	assert_true(world_wait_written(world, 1, 3000));
	world_stop(world);
	assert_int_equal(world_ask(world, "PRAGMA user_version"), HISTORY_SCHEMA_VERSION);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls"), 2);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls WHERE sid='CA02' AND "
					  "caller_verdict='nothing_arrives' AND called_mos=441 AND "
					  "called_peer_lost=-3 AND secure=1 AND caller_suite=''"),
			 1);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls WHERE sid='CA01' AND "
					  "caller_verdict IS NULL"),
			 1);
}

static void fill_with_old_and_new(struct world *world, unsigned count)
{
	struct clock clock;
	clock_update(&clock);
	for (unsigned i = 0; i < count; i++) {
		char sid[35];
		snprintf(sid, sizeof(sid), "CA%05u", i);
		struct history_call *call = world_fill(world, sid);
		struct history_alert alert = { .code = 32000 };
		if (!call) {
			world_turn(world, 10);
			i--;
			continue;
		}
		call->start_ms = clock.wall_ms - (count - i) * 3600000ull; // an hour apart
		alert.at_ms = call->start_ms;
		history_call_close(world->history, call);
		while (!history_alert_write(world->history, &alert))
			world_turn(world, 10);
	}
}

static void what_is_too_old_goes(void **state)
{
	struct world *world = *state;
	world->retention = (struct history_retention){ .days = 2, .alerts_days = 1 };
	assert_int_equal(world_start(world), OK);
	fill_with_old_and_new(world, 2000);
	assert_true(world_wait_written(world, 4000, 10000));
	world_stop(world);
	assert_int_equal(world_start(world), OK); // looks at once, and again until nothing is left
	for (unsigned i = 0; i < 400 && world_ask(world, "SELECT count(*) FROM calls") > 48; i++)
		world_turn(world, 20);
	world_stop(world);
	assert_in_range(world_ask(world, "SELECT count(*) FROM calls"), 47, 48);
	assert_in_range(world_ask(world, "SELECT count(*) FROM alerts"), 23, 24);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls WHERE sid='CA01999'"), 1);
}

static void what_is_too_much_goes(void **state)
{
	struct world *world = *state;
	world->retention = (struct history_retention){ .rows = 30 };
	assert_int_equal(world_start(world), OK);
	fill_with_old_and_new(world, 1500);
	assert_true(world_wait_written(world, 3000, 10000));
	uint64_t retired = counter_get(&history_counters(world->history)->retired);
	world_stop(world);
	assert_int_equal(world_start(world), OK);
	for (unsigned i = 0;
	     i < 400 &&
	     retired + counter_get(&history_counters(world->history)->retired) < 2 * 1470;
	     i++)
		world_turn(world, 20);
	world_stop(world);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls"), 30);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM alerts"), 30);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls WHERE sid='CA01499'"), 1);
}

// Until all is written or the disk is seen to be full; then nothing is waited for any more.
static void let_it_write(struct world *world)
{
	const struct history_counters *counters = history_counters(world->history);
	for (unsigned i = 0; i < 2000 && counter_get(&counters->spool_used) > 0 &&
			     counter_get(&counters->failures) == 0;
	     i++)
		world_turn(world, 5);
}

// In a child, because the limit holds for the whole process: the database can't grow, as on a full
// disk. What was accepted is in the spool and gets written by the next process.
static void fill_a_full_disk(struct world *world)
{
	struct rlimit limit = { 320 * 1024,
				320 * 1024 }; // above the spool, below the database's need
	signal(SIGXFSZ, SIG_IGN);
	if (world_start(world) != OK)
		_exit(1);
	if (!world_wait_written(world, 0, 100) || setrlimit(RLIMIT_FSIZE, &limit) < 0)
		_exit(2);
	char sid[35];
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(sid, sizeof(sid), "CA%04u", i);
		struct history_call *call = world_fill(world, sid);
		if (!call)
			break;
		memset(call->ladder, 'x', sizeof(call->ladder) - 1);
		history_call_close(world->history, call);
		if (i % 32 == 31)
			let_it_write(world);
	}
	const struct history_counters *counters = history_counters(world->history);
	bool is_full = counter_get(&counters->refused) == 1 &&
		       counter_get(&counters->failures) > 0 &&
		       counter_get(&counters->spool_used) == world->records;
	uint32_t accepted = (uint32_t)counter_get(&counters->calls);
	char path[128];
	snprintf(path, sizeof(path), "%s.aside", world->file);
	FILE *note = fopen(path, "w");
	if (!is_full || !note || fwrite(&accepted, sizeof(accepted), 1, note) != 1)
		_exit(3);
	fclose(note);
	_exit(0); // no stop: as killed
}

static void a_full_disk_loses_nothing_that_was_accepted(void **state)
{
	struct world *world = *state;
	char path[128];
	int result;
	uint32_t accepted = 0;
	pid_t child = fork();
	if (child == 0)
		fill_a_full_disk(world);
	assert_int_equal(waitpid(child, &result, 0), child);
	assert_true(WIFEXITED(result));
	assert_int_equal(WEXITSTATUS(result), 0);
	snprintf(path, sizeof(path), "%s.aside", world->file);
	FILE *note = fopen(path, "r");
	assert_non_null(note);
	assert_int_equal(fread(&accepted, sizeof(accepted), 1, note), 1);
	fclose(note);
	assert_true(accepted > world->records);
	assert_int_equal(world_start(world), OK);
	world_stop(world); // not before what the spool held is written
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls"), accepted);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls WHERE ended_by='caller'"),
			 accepted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
		TEST(a_closed_call_is_found_again_with_every_field),
		TEST(a_search_gives_the_newest_first_and_no_more_than_asked),
		TEST(files_are_for_the_owner_alone),
		TEST(a_spool_serves_one_process_at_a_time),
		TEST(records_wait_while_the_database_is_away_and_a_full_spool_refuses),
		TEST(a_database_moved_away_is_made_anew),
		TEST(a_record_written_before_is_not_written_twice),
		TEST(alerts_are_remembered_newest_first_over_a_restart),
		TEST(a_spool_of_another_size_is_emptied_before_it_changes),
		TEST(a_newer_schema_is_left_alone),
		TEST(an_older_schema_gets_the_new_columns),
		TEST(what_is_too_old_goes),
		TEST(what_is_too_much_goes),
		TEST(a_full_disk_loses_nothing_that_was_accepted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
