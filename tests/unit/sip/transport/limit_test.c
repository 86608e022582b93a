// What a stranger can make us keep, and for how long: deadlines, limits, who goes when all is taken.

#include "tests/unit/sip/transport/stage.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE "OPTIONS sip:a@x SIP/2.0\r\nl: 0\r\n\r\n"

static uint64_t count(const struct counter *counter)
{
	return counter_get(counter);
}

static void who_never_says_anything_is_closed(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ 0 }, NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_pass(&stage, 20000);
	stage_write(fd, TEXT("\r\n\r\n")); // a ping is no message
	stage_pass(&stage, 9900);
	CHECK_NUMBER(count(&stage.counters->connections), 1);
	stage_pass(&stage, 200);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_SILENT), 1);
	CHECK_NUMBER(stage.broken, 1);
	close(fd);
	stage_close(&stage);
}

static void who_spoke_may_be_silent_for_long(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ 0 }, NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT(MESSAGE));
	stage_until(&stage, &stage.messages, 1);
	stage_pass(&stage, 599000);
	CHECK_NUMBER(count(&stage.counters->connections), 1);
	stage_write(fd, TEXT("\r\n\r\n")); // keeps it alive (SIP-026)
	stage_run(&stage);
	stage_pass(&stage, 599000);
	CHECK_NUMBER(count(&stage.counters->connections), 1);
	stage_pass(&stage, 2000);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_IDLE), 1);
	close(fd);
	stage_close(&stage);
}

static void who_sends_a_message_drop_by_drop_is_closed(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ 0 }, NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT(MESSAGE));
	stage_until(&stage, &stage.messages, 1);
	stage_pass(&stage, 60000); // between messages there is time
	for (unsigned i = 0; i < 5; i++) {
		stage_write(fd, TEXT("O"));
		stage_run(&stage);
		CHECK_NUMBER(count(&stage.counters->connections), 1);
		stage_pass(&stage, 1010);
	}
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_SLOW_SENDER), 1);
	close(fd);
	stage_close(&stage);
}

static void who_does_not_read_is_closed_and_costs_no_more_than_his_queue(void **state)
{
	(void)state;
	static char octets[4096];
	struct stage stage;
	int size = 4096;
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ .queue_max = 16 * 65536 },
		   NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	stage_write(fd, TEXT(MESSAGE));
	stage_until(&stage, &stage.messages, 1);
	struct sip_flow flow = stage.flow;
	memset(octets, 'x', sizeof(octets));
	enum status status = OK;
	unsigned position = 0;
	struct sip_connection_facts facts;
	for (unsigned i = 0; i < 4096 && status == OK; i++) {
		status = stage_send(&stage, (struct text){ octets, sizeof(octets) }, &flow);
		position = 0;
		CHECK_TRUE(sip_transport_next(stage.transport, &position, &facts));
		CHECK_TRUE(facts.queued <= 65536); // a sixteenth
	}
	CHECK_STATUS(status, ERR_BUSY);
	CHECK_NUMBER(stage.broken, 0); // not inside a send
	stage_run(&stage);
	CHECK_NUMBER(stage.broken, 1);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_SLOW_READER), 1);
	close(fd);
	stage_close(&stage);
}

static void who_reads_nothing_at_all_is_closed_in_time(void **state)
{
	(void)state;
	static char octets[8192];
	struct stage stage;
	struct sip_connection_facts facts = { 0 };
	unsigned position = 0;
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ .queue_max = 1 << 26 },
		   NULL);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT(MESSAGE));
	stage_until(&stage, &stage.messages, 1);
	struct sip_flow flow = stage.flow;
	for (unsigned i = 0; i < 4096 && facts.queued == 0; i++) {
		CHECK_OK(stage_send(&stage, (struct text){ octets, sizeof(octets) }, &flow));
		position = 0;
		CHECK_TRUE(sip_transport_next(stage.transport, &position, &facts));
	}
	CHECK_TRUE(facts.queued > 0);
	stage_pass(&stage, 31000);
	CHECK_NUMBER(count(&stage.counters->connections), 1);
	stage_pass(&stage, 1100);
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_SLOW_READER), 1);
	close(fd);
	stage_close(&stage);
}

