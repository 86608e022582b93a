// Which of two sockets of one address a datagram comes to, in real ones.

#include "tests/check.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip/guard/steer.h"

enum place { FIRST, SECOND };

struct sockets {
	int first, second, sender;
};

static struct sockets open_sockets(int family)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_storage address = { 0 };
	socklen_t size = family == AF_INET ? sizeof(four) : sizeof(six);
	struct sockets sockets = { socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0),
				   socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0),
				   socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	int on = 1;
	memcpy(&address, family == AF_INET ? (void *)&four : (void *)&six, size);
	assert_int_equal(bind(sockets.first, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(sockets.first, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(setsockopt(sockets.first, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(sockets.second, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(bind(sockets.second, (struct sockaddr *)&address, size), 0);
	assert_int_equal(connect(sockets.sender, (struct sockaddr *)&address, size), 0);
	return sockets;
}

static void close_sockets(struct sockets sockets)
{
	close(sockets.first);
	close(sockets.second);
	close(sockets.sender);
}

static enum place place_of(struct sockets sockets, struct text octets)
{
	char room[8192];
	assert_int_equal(send(sockets.sender, octets.data, octets.size, 0), octets.size);
	bool is_first = recv(sockets.first, room, sizeof(room), MSG_DONTWAIT) > 0;
	bool is_second = recv(sockets.second, room, sizeof(room), MSG_DONTWAIT) > 0;
	CHECK_TRUE(is_first != is_second);
	return is_second ? SECOND : FIRST;
}

// "<start> SIP/2.0" and a header, filled up to `size` octets if it has fewer.
static struct text message(const char *start, size_t size, char room[static 8192])
{
	int written = snprintf(room, 8192, "%s SIP/2.0\r\nCall-ID: 1\r\nX: ", start);
	size_t used = (size_t)written;
	while (used + 4 < size)
		room[used++] = 'x';
	memcpy(room + used, "\r\n\r\n", 4);
	return (struct text){ room, used + 4 };
}

static const char *const new_calls[] = {
	"INVITE sip:+4915550000001@office.example",
	"INVITE sip:0@office.example;user=phone",
	"INVITE sip:tr@office.example",
};

static const char *const all_else[] = {
	"INVITE sip:trunkd@192.0.2.1:5060", // within a call of ours
	"INVITE sips:+14155550100@office.example", // not looked at closely
	"INVITE tel:+14155550100",
	"ACK sip:trunkd@192.0.2.1:5060",
	"BYE sip:+4915550000001@office.example",
	"CANCEL sip:+14155550100@office.example",
	"OPTIONS sip:office.example",
	"SIP/2.0 200 OK",
	"\r\n\r\n",
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void new_calls_come_to_the_door_and_nothing_else(int family)
{
	char room[8192];
	struct sockets sockets = open_sockets(family);
	assert_true(sip_guard_steer(sockets.first, true));
	for (unsigned i = 0; i < COUNT(new_calls); i++) {
		struct text invite = message(new_calls[i], 0, room);
		CHECK_NUMBER(place_of(sockets, invite), SECOND);
		CHECK_TRUE(sip_guard_steer_takes(invite));
	}
	for (unsigned i = 0; i < COUNT(all_else); i++) {
		struct text other = message(all_else[i], 0, room);
		if (place_of(sockets, other) != FIRST)
			fail_msg("%s", all_else[i]);
		CHECK_TRUE(!sip_guard_steer_takes(other));
	}
	CHECK_NUMBER(place_of(sockets, message("ACK sip:+1@office.example", 0, room)), SECOND);
	CHECK_NUMBER(place_of(sockets, TEXT("INVITE")), FIRST);
	CHECK_NUMBER(place_of(sockets, TEXT("x")), FIRST);
	close_sockets(sockets);
}

static void by_ipv4(void **state)
{
	(void)state;
	new_calls_come_to_the_door_and_nothing_else(AF_INET);
}

static void by_ipv6(void **state)
{
	(void)state;
	new_calls_come_to_the_door_and_nothing_else(AF_INET6);
}

static void what_is_too_large_for_the_door_comes_to_the_thread(void **state)
{
	(void)state;
	char room[8192];
	struct sockets sockets = open_sockets(AF_INET);
	assert_true(sip_guard_steer(sockets.first, true));
	for (size_t size = SIP_GUARD_STEER_MAX - 1; size <= SIP_GUARD_STEER_MAX + 1; size++) {
		struct text invite = message(new_calls[0], size, room);
		CHECK_NUMBER(invite.size, size);
		enum place expected = size <= SIP_GUARD_STEER_MAX ? SECOND : FIRST;
		CHECK_NUMBER(place_of(sockets, invite), expected);
		CHECK_NUMBER(sip_guard_steer_takes(invite), expected == SECOND);
	}
	close_sockets(sockets);
}

static void all_comes_to_the_thread_when_it_is_over(void **state)
{
	(void)state;
	char room[8192];
	struct sockets sockets = open_sockets(AF_INET);
	for (unsigned round = 0; round < 2; round++) {
		assert_true(sip_guard_steer(sockets.first, false));
		for (unsigned i = 0; i < COUNT(new_calls); i++)
			CHECK_NUMBER(place_of(sockets, message(new_calls[i], 0, room)), FIRST);
		assert_true(sip_guard_steer(sockets.second, true)); // either will do
		CHECK_NUMBER(place_of(sockets, message(new_calls[0], 0, room)), SECOND);
	}
	close_sockets(sockets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_ipv4),
		TEST(by_ipv6),
		TEST(what_is_too_large_for_the_door_comes_to_the_thread),
		TEST(all_comes_to_the_thread_when_it_is_over),
	};
	return RUN_TESTS(tests);
}
