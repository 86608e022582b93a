// ICMP errors about media: what they speak of, whoever sent them and whatever stands in them.

#include "tests/check.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/quality/unreachable.h"

static const uint8_t ipv4_error[] = {
	0x45, 0,    0,    56,   0,   0,   0,    0, 64,  1,
	0,    0,    203,  0,    113, 10,  192,  0, 2,   2, // who says it, to us
	3,    3,    0,    0,    0,   0,   0,    0, // port unreachable
	0x45, 0,    0,    200,  0,   0,   0x40, 0, 63,  17,
	0,    0,    192,  0,    2,   2,   203,  0, 113, 10, // what we sent
	0x27, 0x10, 0x75, 0x30, 0,   180, 0,    0, // from 10000 to 30000
};

static const uint8_t ipv6_error[] = {
	1,    4,    0,    0,    0, 0,   0,  0, // port unreachable
	0x60, 0,    0,    0,    0, 180, 17, 63, // what we sent
	0x20, 1,    0xd,  0xb8, 0, 0,   0,  0,  0, 0, 0, 0, 0, 0, 0, 1, // from
	0x20, 1,    0xd,  0xb8, 0, 0,   0,  0,  0, 0, 0, 0, 0, 0, 0, 2, // to
	0x27, 0x12, 0x75, 0x30, 0, 180, 0,  0, // from 10002 to 30000
};

static void check_address(const struct address *address, const char *expected)
{
	char room[ADDRESS_TEXT_SIZE];
	CHECK_STRING(address_string(address, room), expected);
}

static void an_error_names_what_was_sent_and_where(void **state)
{
	(void)state;
	struct unreachable_packet packet;
	CHECK_TRUE(unreachable_parse(ADDRESS_IPV4, ipv4_error, sizeof(ipv4_error), &packet));
	check_address(&packet.source, "192.0.2.2:10000");
	check_address(&packet.destination, "203.0.113.10:30000");
	CHECK_TRUE(unreachable_parse(ADDRESS_IPV6, ipv6_error, sizeof(ipv6_error), &packet));
	check_address(&packet.source, "[2001:db8::1]:10002");
	check_address(&packet.destination, "[2001:db8::2]:30000");
}

static void options_in_both_headers_are_passed_over(void **state)
{
	(void)state;
	uint8_t octets[sizeof(ipv4_error) + 8];
	struct unreachable_packet packet;
	memset(octets, 1, sizeof(octets)); // no-operation options
	memcpy(octets, ipv4_error, 20);
	memcpy(octets + 24, ipv4_error + 20, 28);
	memcpy(octets + 56, ipv4_error + 48, 8);
	octets[0] = 0x46;
	octets[32] = 0x46;
	CHECK_TRUE(unreachable_parse(ADDRESS_IPV4, octets, sizeof(octets), &packet));
	check_address(&packet.destination, "203.0.113.10:30000");
}

static void whatever_is_cut_off_is_no_error(void **state)
{
	(void)state;
	struct unreachable_packet packet;
	for (size_t size = 0; size < sizeof(ipv4_error); size++) {
		uint8_t *exact = malloc(size + 1); // so that a sanitizer sees a read beyond
		memcpy(exact, ipv4_error, size);
		CHECK_FALSE(unreachable_parse(ADDRESS_IPV4, exact, size, &packet));
		free(exact);
	}
	for (size_t size = 0; size < sizeof(ipv6_error); size++)
		CHECK_FALSE(unreachable_parse(ADDRESS_IPV6, ipv6_error, size, &packet));
}

static void what_is_no_such_error_is_passed_over(void **state)
{
	(void)state;
	static const struct {
		unsigned at;
		uint8_t octet;
	} changes[] = {
		{ 0, 0x65 }, // no IPv4
		{ 0, 0x44 }, // a header shorter than any
		{ 0, 0x4f }, // longer than what is there
		{ 7, 1 }, // a later fragment
		{ 9, 17 }, // no ICMP
		{ 20, 11 }, // time exceeded
		{ 20, 0 }, // an echo reply
		{ 21, 4 }, // too large
		{ 28, 0x65 }, // about no IPv4
		{ 28, 0x43 }, // about a header shorter than any
		{ 28, 0x4f }, // longer than what is there
		{ 35, 8 }, // about a later fragment, which has no ports
		{ 37, 6 }, // about TCP
	};
	for (unsigned i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint8_t octets[sizeof(ipv4_error)];
		struct unreachable_packet packet;
		memcpy(octets, ipv4_error, sizeof(octets));
		octets[changes[i].at] = changes[i].octet;
		if (unreachable_parse(ADDRESS_IPV4, octets, sizeof(octets), &packet))
			fail_msg("change %u was taken", i);
	}
	uint8_t octets[sizeof(ipv6_error)];
	struct unreachable_packet packet;
	memcpy(octets, ipv6_error, sizeof(octets));
	octets[0] = 2; // too large
	CHECK_FALSE(unreachable_parse(ADDRESS_IPV6, octets, sizeof(octets), &packet));
	octets[0] = 1;
	octets[14] = 44; // a fragment's header
	CHECK_FALSE(unreachable_parse(ADDRESS_IPV6, octets, sizeof(octets), &packet));
}