// ---- limits

static void one_source_gets_its_share_and_no_more(void **state)
{
	(void)state;
	struct stage stage;
	int fds[5];
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ .per_source_max = 3 }, NULL);
	for (unsigned i = 0; i < 4; i++)
		fds[i] = stage_connect(&stage, "127.0.0.1");
	CHECK_TRUE(stage_is_closed(&stage, fds[3]));
	CHECK_NUMBER(count(&stage.counters->refused_source), 1);
	fds[4] = stage_connect(&stage, "127.0.0.2");
	CHECK_NUMBER(count(&stage.counters->connections), 4);
	close(fds[0]);
	stage_run(&stage);
	close(fds[3]);
	fds[3] = stage_connect(&stage, "127.0.0.1"); // who leaves makes room
	CHECK_NUMBER(count(&stage.counters->connections), 4);
	CHECK_NUMBER(count(&stage.counters->refused_source), 1);
	for (unsigned i = 1; i < 5; i++)
		close(fds[i]);
	stage_close(&stage);
}

static int connect_and_speak(struct stage *stage, const char *from)
{
	int fd = stage_connect(stage, from);
	stage_write(fd, TEXT(MESSAGE));
	stage_until(stage, &stage->messages, stage->messages + 1);
	return fd;
}

// Strangers first, the oldest of them; then who has spoken, least lately; whoever called stays.
static void when_all_is_taken_the_least_of_all_goes(void **state)
{
	(void)state;
	struct stage stage;
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ .connections_max = 4 },
		   NULL);
	int caller = connect_and_speak(&stage, "127.0.0.1");
	sip_transport_trust(stage.transport, stage.flow.connection);
	int spoken = connect_and_speak(&stage, "127.0.0.1");
	int old = stage_connect(&stage, "127.0.0.1");
	int young = stage_connect(&stage, "127.0.0.1");
	int fifth = stage_connect(&stage, "127.0.0.1");
	CHECK_TRUE(stage_is_closed(&stage, old));
	CHECK_FALSE(stage_is_closed(&stage, young));
	int sixth = connect_and_speak(&stage, "127.0.0.1");
	CHECK_TRUE(stage_is_closed(&stage, young));
	stage_write(fifth, TEXT(MESSAGE));
	stage_run(&stage);
	int seventh = connect_and_speak(&stage, "127.0.0.1");
	CHECK_TRUE(stage_is_closed(&stage, spoken)); // heard least lately
	CHECK_FALSE(stage_is_closed(&stage, caller));
	CHECK_FALSE(stage_is_closed(&stage, sixth));
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_NO_ROOM), 3);
	CHECK_NUMBER(count(&stage.counters->refused_full), 0);
	const int fds[] = { caller, spoken, old, young, fifth, sixth, seventh };
	for (unsigned i = 0; i < 7; i++)
		close(fds[i]);
	stage_close(&stage);
}

static void a_flood_of_strangers_pushes_out_nobody_who_called(void **state)
{
	(void)state;
	struct stage stage;
	int callers[4], flood[40];
	stage_open(&stage, "127.0.0.1",
		   (struct sip_transport_limits){ .connections_max = 4, .per_source_max = 100 },
		   NULL);
	for (unsigned i = 0; i < 4; i++) {
		callers[i] = connect_and_speak(&stage, "127.0.0.1");
		sip_transport_trust(stage.transport, stage.flow.connection);
	}
	for (unsigned i = 0; i < 40; i++)
		flood[i] = stage_connect(&stage, "127.0.0.1");
	for (unsigned i = 0; i < 4; i++)
		CHECK_FALSE(stage_is_closed(&stage, callers[i]));
	CHECK_NUMBER(count(&stage.counters->refused_full), 40);
	for (unsigned i = 0; i < 40; i++)
		close(flood[i]);
	for (unsigned i = 0; i < 4; i++)
		close(callers[i]);
	stage_close(&stage);
}

