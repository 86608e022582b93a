// A spool that this version cannot read is told of and kept aside, never read as if it could, never lost.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "history/aside.h"
#include "world.h"

#define LAYOUT_OFFSET 8 // in the header, behind the magic
#define SLOT_SIZE_OFFSET 12

static int make(void **state)
{
	static struct world world;
	world_make(&world, 16);
	*state = &world;
	return 0;
}

static int take_down(void **state)
{
	world_remove(*state);
	return 0;
}

// One closed call in the spool and in no database: a directory stands in its place.
static void leave_a_record(struct world *world)
{
	assert_int_equal(mkdir(world->file, 0700), 0);
	assert_int_equal(world_start(world), OK);
	history_call_close(world->history, world_fill(world, "CA01"));
	world_stop(world);
	assert_int_equal(rmdir(world->file), 0);
}

static void write_at(const char *file, off_t offset, const void *data, size_t size)
{
	int fd = open(file, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, offset), size);
	close(fd);
}

static char *read_whole(const char *file, size_t *out_size)
{
	struct stat facts;
	int fd = open(file, O_RDONLY);
	assert_true(fd >= 0 && fstat(fd, &facts) == 0);
	char *content = malloc((size_t)facts.st_size);
	assert_int_equal(read(fd, content, (size_t)facts.st_size), facts.st_size);
	close(fd);
	*out_size = (size_t)facts.st_size;
	return content;
}

static void aside_name(const struct world *world, unsigned number, char out_name[static 128])
{
	snprintf(out_name, 128, "%s.aside-%u", world->spool_file, number);
}

// Starts on what stands in the spool's place: it has to be kept to the octet, and the start to go well.
static void start_beside(struct world *world, unsigned number)
{
	char name[128];
	size_t before_size, after_size;
	char *before = read_whole(world->spool_file, &before_size);
	aside_name(world, number, name);
	assert_int_equal(world_start(world), OK);
	char *after = read_whole(name, &after_size);
	assert_int_equal(after_size, before_size);
	assert_memory_equal(after, before, after_size);
	assert_int_equal(counter_get(&history_counters(world->history)->aside), number);
	assert_int_equal(counter_get(&history_counters(world->history)->spool_used), 0);
	free(before);
	free(after);
}

static void records_of_another_layout_are_kept_and_taken_by_who_knows_it(void **state)
{
	struct world *world = *state;
	char name[128];
	uint32_t layout, other = 4;
	leave_a_record(world);
	size_t size;
	char *content = read_whole(world->spool_file, &size);
	memcpy(&layout, content + LAYOUT_OFFSET, sizeof(layout));
	free(content);
	write_at(world->spool_file, LAYOUT_OFFSET, &other, sizeof(other));
	start_beside(world, 1);
	history_call_close(world->history, world_fill(world, "CA02")); // it works meanwhile
	assert_true(world_wait_written(world, 1, 10000));
	world_stop(world);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls"), 1);
	// Who wrote it finds it whole.
	aside_name(world, 1, name);
	write_at(name, LAYOUT_OFFSET, &layout, sizeof(layout));
	assert_int_equal(rename(name, world->spool_file), 0);
	assert_int_equal(world_start(world), OK);
	assert_int_equal(counter_get(&history_counters(world->history)->aside), 0);
	assert_true(world_wait_written(world, 1, 10000));
	world_stop(world);
	assert_int_equal(world_ask(world, "SELECT count(*) FROM calls WHERE sid='CA01'"), 1);
}

static void another_size_of_its_slots_is_another_layout(void **state)
{
	struct world *world = *state;
	uint32_t size = 64;
	leave_a_record(world);
	write_at(world->spool_file, SLOT_SIZE_OFFSET, &size, sizeof(size));
	start_beside(world, 1);
	world_stop(world);
}

static void what_is_no_spool_is_kept_and_the_names_are_counted_on(void **state)
{
	struct world *world = *state;
	write_at(world->spool_file, 0, "SQLite format 3", 15);
	start_beside(world, 1);
	world_stop(world);
	write_at(world->spool_file, 0, "X", 1); // a damaged one
	start_beside(world, 2);
	world_stop(world);
	assert_int_equal(history_aside_count(world->spool_file), 2);
	assert_int_equal(world_start(world), OK); // told again at each start
	assert_int_equal(counter_get(&history_counters(world->history)->aside), 2);
	world_stop(world);
}

static void an_empty_or_unfinished_one_is_made_anew(void **state)
{
	struct world *world = *state;
	static const char zeros[100];
	write_at(world->spool_file, 0, zeros, sizeof(zeros));
	assert_int_equal(world_start(world), OK);
	world_stop(world);
	uint32_t other = 4;
	write_at(world->spool_file, LAYOUT_OFFSET, &other, sizeof(other)); // nothing waits in it
	assert_int_equal(world_start(world), OK);
	world_stop(world);
	assert_int_equal(history_aside_count(world->spool_file), 0);
}

static void a_full_shelf_refuses_the_start_rather_than_lose(void **state)
{
	struct world *world = *state;
	char name[128];
	leave_a_record(world);
	uint32_t other = 4;
	write_at(world->spool_file, LAYOUT_OFFSET, &other, sizeof(other));
	for (unsigned i = 1; i <= 32; i++) {
		aside_name(world, i, name);
		write_at(name, 0, "x", 1);
	}
	assert_int_equal(world_start(world), ERR_CONFLICT);
	for (unsigned i = 1; i <= 32; i++) {
		aside_name(world, i, name);
		assert_int_equal(unlink(name), 0);
	}
	start_beside(world, 1);
	world_stop(world);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, make, take_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(records_of_another_layout_are_kept_and_taken_by_who_knows_it),
		WORLD_TEST(another_size_of_its_slots_is_another_layout),
		WORLD_TEST(what_is_no_spool_is_kept_and_the_names_are_counted_on),
		WORLD_TEST(an_empty_or_unfinished_one_is_made_anew),
		WORLD_TEST(a_full_shelf_refuses_the_start_rather_than_lose),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