struct heard {
	struct address source; // whose errors are waited for
	unsigned count;
	struct unreachable_packet packet;
};

static bool tell(void *context, const struct unreachable_packet *packet)
{
	struct heard *heard = context;
	if (!address_is_equal(&packet->source, &heard->source))
		return false;
	heard->packet = *packet;
	heard->count++;
	return true;
}

// A socket on the loopback of that family, and its address; -1: the machine has none of it.
static int open_socket(const char *host, struct address *out_address)
{
	struct sockaddr_storage kernel;
	struct address address;
	assert_true(address_parse(text_of(host), &address));
	socklen_t size = address_to_sockaddr(&address, &kernel);
	int fd = socket(kernel.ss_family, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&kernel, size) != 0)
		return -1;
	size = sizeof(kernel);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&kernel, &size), 0);
	assert_true(address_from_sockaddr((struct sockaddr *)&kernel, out_address));
	return fd;
}

// Sends to a port that was closed just now, and waits for what comes back.
static void hear_from(const char *host)
{
	struct event_base *loop = event_base_new();
	struct unreachable *unreachable = NULL;
	struct heard heard = { .count = 0 };
	struct address gone;
	struct sockaddr_storage kernel;
	struct timeval turn = { .tv_usec = 10000 };
	int fd = open_socket(host, &heard.source), other = open_socket(host, &gone);
	assert_true(other < 0 || close(other) == 0);
	enum status status = unreachable_start(loop, tell, &heard, &unreachable);
	if (fd >= 0 && status == OK) {
		socklen_t size = address_to_sockaddr(&gone, &kernel);
		assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&kernel, size), 1);
		for (unsigned i = 0; i < 200 && heard.count == 0; i++) {
			(void)event_base_loopexit(loop, &turn);
			(void)event_base_dispatch(loop);
		}
		CHECK_NUMBER(heard.count, 1);
		CHECK_TRUE(address_is_equal(&heard.packet.destination, &gone));
		CHECK_NUMBER(counter_get(&unreachable_counters(unreachable)->counted), 1);
	} else {
		CHECK_TRUE(fd < 0 || status == ERR_FORBIDDEN);
	}
	unreachable_stop(unreachable);
	if (fd >= 0)
		(void)close(fd);
	event_base_free(loop);
}

static void what_comes_back_from_a_closed_port_is_heard(void **state)
{
	(void)state;
	hear_from("127.0.0.1");
	hear_from("::1");
}

static bool never(void *context, const struct unreachable_packet *packet)
{
	(void)context;
	(void)packet;
	return false;
}

// Whoever runs this is root, and it opens, or is not, and it says so.
static void it_starts_or_says_that_it_may_not(void **state)
{
	(void)state;
	struct event_base *loop = event_base_new();
	struct unreachable *unreachable = NULL;
	enum status status = unreachable_start(loop, never, NULL, &unreachable);
	if (geteuid() == 0 && status == OK) {
		CHECK_NUMBER(counter_get(&unreachable_counters(unreachable)->counted), 0);
	} else {
		CHECK_STATUS(status, ERR_FORBIDDEN);
		CHECK_TRUE(unreachable == NULL);
	}
	unreachable_stop(unreachable);
	event_base_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_error_names_what_was_sent_and_where),
		TEST(options_in_both_headers_are_passed_over),
		TEST(whatever_is_cut_off_is_no_error),
		TEST(what_is_no_such_error_is_passed_over),
		TEST(what_comes_back_from_a_closed_port_is_heard),
		TEST(it_starts_or_says_that_it_may_not),
	};
	return RUN_TESTS(tests);
}