// The stranger whose message makes us open a connection may be the one that has to go for it.
static void nobody_goes_while_he_is_being_read(void **state)
{
	(void)state;
	struct stage stage;
	char room[2 * sizeof(MESSAGE)];
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ .connections_max = 1 },
		   NULL);
	int listening = stage_listen("127.0.0.1", 8, &stage.forward_to);
	int fd = stage_connect(&stage, "127.0.0.1");
	stage_write(fd, TEXT(MESSAGE MESSAGE));
	int carrier = -1;
	stage_until(&stage, &stage.broken, 1);
	carrier = accept(listening, NULL, NULL);
	CHECK_TEXT(stage_read(&stage, carrier, room, sizeof(MESSAGE) - 1), MESSAGE);
	CHECK_TRUE(stage_is_closed(&stage, fd));
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_NO_ROOM), 1);
	CHECK_NUMBER(count(&stage.counters->connections), 1);
	close(fd);
	close(carrier);
	close(listening);
	stage_close(&stage);
}

// ---- descriptors

static void set_descriptors(rlim_t count)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = count;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

// Peers are made first; then no descriptor is left but those of `spare`.
static void without_descriptors_the_loop_does_not_spin(void **state)
{
	(void)state;
	struct stage stage;
	struct rlimit before;
	struct sockaddr_storage kernel;
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ 0 }, NULL);
	socklen_t size = address_to_sockaddr(&stage.tcp, &kernel);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	int fds[3];
	for (unsigned i = 0; i < 3; i++)
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	set_descriptors((rlim_t)lowest);
	close(lowest); // nothing at or above it can be had
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(connect(fds[i], (struct sockaddr *)&kernel, size), 0);
	stage_run(&stage);
	CHECK_NUMBER(count(&stage.counters->accepted), 0);
	CHECK_NUMBER(count(&stage.counters->accept_pauses), 1); // in twenty turns
	set_descriptors(before.rlim_cur);
	usleep(120000);
	stage_run(&stage);
	CHECK_NUMBER(count(&stage.counters->accepted), 3);
	for (unsigned i = 0; i < 3; i++)
		close(fds[i]);
	stage_close(&stage);
}

static void without_descriptors_the_least_makes_room(void **state)
{
	(void)state;
	struct stage stage;
	struct rlimit before;
	struct sockaddr_storage kernel;
	stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ 0 }, NULL);
	socklen_t size = address_to_sockaddr(&stage.tcp, &kernel);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	int stranger = stage_connect(&stage, "127.0.0.1");
	int late = socket(AF_INET, SOCK_STREAM, 0);
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	set_descriptors((rlim_t)lowest);
	close(lowest);
	assert_int_equal(connect(late, (struct sockaddr *)&kernel, size), 0);
	stage_run(&stage);
	set_descriptors(before.rlim_cur);
	CHECK_NUMBER(count(&stage.counters->accepted), 2);
	CHECK_TRUE(stage_is_closed(&stage, stranger));
	CHECK_NUMBER(stage_closed(&stage, SIP_CLOSE_NO_ROOM), 1);
	close(stranger);
	close(late);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_never_says_anything_is_closed),
		TEST(who_spoke_may_be_silent_for_long),
		TEST(who_sends_a_message_drop_by_drop_is_closed),
		TEST(who_does_not_read_is_closed_and_costs_no_more_than_his_queue),
		TEST(who_reads_nothing_at_all_is_closed_in_time),
		TEST(one_source_gets_its_share_and_no_more),
		TEST(when_all_is_taken_the_least_of_all_goes),
		TEST(a_flood_of_strangers_pushes_out_nobody_who_called),
		TEST(nobody_goes_while_he_is_being_read),
		TEST(without_descriptors_the_loop_does_not_spin),
		TEST(without_descriptors_the_least_makes_room),
	};
	return RUN_TESTS(tests);
}
