// The sieve of overload, in a real socket: the share of new calls that is read, and whose.

#include "tests/check.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/counter.h"
#include "sip/guard/overload.h"
#include "sip/guard/sieve.h"

#define CALLS 2000

struct pair {
	int in, out;
};

static struct pair open_pair(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	struct pair pair = { socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0),
			     socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	assert_int_equal(bind(pair.in, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(pair.in, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(pair.out, (struct sockaddr *)&address, size), 0);
	return pair;
}

static void close_pair(struct pair pair)
{
	close(pair.in);
	close(pair.out);
}

static bool passes(struct pair pair, const char *start)
{
	char room[256];
	int size = snprintf(room, sizeof(room), "%s SIP/2.0\r\nCall-ID: 1\r\n\r\n", start);
	assert_int_equal(send(pair.out, room, (size_t)size, 0), size);
	return recv(pair.in, room, sizeof(room), MSG_DONTWAIT) > 0;
}

static bool call_passes(struct pair pair, unsigned number)
{
	char start[128];
	snprintf(start, sizeof(start), "INVITE sip:+4915550%06u@office.example", number);
	return passes(pair, start);
}

static unsigned passed(struct pair pair)
{
	unsigned count = 0;
	for (unsigned i = 0; i < CALLS; i++)
		count += call_passes(pair, i);
	return count;
}

static void a_share_of_the_new_calls_is_read(void **state)
{
	(void)state;
	static const unsigned percents[] = { 0, 5, 25, 75, 100 };
	struct pair pair = open_pair();
	for (unsigned i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		unsigned expected = CALLS * percents[i] / 100, margin = percents[i] % 100 ? 100 : 0;
		assert_true(sip_guard_sieve_set(pair.in, SIP_GUARD_SHARE_ALL * percents[i] / 100,
						0x12345678 + i));
		unsigned count = passed(pair);
		if (count + margin < expected || count > expected + margin)
			fail_msg("%u %%: %u of %u", percents[i], count, CALLS);
	}
	close_pair(pair);
}

// Or the INVITE with credentials would be lost after its challenge had been work.
static void all_invites_of_a_call_meet_the_same_until_the_salt_changes(void **state)
{
	(void)state;
	struct pair pair = open_pair();
	unsigned other = 0;
	assert_true(sip_guard_sieve_set(pair.in, SIP_GUARD_SHARE_ALL / 2, 1));
	bool first[200];
	for (unsigned i = 0; i < 200; i++) {
		first[i] = call_passes(pair, i);
		CHECK_NUMBER(call_passes(pair, i), first[i]);
	}
	assert_true(sip_guard_sieve_set(pair.in, SIP_GUARD_SHARE_ALL / 2, 2));
	for (unsigned i = 0; i < 200; i++)
		other += call_passes(pair, i) != first[i];
	CHECK_TRUE(other > 50 && other < 150);
	close_pair(pair);
}

static void what_goes_on_is_always_read(void **state)
{
	(void)state;
	static const char *const starts[] = {
		"INVITE sip:trunkd@192.0.2.1:5060", // within a call of ours
		"INVITE sips:+14155550100@office.example", // not looked at closely
		"INVITE tel:+14155550100",
		"ACK sip:+14155550100@office.example",
		"BYE sip:trunkd@192.0.2.1",
		"CANCEL sip:+14155550100@office.example",
		"OPTIONS sip:office.example",
		"SIP/2.0 200 OK",
		"\r\n\r\n",
	};
	struct pair pair = open_pair();
	assert_true(sip_guard_sieve_set(pair.in, 0, 7));
	CHECK_NUMBER(passed(pair), 0);
	for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (!passes(pair, starts[i]))
			fail_msg("%s was dropped", starts[i]);
	close_pair(pair);
}

static void without_a_sieve_taking_it_away_does_no_harm(void **state)
{
	(void)state;
	struct pair pair = open_pair();
	assert_true(sip_guard_sieve_set(pair.in, SIP_GUARD_SHARE_ALL, 0));
	CHECK_NUMBER(passed(pair), CALLS);
	close_pair(pair);
}

// Twenty windows in which so many new calls are offered; the share that overload leaves of them.
static double offer(struct sip_guard_overload *overload, unsigned each_window)
{
	uint64_t now_us = 1000000;
	for (unsigned i = 0; i < 100; i++) {
		sip_guard_overload_note(overload, SIP_GUARD_LOOP, 10000); // half of what is allowed
		for (unsigned j = 0; j < each_window * overload->share; j++)
			(void)sip_guard_overload_admit(overload, SIP_GUARD_NEED_PEER,
						       now_us + j * 100);
		now_us += SIP_GUARD_WINDOW_US;
		(void)sip_guard_overload_look(overload, 20000, now_us);
	}
	return overload->share;
}

static void overload_reads_little_more_than_it_can_do(void **state)
{
	(void)state;
	struct sip_guard_overload overload = { .is_on = true, .rate = 1000, .share = 1 };
	double share = offer(&overload, 1000); // ten times
	double read = share * 1000 / (overload.rate / 10);
	if (read < 1.1 || read > 1.5)
		fail_msg("%f of the new calls, %f times what can be done", share, read);
	struct sip_guard_overload light = { .is_on = true, .rate = 1000, .share = 0.1 };
	CHECK_TRUE(offer(&light, 50) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_of_the_new_calls_is_read),
		cmocka_unit_test(all_invites_of_a_call_meet_the_same_until_the_salt_changes),
		cmocka_unit_test(what_goes_on_is_always_read),
		cmocka_unit_test(without_a_sieve_taking_it_away_does_no_harm),
		cmocka_unit_test(overload_reads_little_more_than_it_can_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
