// Identifiers and bounded numbers; that they are unpredictable is the kernel's promise.

#include "tests/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"

static void a_sid_is_its_prefix_and_32_hexadecimal_digits(void **state)
{
	(void)state;
	char first[RANDOM_SID_SIZE], second[RANDOM_SID_SIZE];
	random_sid("CA", first);
	random_sid("CA", second);
	CHECK_NUMBER(strlen(first), 34);
	assert_memory_equal(first, "CA", 2);
	CHECK_NUMBER(strspn(first + 2, "0123456789abcdef"), 32);
	assert_string_not_equal(first, second);
}

static void numbers_below_a_limit_reach_all_of_it_evenly(void **state)
{
	(void)state;
	unsigned seen[7] = { 0 };
	for (int i = 0; i < 7000; i++) {
		uint32_t drawn = random_below(7);
		assert_true(drawn < 7);
		seen[drawn]++;
	}
	for (size_t i = 0; i < 7; i++)
		assert_in_range(seen[i], 700, 1300); // 10 standard deviations
	CHECK_NUMBER(random_below(1), 0);
}

static void hexadecimal_text_has_the_size_asked_for_or_fails(void **state)
{
	(void)state;
	char room[300];
	struct writer writer = writer_of(room, sizeof(room));
	random_write_hex(&writer, 100);
	CHECK_NUMBER(writer_done(&writer).size, 200);
	random_write_hex(&writer, 51);
	CHECK_TRUE(writer.failed);
}

static void filling_touches_every_octet_and_no_more(void **state)
{
	(void)state;
	uint8_t gathered[40] = { 0 };
	for (int round = 0; round < 64; round++) {
		uint8_t room[42] = { 0 };
		random_fill(room + 1, 40);
		CHECK_NUMBER(room[0] + room[41], 0);
		for (size_t i = 0; i < sizeof(gathered); i++)
			gathered[i] |= room[i + 1];
	}
	for (size_t i = 0; i < sizeof(gathered); i++)
		CHECK_NUMBER(gathered[i], 0xff);
	assert_true(random_number() != random_number());
}

#define DRAWN 3000
#define DRAWN_SIZE 10 // an odd share of what is fetched at once

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, DRAWN_SIZE);
}

static void *draw(void *context)
{
	char(*drawn)[DRAWN_SIZE] = context;
	for (unsigned i = 0; i < DRAWN / 3; i++)
		random_fill(drawn[i], DRAWN_SIZE);
	return NULL;
}

static void no_octets_are_handed_out_twice_to_whichever_thread(void **state)
{
	(void)state;
	static char drawn[DRAWN][DRAWN_SIZE];
	pthread_t threads[3];
	for (unsigned i = 0; i < 3; i++)
		CHECK_NUMBER(pthread_create(&threads[i], NULL, draw, &drawn[i * DRAWN / 3]), 0);
	for (unsigned i = 0; i < 3; i++)
		CHECK_NUMBER(pthread_join(threads[i], NULL), 0);
	qsort(drawn, DRAWN, DRAWN_SIZE, compare);
	for (unsigned i = 1; i < DRAWN; i++)
		assert_true(compare(drawn[i - 1], drawn[i]) != 0);
}

static void a_child_draws_other_octets_than_its_parent(void **state)
{
	(void)state;
	char ours[DRAWN_SIZE], theirs[DRAWN_SIZE];
	int ends[2];
	random_fill(ours, sizeof(ours)); // some are left for both
	CHECK_NUMBER(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		random_fill(theirs, sizeof(theirs));
		_exit(write(ends[1], theirs, sizeof(theirs)) != sizeof(theirs));
	}
	random_fill(ours, sizeof(ours));
	CHECK_NUMBER(read(ends[0], theirs, sizeof(theirs)), sizeof(theirs));
	assert_memory_not_equal(ours, theirs, sizeof(ours));
	CHECK_NUMBER(waitpid(child, NULL, 0), child);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_octets_are_handed_out_twice_to_whichever_thread),
		TEST(a_child_draws_other_octets_than_its_parent),
		TEST(a_sid_is_its_prefix_and_32_hexadecimal_digits),
		TEST(numbers_below_a_limit_reach_all_of_it_evenly),
		TEST(hexadecimal_text_has_the_size_asked_for_or_fails),
		TEST(filling_touches_every_octet_and_no_more),
	};
	return RUN_TESTS(tests);
}
