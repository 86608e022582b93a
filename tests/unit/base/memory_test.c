// Memory touched before it is needed stays what it was.

#include "base/memory.h"

#include <string.h>
#include <sys/mman.h>

#include "tests/check.h"

#define PAGES 3
#define PAGE_SIZE 4096

static unsigned resident(char *room)
{
	unsigned char pages[PAGES];
	unsigned count = 0;
	assert_int_equal(mincore(room, PAGES * PAGE_SIZE, pages), 0);
	for (unsigned i = 0; i < PAGES; i++)
		count += pages[i] & 1;
	return count;
}

static void touched_pages_are_there_and_unchanged(void **state)
{
	(void)state;
	char *room = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(room != MAP_FAILED);
	room[1] = 'a';
	CHECK_NUMBER(resident(room), 1);
	memory_touch(room + 1, PAGES * PAGE_SIZE - 1);
	CHECK_NUMBER(resident(room), PAGES);
	CHECK_NUMBER(room[1], 'a');
	CHECK_NUMBER(room[PAGE_SIZE], 0);
	memory_touch(room, 0);
	memory_touch(NULL, 1);
	(void)munmap(room, PAGES * PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
		touched_pages_are_there_and_unchanged) };
	return RUN_TESTS(tests);
}
