// INVITEs that were let in: what is remembered, for how long, and what another thread sees meanwhile.

#include "tests/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "sip/guard/taken.h"

#define PER_S 8000

static const struct address source = { .family = ADDRESS_IPV4,
				       .octets = { 192, 0, 2, 7 },
				       .port = 5060 };

static struct text call_id(unsigned n, char room[static 16])
{
	return (struct text){ room, (size_t)snprintf(room, 16, "call-%u", n) };
}

static void note(struct sip_guard_taken *taken, unsigned n)
{
	char room[16];
	sip_guard_taken_note(taken, &source, TEXT("SIP/2.0/UDP h;branch=z9hG4bK1"),
			     call_id(n, room));
}

static bool has(const struct sip_guard_taken *taken, unsigned n)
{
	char room[16];
	return sip_guard_taken_has(taken, &source, TEXT("SIP/2.0/UDP h;branch=z9hG4bK1"),
				   call_id(n, room));
}

static struct sip_guard_taken *create(void)
{
	struct sip_guard_taken *taken = calloc(1, sizeof(*taken));
	assert_non_null(taken);
	return taken;
}

static void a_repeat_is_known_and_the_next_invite_of_the_call_is_not(void **state)
{
	(void)state;
	struct sip_guard_taken *taken = create();
	CHECK_TRUE(!has(taken, 1));
	note(taken, 1);
	note(taken, 1);
	CHECK_TRUE(has(taken, 1) && !has(taken, 2));
	// With credentials: a transaction of its own.
	CHECK_TRUE(!sip_guard_taken_has(taken, &source, TEXT("SIP/2.0/UDP h;branch=z9hG4bK2"),
					TEXT("call-1")));
	// Of another host behind another NAT, who counts as well (RFC 3261 17.2.3); its port may change.
	struct address other = source;
	other.port++;
	CHECK_TRUE(sip_guard_taken_has(taken, &other, TEXT("SIP/2.0/UDP h;branch=z9hG4bK1"),
				       TEXT("call-1")));
	other.octets[3]++;
	CHECK_TRUE(!sip_guard_taken_has(taken, &other, TEXT("SIP/2.0/UDP h;branch=z9hG4bK1"),
					TEXT("call-1")));
	free(taken);
}

static void it_is_remembered_while_it_is_repeated(void **state)
{
	(void)state;
	struct sip_guard_taken *taken = create();
	unsigned lost = 0;
	for (unsigned n = 0; n < 4 * PER_S; n++) // after 3.5 s the fourth INVITE is sent
		note(taken, n);
	for (unsigned n = 0; n < 4 * PER_S; n++)
		lost += !has(taken, n);
	CHECK_TRUE(lost <= 1); // more than eight in one line of 32,768
	free(taken);
}

static void the_oldest_go(void **state)
{
	(void)state;
	struct sip_guard_taken *taken = create();
	unsigned old = 0, young = 0;
	for (unsigned n = 0; n < 4 * SIP_GUARD_TAKEN; n++)
		note(taken, n);
	for (unsigned n = 0; n < SIP_GUARD_TAKEN / 8; n++) {
		old += has(taken, n);
		young += has(taken, 4 * SIP_GUARD_TAKEN - 1 - n);
	}
	CHECK_TRUE(old < SIP_GUARD_TAKEN / 800);
	CHECK_TRUE(young > SIP_GUARD_TAKEN / 8 * 99 / 100);
	free(taken);
}

// ---- two threads

struct reader {
	const struct sip_guard_taken *taken;
	_Atomic bool is_over;
	unsigned looks, misses;
};

static void *look(void *context)
{
	struct reader *reader = context;
	do {
		reader->misses += !has(reader->taken, 0);
		reader->looks++;
	} while (!atomic_load(&reader->is_over));
	return NULL;
}

// Marks move on in their line while others look for them.
static void who_looks_meanwhile_misses_none(void **state)
{
	(void)state;
	struct sip_guard_taken *taken = create();
	struct reader reader = { .taken = taken };
	pthread_t thread;
	note(taken, 0);
	assert_int_equal(pthread_create(&thread, NULL, look, &reader), 0);
	for (unsigned n = 1; n < SIP_GUARD_TAKEN / 16; n++) // few more than one in most lines
		note(taken, n);
	bool has_stayed = has(taken, 0);
	atomic_store(&reader.is_over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	CHECK_TRUE(reader.looks > 0);
	if (has_stayed)
		CHECK_NUMBER(reader.misses, 0);
	free(taken);
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
