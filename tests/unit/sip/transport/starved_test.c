// Connections while memory runs out at each of their allocations: what cannot be kept is closed or
// refused, nothing is lost track of.

#include "tests/unit/sip/transport/stage.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/fake/allocation.h"

#define MESSAGE "OPTIONS sip:a@x SIP/2.0\r\nl: 0\r\n\r\n"
#define ALLOCATIONS_MAX 64

static uint64_t made(const struct stage *stage)
{
	return counter_get(&stage->counters->accepted) + counter_get(&stage->counters->opened);
}

static uint64_t ended(const struct stage *stage)
{
	uint64_t count = 0;
	for (unsigned reason = 0; reason < SIP_CLOSE_COUNT; reason++)
		count += stage_closed(stage, (enum sip_close)reason);
	return count;
}

// A peer comes and speaks, we answer, and send the same to somebody else.
static void act(struct stage *stage, int peer)
{
	struct sockaddr_storage kernel;
	socklen_t size = address_to_sockaddr(&stage->tcp, &kernel);
	(void)connect(peer, (struct sockaddr *)&kernel, size);
	(void)send(peer, MESSAGE, sizeof(MESSAGE) - 1, MSG_NOSIGNAL);
	stage_run(stage);
}

static void a_failed_allocation_costs_one_connection_at_most(void **state)
{
	(void)state;
	bool has_failed = true;
	for (unsigned number = 1; number < ALLOCATIONS_MAX && has_failed; number++) {
		struct stage stage;
		stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ 0 }, NULL);
		stage.reply = TEXT("SIP/2.0 200 OK\r\nl: 0\r\n\r\n");
		int listening = stage_listen("127.0.0.1", 8, &stage.forward_to);
		int first = socket(AF_INET, SOCK_STREAM, 0),
		    second = socket(AF_INET, SOCK_STREAM, 0);
		allocation_fail_at(number);
		act(&stage, first);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		act(&stage, second); // as if nothing had been
		CHECK_TRUE(stage.messages >= 1);
		CHECK_TRUE(counter_get(&stage.counters->accepted) >= 1);
		close(first);
		close(second);
		stage_run(&stage);
		close(listening);
		stage_run(&stage);
		CHECK_NUMBER(counter_get(&stage.counters->connections),
			     made(&stage) - ended(&stage));
		stage_close(&stage);
	}
	CHECK_FALSE(has_failed);
}

static void a_start_without_memory_leaves_nothing(void **state)
{
	(void)state;
	bool has_failed = true;
	for (unsigned number = 1; number < ALLOCATIONS_MAX && has_failed; number++) {
		struct stage stage;
		struct sip_transport *transport = NULL;
		stage_open(&stage, "127.0.0.1", (struct sip_transport_limits){ 0 }, NULL);
		struct address address = stage.tcp;
		address.port = 0;
		struct sip_transport_options options = { .clock = &stage.clock,
							 .wheel = stage.wheel,
							 .addresses = &address,
							 .address_count = 1,
							 .limits.connections_max = 4 };
		allocation_fail_at(number);
		enum status status = sip_transport_start(stage.loop, &options, &transport);
		has_failed = allocation_has_failed();
		allocation_fail_at(0);
		CHECK_STATUS(status, has_failed ? ERR_MEMORY : OK);
		sip_transport_stop(transport);
		stage_close(&stage);
	}
	CHECK_FALSE(has_failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_failed_allocation_costs_one_connection_at_most),
		TEST(a_start_without_memory_leaves_nothing),
	};
	return RUN_TESTS(tests);
}
