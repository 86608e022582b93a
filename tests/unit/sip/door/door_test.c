// The door with real sockets: what comes in is in the queue, and who is refused hears it.

#include "tests/check.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip/door/door.h"
#include "sip/guard/steer.h"
#include "sip/transport.h"

#define HOST "office.example"

struct stage {
	struct sip_guard_apart *apart;
	struct sip_transport_counters counters;
	struct sip_door *door;
	struct address local, caller;
	int read, calling; // the control thread's socket; a caller's
	char room[4096];
};

static struct address bound(int fd)
{
	struct sockaddr_storage kernel;
	struct address address;
	socklen_t size = sizeof(kernel);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&kernel, &size), 0);
	assert_true(address_from_sockaddr((struct sockaddr *)&kernel, &address));
	return address;
}

static int open_socket(const char *host)
{
	struct sockaddr_storage kernel;
	struct address any;
	assert_true(address_parse(text_of(host), &any));
	any.port = 0;
	socklen_t size = address_to_sockaddr(&any, &kernel);
	int fd = socket(kernel.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&kernel, size), 0);
	return fd;
}

static struct stage *open_stage_without_thread(const char *host)
{
	struct sockaddr_storage kernel;
	struct stage *stage = calloc(1, sizeof(*stage));
	assert_non_null(stage);
	stage->apart = calloc(1, sizeof(*stage->apart));
	assert_non_null(stage->apart);
	stage->read = open_socket(host);
	stage->calling = open_socket(host);
	stage->local = bound(stage->read);
	stage->caller = bound(stage->calling);
	assert_int_equal(sip_door_create(stage->apart, &stage->counters, &stage->door), OK);
	assert_true(sip_door_add(stage->door, stage->read, &stage->local));
	socklen_t size = address_to_sockaddr(&stage->local, &kernel);
	assert_int_equal(connect(stage->calling, (struct sockaddr *)&kernel, size), 0);
	return stage;
}

static struct stage *open_stage_at(const char *host)
{
	struct stage *stage = open_stage_without_thread(host);
	assert_int_equal(sip_door_start(stage->door), OK);
	return stage;
}

static struct stage *open_stage(void)
{
	return open_stage_at("127.0.0.1");
}

static void close_stage(struct stage *stage)
{
	sip_door_destroy(stage->door);
	close(stage->read);
	close(stage->calling);
	free(stage->apart);
	free(stage);
}

// As the guard and the transport do.
static void steer(struct stage *stage, unsigned most_waiting)
{
	sip_guard_apart_follow(stage->apart, most_waiting, 1000, 1);
	assert_true(sip_guard_steer(stage->read, most_waiting > 0));
}

static void invite(struct stage *stage, const char *call_id)
{
	char room[1024];
	int size = snprintf(
		room, sizeof(room),
		"INVITE sip:+4915550000001@" HOST " SIP/2.0\r\nVia: SIP/2.0/UDP "
		"h;branch=z9hG4bK%s;rport\r\n"
		"From: <sip:a@b.example>;tag=1\r\nTo: <sip:+4915550000001@" HOST ">\r\n"
		"Call-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:a@h>\r\nMax-Forwards: 70\r\n"
		"Content-Length: 0\r\nX-Much: %0*d\r\n\r\n",
		call_id, call_id, 200, 0);
	assert_int_equal(send(stage->calling, room, (size_t)size, 0), size);
}

static bool hears(struct stage *stage, int wait_ms)
{
	struct pollfd answer = { .fd = stage->calling, .events = POLLIN };
	if (poll(&answer, 1, wait_ms) != 1)
		return false;
	ssize_t size = recv(stage->calling, stage->room, sizeof(stage->room) - 1, 0);
	assert_true(size > 0);
	stage->room[size] = 0;
	return true;
}

static void take(struct stage *stage, struct sip_door_datagram *out_datagram)
{
	struct sip_door_queue *queue = sip_door_queue_of(stage->door);
	struct pollfd queued = { .fd = sip_door_queue_fd(queue), .events = POLLIN };
	while (!sip_door_take(stage->door, out_datagram)) { // as the control thread does
		sip_door_queue_quiet(queue);
		CHECK_NUMBER(poll(&queued, 1, 10000), 1);
	}
}

