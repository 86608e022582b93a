// Marks of INVITEs that were let in: what is remembered, for how long, and what another thread sees meanwhile.

#include "tests/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "sip/guard/calls.h"

#define PER_S 8000

static struct text call_id(unsigned n, char room[static 16])
{
	return (struct text){ room, (size_t)snprintf(room, 16, "call-%u", n) };
}

static void note(struct sip_guard_calls *calls, unsigned n)
{
	char room[16];
	sip_guard_calls_note(calls, TEXT("SIP/2.0/UDP h;branch=z9hG4bK1"), call_id(n, room));
}

static bool has(const struct sip_guard_calls *calls, unsigned n)
{
	char room[16];
	return sip_guard_calls_has(calls, TEXT("SIP/2.0/UDP h;branch=z9hG4bK1"), call_id(n, room));
}

static struct sip_guard_calls *create(void)
{
	struct sip_guard_calls *calls = calloc(1, sizeof(*calls));
	assert_non_null(calls);
	return calls;
}

static void a_repeat_is_known_and_the_next_invite_of_the_call_is_not(void **state)
{
	(void)state;
	struct sip_guard_calls *calls = create();
	CHECK_TRUE(!has(calls, 1));
	note(calls, 1);
	note(calls, 1);
	CHECK_TRUE(has(calls, 1) && !has(calls, 2));
	// With credentials: a transaction of its own.
	CHECK_TRUE(!sip_guard_calls_has(calls, TEXT("SIP/2.0/UDP h;branch=z9hG4bK2"),
					TEXT("call-1")));
	free(calls);
}

static void it_is_remembered_while_it_is_repeated(void **state)
{
	(void)state;
	struct sip_guard_calls *calls = create();
	unsigned lost = 0;
	for (unsigned n = 0; n < 4 * PER_S; n++) // after 3.5 s the fourth INVITE is sent
		note(calls, n);
	for (unsigned n = 0; n < 4 * PER_S; n++)
		lost += !has(calls, n);
	CHECK_TRUE(lost <= 1); // more than eight in one line of 32,768
	free(calls);
}

static void the_oldest_go(void **state)
{
	(void)state;
	struct sip_guard_calls *calls = create();
	unsigned old = 0, young = 0;
	for (unsigned n = 0; n < 4 * SIP_GUARD_CALLS; n++)
		note(calls, n);
	for (unsigned n = 0; n < SIP_GUARD_CALLS / 8; n++) {
		old += has(calls, n);
		young += has(calls, 4 * SIP_GUARD_CALLS - 1 - n);
	}
	CHECK_TRUE(old < SIP_GUARD_CALLS / 800);
	CHECK_TRUE(young > SIP_GUARD_CALLS / 8 * 99 / 100);
	free(calls);
}

// ---- two threads

struct reader {
	const struct sip_guard_calls *calls;
	_Atomic bool is_over;
	unsigned looks, misses;
};

static void *look(void *context)
{
	struct reader *reader = context;
	do {
		reader->misses += !has(reader->calls, 0);
		reader->looks++;
	} while (!atomic_load(&reader->is_over));
	return NULL;
}

// Marks move on in their line while others look for them.
static void who_looks_meanwhile_misses_none(void **state)
{
	(void)state;
	struct sip_guard_calls *calls = create();
	struct reader reader = { .calls = calls };
	pthread_t thread;
	note(calls, 0);
	assert_int_equal(pthread_create(&thread, NULL, look, &reader), 0);
	for (unsigned n = 1; n < SIP_GUARD_CALLS / 16; n++) // few more than one in most lines
		note(calls, n);
	bool has_stayed = has(calls, 0);
	atomic_store(&reader.is_over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	CHECK_TRUE(reader.looks > 0);
	if (has_stayed)
		CHECK_NUMBER(reader.misses, 0);
	free(calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_repeat_is_known_and_the_next_invite_of_the_call_is_not),
		TEST(it_is_remembered_while_it_is_repeated),
		TEST(the_oldest_go),
		TEST(who_looks_meanwhile_misses_none),
	};
	return RUN_TESTS(tests);
}
