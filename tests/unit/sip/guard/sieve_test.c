// The sieve of overload, in a real socket: the share of new calls that is read, and whose.

#include "tests/check.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "sip/guard/sieve.h"

#define CALLS 2000

struct pair {
	int in, out;
	int family;
};

static struct pair open_pair(int family)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_storage address = { 0 };
	socklen_t size = family == AF_INET ? sizeof(four) : sizeof(six);
	struct pair pair = { socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0),
			     socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), family };
	memcpy(&address, family == AF_INET ? (void *)&four : (void *)&six, size);
	assert_int_equal(bind(pair.in, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(pair.in, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(pair.out, (struct sockaddr *)&address, size), 0);
	return pair;
}

static bool set(struct pair pair, const struct sip_guard_sieve *sieve)
{
	return sip_guard_sieve_set(pair.in, pair.family == AF_INET ? ADDRESS_IPV4 : ADDRESS_IPV6,
				   sieve);
}

static bool set_share(struct pair pair, uint32_t share, uint32_t salt)
{
	return set(pair, &(struct sip_guard_sieve){ .salt = salt, .share = share });
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
	struct pair pair = open_pair(AF_INET);
	for (unsigned i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		unsigned expected = CALLS * percents[i] / 100, margin = percents[i] % 100 ? 100 : 0;
		assert_true(
			set_share(pair, SIP_GUARD_SHARE_ALL * percents[i] / 100, 0x12345678 + i));
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
	struct pair pair = open_pair(AF_INET);
	unsigned other = 0;
	assert_true(set_share(pair, SIP_GUARD_SHARE_ALL / 2, 1));
	bool first[200];
	for (unsigned i = 0; i < 200; i++) {
		first[i] = call_passes(pair, i);
		CHECK_NUMBER(call_passes(pair, i), first[i]);
	}
	assert_true(set_share(pair, SIP_GUARD_SHARE_ALL / 2, 2));
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
	struct pair pair = open_pair(AF_INET);
	assert_true(set_share(pair, 0, 7));
	CHECK_NUMBER(passed(pair), 0);
	for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (!passes(pair, starts[i]))
			fail_msg("%s was dropped", starts[i]);
	close_pair(pair);
}

static void without_a_sieve_taking_it_away_does_no_harm(void **state)
{
	(void)state;
	struct pair pair = open_pair(AF_INET);
	assert_true(set_share(pair, SIP_GUARD_SHARE_ALL, 0));
	CHECK_NUMBER(passed(pair), CALLS);
	close_pair(pair);
}

// Or the part of the window that is on trial would be another than the one that is read lately.
static void reckon(int family, const char *source)
{
	struct sip_guard_sieve sieve = { 0xfedcba98, 60000, 20000 };
	struct pair pair = open_pair(family);
	struct address address;
	CHECK_TRUE(address_parse(text_of(source), &address));
	assert_true(set(pair, &sieve));
	for (unsigned i = 0; i < 500; i++) {
		char start[128];
		int size =
			snprintf(start, sizeof(start), "INVITE sip:+4915550%06u@office.example", i);
		uint32_t place = sip_guard_sieve_place(&sieve, (struct text){ start, (size_t)size },
						       &address);
		CHECK_NUMBER(passes(pair, start), place < sieve.share);
	}
	close_pair(pair);
}

static void the_places_we_reckon_are_those_of_the_kernel(void **state)
{
	(void)state;
	reckon(AF_INET, "127.0.0.1");
	reckon(AF_INET6, "::1");
}

// ---- two sockets

static int open_second(struct pair pair)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int second = socket(pair.family, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	assert_int_equal(getsockname(pair.in, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(setsockopt(pair.in, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(second, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(bind(second, (struct sockaddr *)&address, size), 0);
	return second;
}

// Which of the two has it: 0 or 1.
static unsigned arrives_at(struct pair pair, int second, const char *start)
{
	char room[256];
	bool is_read = passes(pair, start);
	bool is_second = recv(second, room, sizeof(room), MSG_DONTWAIT) > 0;
	CHECK_TRUE(is_read != is_second);
	return is_second;
}

static void what_is_not_read_comes_to_the_second_socket(void **state)
{
	(void)state;
	static const int families[] = { AF_INET, AF_INET6 };
	for (unsigned f = 0; f < 2; f++) {
		struct pair pair = open_pair(families[f]);
		int second = open_second(pair);
		uint8_t family = f == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6;
		struct sip_guard_sieve sieve = { 0xfedcba98, 50000, SIP_GUARD_SHARE_ALL };
		assert_true(sip_guard_sieve_steer(pair.in, family, &sieve));
		for (unsigned i = 0; i < 100; i++) // all
			CHECK_TRUE(call_passes(pair, i));
		sieve.share = SIP_GUARD_SHARE_ALL / 4;
		assert_true(sip_guard_sieve_steer(pair.in, family, &sieve));
		unsigned others = 0;
		for (unsigned i = 0; i < 400; i++) {
			char invite[80], ack[80];
			snprintf(invite, sizeof(invite), "INVITE sip:+4915550%06u@office.example",
				 i);
			snprintf(ack, sizeof(ack), "ACK sip:+4915550%06u@office.example", i);
			unsigned where = arrives_at(pair, second, invite);
			CHECK_NUMBER(arrives_at(pair, second, ack), where);
			others += where;
		}
		CHECK_TRUE(others > 250 && others < 350);
		sieve.share = 0;
		assert_true(sip_guard_sieve_steer(pair.in, family, &sieve));
		CHECK_NUMBER(arrives_at(pair, second, "INVITE sip:trunkd@192.0.2.1:5060"), 0);
		CHECK_NUMBER(arrives_at(pair, second, "ACK sip:trunkd@192.0.2.1:5060"), 0);
		CHECK_NUMBER(arrives_at(pair, second, "BYE sip:+4915550000001@office.example"), 0);
		CHECK_NUMBER(arrives_at(pair, second, "SIP/2.0 200 OK"), 0);
		CHECK_NUMBER(arrives_at(pair, second, "\r\n"), 0);
		close(second);
		close_pair(pair);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_of_the_new_calls_is_read),
		cmocka_unit_test(all_invites_of_a_call_meet_the_same_until_the_salt_changes),
		cmocka_unit_test(what_goes_on_is_always_read),
		cmocka_unit_test(without_a_sieve_taking_it_away_does_no_harm),
		cmocka_unit_test(the_places_we_reckon_are_those_of_the_kernel),
		cmocka_unit_test(what_is_not_read_comes_to_the_second_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