static void one_comes_in_and_one_does_not(const char *host)
{
	struct stage *stage = open_stage_at(host);
	struct sip_door_datagram datagram;
	sip_guard_apart_note(stage->apart, &stage->caller, TEXT(HOST));
	steer(stage, 1);
	invite(stage, "first");
	invite(stage, "second");
	CHECK_TRUE(hears(stage, 10000));
	CHECK_TRUE(strncmp(stage->room, "SIP/2.0 503 Service Unavailable\r\n", 33) == 0);
	CHECK_TRUE(strstr(stage->room, "Call-ID: second\r\n") != NULL);
	take(stage, &datagram);
	CHECK_TRUE(text_has_prefix(datagram.octets, TEXT("INVITE sip:+49155")));
	CHECK_TRUE(memmem(datagram.octets.data, datagram.octets.size, "first", 5) != NULL);
	CHECK_TRUE(address_is_equal(&datagram.remote, &stage->caller));
	CHECK_TRUE(address_is_equal(&datagram.local, &stage->local));
	CHECK_TRUE(datagram.arrived_ns > 0 && datagram.queued_us > 0);
	CHECK_NUMBER(counter_get(&stage->counters.door_received), 2);
	CHECK_NUMBER(counter_get(&stage->counters.door_let_in), 1);
	for (unsigned i = 0; i < 1000 && counter_get(&stage->counters.door_refused) == 0; i++)
		(void)poll(NULL, 0, 10); // it counts what it has sent
	CHECK_NUMBER(counter_get(&stage->counters.door_refused), 1);
	close_stage(stage);
}

static void who_comes_in_is_in_the_queue_and_who_does_not_hears_it(void **state)
{
	(void)state;
	one_comes_in_and_one_does_not("127.0.0.1");
}

static void so_it_is_by_ipv6(void **state)
{
	(void)state;
	one_comes_in_and_one_does_not("::1");
}

static void there_is_room_again_when_one_is_taken(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	struct sip_door_datagram datagram;
	sip_guard_apart_note(stage->apart, &stage->caller, TEXT(HOST));
	steer(stage, 1);
	for (unsigned i = 0; i < 100; i++) {
		char call_id[16];
		snprintf(call_id, sizeof(call_id), "call-%u", i);
		invite(stage, call_id);
		take(stage, &datagram);
		CHECK_TRUE(memmem(datagram.octets.data, datagram.octets.size, call_id,
				  strlen(call_id)) != NULL);
	}
	CHECK_NUMBER(counter_get(&stage->counters.door_refused), 0);
	close_stage(stage);
}

// The door had no CPU for a while. What it reads then the control thread would drop as too old: its sender
// has sent it again, behind it.
static void what_waited_before_it_for_too_long_is_left_there(void **state)
{
	(void)state;
	struct stage *stage = open_stage_without_thread("127.0.0.1");
	struct sip_door_datagram datagram;
	atomic_store(&stage->apart->stale_us, 200000);
	steer(stage, 100);
	invite(stage, "old");
	invite(stage, "old-too");
	(void)poll(NULL, 0, 300);
	assert_int_equal(sip_door_start(stage->door), OK);
	for (unsigned i = 0; i < 1000 && counter_get(&stage->counters.door_lost) < 2; i++)
		(void)poll(NULL, 0, 10);
	CHECK_NUMBER(counter_get(&stage->counters.door_lost), 2);
	CHECK_NUMBER(sip_door_queue_length(sip_door_queue_of(stage->door)), 0);
	atomic_store(&stage->apart->stale_us, 60000000); // however busy this machine is
	invite(stage, "young");
	take(stage, &datagram);
	CHECK_TRUE(memmem(datagram.octets.data, datagram.octets.size, "young", 5) != NULL);
	close_stage(stage);
}

static void without_overload_nobody_comes_by_it(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	struct pollfd read = { .fd = stage->read, .events = POLLIN };
	steer(stage, 0);
	invite(stage, "first");
	CHECK_NUMBER(poll(&read, 1, 10000), 1);
	CHECK_NUMBER(counter_get(&stage->counters.door_received), 0);
	close_stage(stage);
}

static void an_address_of_somebody_else_is_not_shared(void **state)
{
	(void)state;
	struct stage *stage = open_stage();
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(&stage->local, &kernel);
	int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK_TRUE(bind(other, (struct sockaddr *)&kernel, size) != 0);
	close(other);
	close_stage(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_comes_in_is_in_the_queue_and_who_does_not_hears_it),
		TEST(so_it_is_by_ipv6),
		TEST(there_is_room_again_when_one_is_taken),
		TEST(what_waited_before_it_for_too_long_is_left_there),
		TEST(without_overload_nobody_comes_by_it),
		TEST(an_address_of_somebody_else_is_not_shared),
	};
	return RUN_TESTS(tests);
}
